"""Puts the UI on a server."""

from collections.abc import Callable
from pathlib import Path

from dash import Dash
from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse

from dashboard import clientside, live, shell
from dashboard.refresh import Renderer
from dashboard.site import Site, site
from dashboard.statics import CompressedStatics
from reports.desk import Desk
from store.base import Store
from store.objectives import Objectives

ASSETS = Path(__file__).parent / "assets"
PLOTLY = ASSETS / "plotly-cartesian.min.js"
HEARTBEAT_MS = 15_000


def mount(
    server: FastAPI,
    store: Store,
    *,
    external_path: str = "/",
    title: str = "Stalewatch",
    now_ns: Callable[[], int],
    objectives: Objectives | None = None,
    desk: Desk | None = None,
) -> Dash:
    """Serve the UI at the root of `server`, for browsers that see it under `external_path`.

    `now_ns` is the wall clock in Unix nanoseconds. Routes of `server` come before the UI's; what
    no route takes is a page of the UI. `csp_hashes()` of the application that is returned goes
    into `script-src`. The server's lifespan must run: it adds the catch-all route.
    """
    where = site(external_path, title, objectives or Objectives(store), desk or Desk(store))
    _serve_plotly(server, where)
    app = Dash(
        __name__,
        server=server,  # type: ignore[arg-type]  # Dash types Flask alone
        title=title,
        update_title="",
        assets_folder=str(ASSETS),
        assets_ignore=rf"theme\.js|{PLOTLY.name}",
        requests_pathname_prefix=where.prefix,
        routes_pathname_prefix="/",
        index_string=shell.index(where),
        suppress_callback_exceptions=True,
        websocket_inactivity_timeout=0,  # a screen on a wall is never touched
        websocket_heartbeat_interval=HEARTBEAT_MS,
    )
    app.layout = shell.layout(where)
    clientside.register(app)
    live.register(app, Renderer(store, where, now_ns))
    # Dash does this on the first request for `/` alone, and a deep link may come before it.
    app._setup_server()  # type: ignore[no-untyped-call]
    server.add_middleware(CompressedStatics)
    return app


def _serve_plotly(server: FastAPI, where: Site) -> None:
    """Our plotly.js where the first chart of a page asks for Dash's.

    As one of the assets every page would run it, charts or not: half a second each time.
    """
    address = f"{where.asset(PLOTLY.name)}?m={PLOTLY.stat().st_mtime}"

    @server.get("/_dash-component-suites/plotly/package_data/plotly.min.js")
    def plotly() -> Response:
        return RedirectResponse(address)
