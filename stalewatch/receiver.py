"""The receiver of traces on its own port: from the config to a running server."""

import asyncio
import socket
import time
from typing import Final

import structlog
import uvicorn

from collectors.otlp.app import OtlpApp
from collectors.otlp.intake import Intake, Sink
from settings import Address
from stalewatch.clock import wall_ns
from stalewatch.config.model import Config
from stalewatch.config.otlp import Otlp
from stalewatch.listening import QuietUvicorn, open_socket
from stalewatch.mapping import make_mapper, make_names
from stalewatch.metrics import Metrics
from store.base import Store

GRACE_S: Final = 5
"""How long requests may take that are under way when the end comes."""
MOST_CONNECTIONS: Final = 512

log = structlog.get_logger()


class Receiver:
    """Listens from `start` to `stop`; the store and the `sink` of its rows must outlive it."""

    def __init__(
        self, config: Config, otlp: Otlp, store: Store, sink: Sink, metrics: Metrics
    ) -> None:
        self._intake = Intake(
            sink,
            make_names(config),
            make_mapper(config, store),
            metrics.otlp,
            time.monotonic_ns,
            otlp.max_request.bytes,
        )
        metrics.otlp.watch_queue(lambda: self._intake.depth, lambda: self._intake.charged_bytes)
        token = otlp.token.reveal if otlp.token is not None else None
        app = OtlpApp(self._intake, token, wall_ns, metrics.otlp)
        self._otlp = otlp
        self._server = QuietUvicorn(_server_config(app, otlp))
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and take requests. Raises AddressError."""
        self._socket = open_socket(self._otlp.listen, "change server.otlp.listen in the config")
        self._intake.start()
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        scheme = "https" if self._otlp.tls else "http"
        log.info("taking traces", address=f"{scheme}://{self.address}/v1/traces")

    @property
    def address(self) -> Address:
        """Where it listens, the port that was picked included."""
        if self._socket is None:
            return self._otlp.listen
        host, port = self._socket.getsockname()[:2]
        return Address(host, port)

    async def stop(self) -> None:
        """Take no more, answer what was taken, and end."""
        if self._serving is None or self._socket is None:
            return
        self._server.should_exit = True
        await self._serving
        await asyncio.to_thread(self._intake.close, GRACE_S)
        self._socket.close()


def _server_config(app: OtlpApp, otlp: Otlp) -> uvicorn.Config:
    tls = otlp.tls
    return uvicorn.Config(
        app,
        host=otlp.listen.host,
        port=otlp.listen.port,
        # h11 bounds what a request's head may have.
        http="h11",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=(lambda _config, _default: tls.context()) if tls else None,
    )
