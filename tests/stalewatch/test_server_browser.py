"""The application as people meet it: a password, a real proxy, a path, and a page that is live."""

import time

from playwright.async_api import Browser, HttpCredentials, expect

from stalewatch.auth import Basic
from store.sqlite import SqliteStore
from tests.dashboard.seed import new_finding, seed
from tests.servers import NginxServer
from tests.stalewatch.serving import make_app, served

PROXY = """
location /tools/sw/ {{
  proxy_pass http://127.0.0.1:{port}/;
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
}}
"""
UPGRADES = 'map $http_upgrade $connection_upgrade { default upgrade; "" close; }'


async def test_the_page_is_live_behind_a_proxy_with_a_password(browser: Browser) -> None:
    store = SqliteStore()
    seed(store, time.time_ns())
    # The proxy's port must be known before the application is: it is half of the external URL.
    proxy = NginxServer(http=UPGRADES)
    app = make_app(
        store,
        now_ns=time.time_ns,
        auth=Basic("sre", lambda: "secret"),
        external_path="/tools/sw/",
        external_origin=proxy.url,
    )
    with served(app) as port:
        proxy.server = PROXY.format(port=port)
        with proxy:
            await _watch_live(browser, f"{proxy.url}/tools/sw/", store)
    store.close()


async def _watch_live(browser: Browser, url: str, store: SqliteStore) -> None:
    context = await browser.new_context(
        http_credentials=HttpCredentials(username="sre", password="secret")
    )
    page = await context.new_page()
    errors: list[str] = []
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{url}key/product/sku-1007")
    await expect(page.locator("h1")).to_have_text("sku-1007")
    await page.locator("#nav-overview").click()
    await expect(page.locator("#live-words")).to_have_text("live", timeout=20_000)
    await expect(page.locator("#findings [data-finding]")).to_have_count(2)
    store.write(new_finding(time.time_ns()))
    await expect(page.locator("[data-finding=f-live]")).to_be_visible(timeout=20_000)
    await context.close()
    assert errors == []
