"""One `up` from start to end: the application on its port, and the signals that steer it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import structlog
import uvicorn

from settings import Address
from stalewatch.auth import Auth, Basic, ProxyHeader
from stalewatch.clock import wall_ns
from stalewatch.config import Config, ConfigError, load
from stalewatch.config.model import Server
from stalewatch.metrics import Metrics
from stalewatch.runtime import ReloadError, Runtime
from stalewatch.server import create_app, server_config
from store.base import Store

log = structlog.get_logger()


class AddressError(Exception):
    """The address to listen on cannot be had; the message says why and what to do."""


class _Uvicorn(uvicorn.Server):
    """Says when it serves, and leaves signals alone: it would end the process by the signal."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


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
        self._runtime = Runtime(config, store, self._metrics)
        url = config.server.external_url
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
        )
        served = server_config(app, self._listen.host, self._listen.port)
        self._server = _Uvicorn(served, self._tell)
        self._socket: socket.socket | None = None
        self._reloading: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Run until SIGTERM, SIGINT or `stop`. Raises AddressError where it cannot listen."""
        self._socket = _open_socket(self._listen)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._start_reload)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
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
        if self._socket is None:
            return
        host, port = self._socket.getsockname()[:2]
        address = f"http://{Address(host, port)}/"
        log.info("serving", address=address)
        self._ready(address)

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
        except ReloadError as error:
            self._metrics.note_reload("refused")
            log.error("the config cannot be begun; going on with the old one", why=str(error))
            return
        self._metrics.note_reload("applied")
        log.info("the config is read anew", file=str(self._config_file))


def _warn_of_fixed(old: Config, new: Config) -> None:
    for section in ("server", "store"):
        if getattr(old, section) != getattr(new, section):
            log.warning("this section changes only with a restart", section=section)


def _auth(server: Server) -> Auth:
    auth = server.auth
    if auth is None:
        return None
    if auth.username is not None and auth.password is not None:
        return Basic(auth.username, auth.password.reveal)
    return ProxyHeader(auth.proxy_header or "", auth.trusted)


def _open_socket(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off on what it accepts.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((address.host, address.port))
    except OSError as error:
        opened.close()
        raise AddressError(
            f"cannot listen on {address}: {error.strerror}; choose another port"
        ) from None
    return opened
