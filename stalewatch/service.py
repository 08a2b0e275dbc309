"""One `up` from start to end: the application on its port, and the signals that steer it."""

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import structlog

from reports.desk import Desk
from settings import Address
from stalewatch.auth import Auth, Basic, ProxyHeader
from stalewatch.clock import wall_ns
from stalewatch.config import Config, ConfigError, load
from stalewatch.config.model import Server
from stalewatch.heard import Heard
from stalewatch.listening import QuietUvicorn, open_socket
from stalewatch.metrics import Metrics
from stalewatch.receiver import Receiver
from stalewatch.runtime import ReloadError, Runtime
from stalewatch.server import create_app, server_config
from stalewatch.tapping import Tapping
from stalewatch.trace_polling import TracePolling
from store.base import Store
from store.objectives import Objectives

log = structlog.get_logger()


class Service:
    """The server of one config. `ready` is called with its address once it can be opened."""

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        config_file: Path | None = None,
        listen: Address | None = None,
        ready: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config_file = config_file
        self._listen = listen or config.server.listen
        self._ready = ready
        self._metrics = Metrics()
        url = config.server.external_url
        self._external_url = str(url) if url else ""
        objectives, desk = Objectives(store), Desk(store)
        self._runtime = Runtime(config, store, self._metrics, self._address_of_ui, objectives, desk)
        self._polling = TracePolling(config, store, self._metrics)
        app = create_app(
            store=store,
            metrics=self._metrics,
            runtime=self._runtime,
            now_ns=wall_ns,
            external_path=url.path if url else "/",
            external_origin=url.origin if url else "",
            auth=_auth(config.server),
            metrics_open=config.server.metrics_open,
            title=config.server.title,
            problems=lambda: [*self._polling.problems(), *self._runtime.problems()],
            objectives=objectives,
            desk=desk,
        )
        served = server_config(app, self._listen.host, self._listen.port)
        self._server = QuietUvicorn(served, self._tell)
        otlp = config.server.otlp
        heard = Heard(store, self._runtime.hear)
        self._receiver = Receiver(config, otlp, store, heard, self._metrics) if otlp else None
        self._tapping = Tapping(store, self._metrics.taps, heard, self._runtime.learn)
        self._socket: socket.socket | None = None
        self._bound: Address | None = None
        self._reloading: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Run until SIGTERM, SIGINT or `stop`. Raises AddressError where it cannot listen."""
        self._socket = open_socket(self._listen, "choose another port")
        self._bound = Address(*self._socket.getsockname()[:2])
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._start_reload)
        try:
            if self._receiver is not None:
                await self._receiver.start()
            await self._tapping.start(self._runtime.config)
            self._polling.start()
            await self._server.serve(sockets=[self._socket])
        finally:
            await self._tapping.stop()
            await self._polling.stop()
            if self._receiver is not None:
                await self._receiver.stop()
            self._socket.close()

    def stop(self) -> None:
        """End in good order; a second time, at once."""
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True

    @property
    def has_started(self) -> bool:
        """Whether it came up."""
        return self._server.started

    def _tell(self) -> None:
        address = self._own_address()
        log.info("serving", address=address)
        self._ready(address)

    def _address_of_ui(self) -> str:
        return self._external_url or self._own_address()

    def _own_address(self) -> str:
        return f"http://{self._bound or self._listen}/"

    def _start_reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reload())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _reload(self) -> None:
        """Take the file as it is now, where it is valid; else go on with what there is."""
        if self._config_file is None:
            return
        try:
            config = await asyncio.to_thread(load, self._config_file)
        except ConfigError as error:
            self._metrics.note_reload("refused")
            log.error("the config has mistakes; going on with the old one", why=str(error))
            return
        _warn_of_fixed(self._runtime.config, config)
        try:
            await self._runtime.reload(config)
            await self._tapping.reload(config)
        except ReloadError as error:
            self._metrics.note_reload("refused")
            log.error("the config cannot be begun; going on with the old one", why=str(error))
            return
        self._metrics.note_reload("applied")
        log.info("the config is read anew", file=str(self._config_file))


def _warn_of_fixed(old: Config, new: Config) -> None:
    for section in ("server", "store", "traces"):
        if getattr(old, section) != getattr(new, section):
            log.warning("this section changes only with a restart", section=section)


def _auth(server: Server) -> Auth:
    auth = server.auth
    if auth is None:
        return None
    if auth.username is not None and auth.password is not None:
        return Basic(auth.username, auth.password.reveal)
    return ProxyHeader(auth.proxy_header or "", auth.trusted)
