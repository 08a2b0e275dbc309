"""A request handler served over HTTP/1.1 on a socket that is bound already."""

import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

import uvicorn

MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def first(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next(iter(parse_qs(self.query).get(name, [])), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


Handler = Callable[[Request], Awaitable[Reply]]


class Service(uvicorn.Server):
    """Serves one handler until `should_exit`; signals are its process's business, not its own."""

    def __init__(self, handler: Handler, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                _as_asgi(handler),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                date_header=False,  # a node whose clock is off tells its own
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self._listener = listener

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves the signal handlers alone."""
        yield

    async def run_until_exit(self) -> None:
        """Serves."""
        await self.serve(sockets=[self._listener])


def _as_asgi(handler: Handler) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, is_whole = await _read_body(receive)
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
        )
        reply = await handler(request) if is_whole else Reply(413)
        headers = {
            "content-type": reply.content_type,
            "content-length": str(len(reply.body)),
            "date": formatdate(usegmt=True),
            **reply.headers,
        }
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        await send({"type": "http.response.body", "body": reply.body})

    return app


async def _read_body(receive: Any) -> tuple[bytes, bool]:
    """The body, and whether it is whole: past the limit reading stops."""
    body = bytearray()
    while True:
        event = await receive()
        body += event.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return bytes(body), False
        if not event.get("more_body", False):
            return bytes(body), True
