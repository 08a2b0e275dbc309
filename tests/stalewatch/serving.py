"""The real application under a real uvicorn, asked over real connections."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from stalewatch.metrics import Metrics
from stalewatch.server import create_app, server_config
from store.base import Store
from tests.servers import free_port, wait_until

NOW = 1_800_000_000 * 10**9
TRUSTED_PEER, STRANGER = "127.0.0.1", "127.0.0.2"
WEBSOCKET = "/_dash-ws-callback"


class QuietRuntime:
    """Nothing runs beside the server; says what was done with it, and what it is told to say."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.reasons: list[str] = []

    async def start(self) -> None:
        self.calls.append("start")

    async def stop(self) -> None:
        self.calls.append("stop")

    def readiness(self) -> Sequence[str]:
        return self.reasons


class Visitor:
    """Somebody who asks a server from one address, with the same headers each time."""

    def __init__(self, port: int, peer: str = TRUSTED_PEER, **headers: str) -> None:
        self.port = port
        self.peer = peer
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self._ask("GET", path, headers)

    def post(self, path: str, **headers: str) -> httpx2.Response:
        return self._ask("POST", path, headers)

    def json(self, path: str) -> Any:
        """The body of a good answer."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return json.loads(answer.content)

    def listen(self, path: str = WEBSOCKET, origin: str | None = None) -> None:
        """Open a websocket; the origin is the server's own where None, and none where empty."""
        own = f"http://127.0.0.1:{self.port}"
        with connect(
            f"ws://127.0.0.1:{self.port}{path}",
            sock=socket.create_connection(("127.0.0.1", self.port), 10, (self.peer, 0)),
            origin=Origin(own if origin is None else origin) if origin != "" else None,
            additional_headers=self.headers,
            proxy=None,
        ):
            pass

    def refused(self, path: str = WEBSOCKET, origin: str | None = None) -> int:
        """The status with which a websocket is refused."""
        try:
            self.listen(path, origin)
        except InvalidStatus as refusal:
            return refusal.response.status_code
        raise AssertionError("the websocket was opened")

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        transport = httpx2.HTTPTransport(local_address=self.peer, verify=False)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx2.Client(transport=transport, timeout=20) as client:
            url = f"http://127.0.0.1:{self.port}{path}"
            return client.request(method, url, headers={**self.headers, **named})


@contextmanager
def served(app: FastAPI) -> Iterator[int]:
    """Serve an application on a free port, its lifespan included; gives the port."""
    port = free_port()
    server = uvicorn.Server(server_config(app, "127.0.0.1", port))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "uvicorn has started")
        assert server.started
        yield port
    finally:
        server.should_exit = True
        thread.join()


def make_app(store: Store, now_ns: Callable[[], int] = lambda: NOW, **changes: Any) -> FastAPI:
    """The application with nothing beside it, but for what a test is about."""
    parts: dict[str, Any] = {"metrics": Metrics(), "runtime": QuietRuntime(), **changes}
    return create_app(store=store, now_ns=now_ns, **parts)
