"""The UI on a real server: uvicorn on a free port, in a thread of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import dashboard
from store.base import Store
from store.objectives import Objectives
from tests.servers import free_port, wait_until

CSP = (
    "default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'"
)


def build(store: Store, external_path: str = "/", objectives: Objectives | None = None) -> FastAPI:
    """A server with one route of its own and the content security policy of the application."""
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app = dashboard.mount(
        server, store, external_path=external_path, now_ns=time.time_ns, objectives=objectives
    )
    policy = CSP.format(hashes=" ".join(app.csp_hashes()))

    @server.get("/healthz")
    def healthz() -> Response:
        return Response("ok")

    server.add_middleware(_Policy, policy=policy)
    return server


class _Policy:
    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.header = (b"content-security-policy", policy.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], self.header]
            await send(message)

        await self.app(scope, receive, guarded)


@contextmanager
def serving(server: ASGIApp, port: int | None = None) -> Iterator[str]:
    """The address of a running server, which is stopped afterwards."""
    port = port or free_port()
    config = uvicorn.Config(
        server, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: running.started, "the server has started")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(timeout=10)
