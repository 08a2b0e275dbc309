"""How the UI is served: under a path, with compressed files, beside the server's own routes."""

import gzip
import re
import socket

import httpx2
import pytest
from playwright.async_api import expect
from plotly.offline import get_plotlyjs_version
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.application import ASSETS
from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.serving import build, serving


class Stripped:
    """What a reverse proxy does with the path that it serves us under."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            assert scope["path"].startswith(self.prefix), scope["path"]
            scope = {**scope, "path": scope["path"].removeprefix(self.prefix)}
        await self.app(scope, receive, send)


async def test_under_the_path_of_a_proxy_everything_works(
    seeded: SqliteStore, watched: Watched
) -> None:
    page = watched.page
    with serving(Stripped(build(seeded, "/ops/stalewatch/"), "/ops/stalewatch")) as url:
        await page.goto(f"{url}/ops/stalewatch/key/product/sku-1007")
        await expect(page.locator("h1")).to_have_text("sku-1007")
        await expect(page.locator("#live-words")).to_have_text("live")
        await page.get_by_role("link", name="Overview").click()
        await expect(page).to_have_url(f"{url}/ops/stalewatch/")
        await expect(page.locator("#findings [data-finding]")).to_have_count(2)
        await page.goto("about:blank")


async def test_the_routes_of_the_server_come_first(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        assert (await client.get(f"{url}/healthz")).text == "ok"


def test_the_charts_have_the_version_that_plotly_bundles() -> None:
    script = ASSETS / "plotly-cartesian.min.js"
    assert f"minified) v{get_plotlyjs_version()}\n" in script.read_text()[:200]


async def test_a_script_is_sent_compressed_and_kept(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        asked = f"{url}/_dash-component-suites/plotly/package_data/plotly.min.js"
        address = url + (await client.get(asked)).headers["location"]
        assert re.search(r"/assets/plotly-cartesian\.min\.js\?m=[\d.]+$", address)
        for _ in range(2):
            answer = await client.get(address)
            assert answer.headers["content-encoding"] == "gzip"
            assert "immutable" in answer.headers["cache-control"]
            assert int(answer.headers["content-length"]) < 600_000
            assert answer.text.startswith("/**\n* plotly.js (cartesian - minified)")
        whole = await client.get(address, headers={"range": "bytes=1000-", "if-range": '"x"'})
        assert (whole.status_code, whole.text) == (200, answer.text)
        plain = await client.get(address, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert len(gzip.compress(plain.content)) < 600_000


async def test_one_who_leaves_at_once_spoils_no_copy(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    path = "/assets/plotly-cartesian.min.js?m=1"
    asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n"
    with socket.create_connection((host, int(port))) as leaving:
        leaving.sendall(asked.encode())
    async with httpx2.AsyncClient() as client:
        got = (await client.get(url + path)).content
    assert got == (ASSETS / "plotly-cartesian.min.js").read_bytes()


@pytest.mark.parametrize("path", ["/_dash-layout", "/"])
async def test_pages_ask_for_nothing_but_their_own_server(url: str, path: str) -> None:
    async with httpx2.AsyncClient() as client:
        text = (await client.get(url + path)).text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
