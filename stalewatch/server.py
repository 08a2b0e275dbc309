"""The ASGI application: the pages, the JSON, the metrics, and who may see them.

It starts and stops what runs beside it, and knows nothing of what that is.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response

import dashboard
from reports.desk import Desk
from stalewatch.api import make_router
from stalewatch.api.items import json_answer
from stalewatch.api.problem import MissingError, answer_problems
from stalewatch.auth import (
    Auth,
    BehindProxies,
    Gate,
    IpNetwork,
    ProxyHeader,
    RequestOrigin,
    SecurityHeaders,
    WebsocketOrigin,
)
from stalewatch.metrics import Metrics
from store.base import Store
from store.objectives import Objectives

GRACE_S: Final = 3
"""How long open pages may take to notice that the server stops."""
_OWN_PATHS: Final = ("api", "assets", "healthz", "key", "metrics", "readyz")


class Runtime(Protocol):
    """What lives as long as the server does: collectors, writer, schedule."""

    async def start(self) -> None:
        """Begin; an exception ends the server."""
        ...

    async def stop(self) -> None:
        """End in good order; called after a failed start too."""
        ...

    def readiness(self) -> Sequence[str]:
        """Why the server is not ready, a reason each; empty where it is. Never blocks."""
        ...


def create_app(
    *,
    store: Store,
    metrics: Metrics,
    runtime: Runtime,
    now_ns: Callable[[], int],
    external_path: str = "/",
    external_origin: str = "",
    auth: Auth = None,
    trusted: Sequence[IpNetwork] = (),
    metrics_open: bool = False,
    title: str = "Stalewatch",
    problems: Callable[[], Sequence[str]] = list,
    objectives: Objectives | None = None,
    desk: Desk | None = None,
) -> FastAPI:
    """The application, for a server that runs its lifespan; `now_ns` is the wall clock.

    `external_path` and `external_origin` (`https://ops.example.com`) are the two halves of
    `external_url`. The proxies of `auth` are `trusted` too. Raises ValueError for a path that names
    one of our own. `problems` are told beside readiness, and do not end it.
    """
    _check_path(external_path)
    server = FastAPI(
        title=title,
        lifespan=_lifespan(runtime),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    answer_problems(server)
    server.include_router(_own_routes(metrics, runtime, problems))
    objectives, desk = objectives or Objectives(store), desk or Desk(store)
    server.include_router(make_router(store, now_ns, objectives, desk), prefix="/api/v1")
    server.include_router(_no_such_routes())
    # The UI comes last: what no route before it takes is a page.
    ui = dashboard.mount(
        server,
        store,
        external_path=external_path,
        title=title,
        now_ns=now_ns,
        objectives=objectives,
        desk=desk,
    )
    vouched = auth.trusted if isinstance(auth, ProxyHeader) else ()
    # The last one added is the first to see a request.
    server.add_middleware(WebsocketOrigin, external_origin=external_origin)
    server.add_middleware(RequestOrigin, external_origin=external_origin)
    server.add_middleware(Gate, auth=auth, metrics_open=metrics_open)
    server.add_middleware(BehindProxies, external_path=external_path, trusted=[*vouched, *trusted])
    server.add_middleware(SecurityHeaders, script_hashes=ui.csp_hashes())
    return server


def server_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """How uvicorn is to serve the application.

    Its own belief in forwarded headers is off: it would put the visitor's word in the place of the
    peer's address, which is what decides whom to trust.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
    )


def _check_path(external_path: str) -> None:
    """A proxy may strip the path or not; one that begins like ours could be either."""
    first = external_path.strip("/").partition("/")[0]
    if first in _OWN_PATHS or first.startswith("_dash"):
        raise ValueError(
            f"external_url may not have a path that begins with /{first}: Stalewatch serves that "
            "itself; serve it under another path, such as /stalewatch/"
        )


def _lifespan(
    runtime: Runtime,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        try:
            await runtime.start()
            yield
        finally:
            await runtime.stop()

    return lifespan


def _own_routes(
    metrics: Metrics, runtime: Runtime, problems: Callable[[], Sequence[str]]
) -> APIRouter:
    router = APIRouter()

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        return json_answer({"status": "alive"})

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    async def readyz() -> Response:
        reasons = list(runtime.readiness())
        told = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        others = list(problems())
        answer = json_answer({**told, "problems": others} if others else told)
        answer.status_code = 503 if reasons else 200
        return answer

    @router.get("/metrics")
    async def scrape(request: Request) -> Response:
        # A scrape asks for the queue's depth, and no more: quick enough for the loop.
        body, media_type = metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    return router


def _no_such_routes() -> APIRouter:
    """A slip in an address of the API is a problem, not a page of the UI."""
    router = APIRouter()

    @router.get("/api/{path:path}")
    async def no_such(path: str) -> Response:
        raise MissingError(f"no /api/{path}: docs/api.md lists what is there")

    return router
