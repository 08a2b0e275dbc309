"""The pages of invalidations and alerts, end to end."""

import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fit_a_phone
from tests.dashboard.seed import seed
from tests.dashboard.seed_traces import SPREAD, seed_traces
from tests.dashboard.serving import build, serving
from tests.dashboard.visiting import visit

ONE = f"/invalidations/{quote(SPREAD, safe='')}"


@pytest.fixture
def told() -> Iterator[SqliteStore]:
    store, now = SqliteStore(":memory:"), time.time_ns()
    seed(store, now)
    seed_traces(store, now)
    yield store
    store.close()


@pytest.fixture
def told_url(told: SqliteStore) -> Iterator[str]:
    with serving(build(told)) as address:
        yield address


async def test_the_list_leads_to_the_waterfall_of_one(told_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{told_url}/invalidations")
    await expect(page.locator("#nav-invalidations")).to_have_class("nav-link nav-here")
    await expect(page.locator("[data-invalidation]")).to_have_count(14)
    regional = page.locator('[data-lag="regional claimed"]')
    await expect(regional).to_contain_text("1 missing")
    await expect(regional).to_contain_text("by two clocks")
    await expect(page.locator('[data-lag="in-process claimed"]')).to_have_count(0)
    await page.locator(f'[data-invalidation="{SPREAD}"] a').click()
    await expect(page.locator("h1")).to_have_text(SPREAD)
    await expect(page.locator("#spread .bars path").first).to_be_visible()
    silent = page.locator('[data-node="regional/redis-us-2"]')
    await expect(silent).to_contain_text("this alone proves nothing")
    await expect(page.locator('[data-node="regional/<u>ghost"]')).to_contain_text(
        "not in the catalogue"
    )
    await page.reload()
    await expect(page.locator("h1")).to_have_text(SPREAD)


async def test_what_each_layer_shows_after_so_long(told_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{told_url}/invalidations")
    edge = page.locator('[data-visibility="edge"]')
    await expect(edge).to_contain_text("70 %")
    await expect(edge).to_contain_text("90 behind")
    await expect(edge).to_contain_text("skipped")
    await expect(page.locator('[data-visibility="regional"]')).to_contain_text("none behind")
    await visit(page, f"{told_url}/invalidations?layer=regional")
    await expect(page.locator("[data-visibility]")).to_have_count(1)


async def test_an_id_that_browsers_fold_away_is_found(told_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{told_url}/invalidations")
    await page.locator('[data-invalidation=".."] a').click()
    await expect(page.locator("h1")).to_have_text("..")
    await expect(page.locator('[data-node="edge/edge-eu-1"]')).to_contain_text("clocks disagree")


async def test_a_filter_leaves_one_layer(told_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{told_url}/invalidations?layer=edge")
    await expect(page.locator('[data-lag="edge claimed"]')).to_be_visible()
    await expect(page.locator('[data-lag="regional claimed"]')).to_have_count(0)


async def test_alerts_tell_why_and_what_became_of_their_deliveries(
    told_url: str, watched: Watched, told: SqliteStore
) -> None:
    page = watched.page
    await page.goto(f"{told_url}/alerts")
    firing = page.locator("[data-alert=a-lag]")
    await expect(firing).to_contain_text("6.3 s claimed for <b>sku</b>-spread")
    fates = {"n-owed": "owed", "n-retried": "451", "n-done": "delivered", "n-dead": "dead letter"}
    for id, words in fates.items():
        await expect(page.locator(f"[data-delivery={id}]")).to_contain_text(words)
    frozen = page.locator("[data-alert=a-frozen]")
    await expect(frozen).to_contain_text("frozen")
    outward = frozen.get_by_role("link", name="Open the view")
    await expect(outward).to_have_attribute("href", "/evil.example/x")
    await expect(page.locator("#pending [data-alert=a-new]")).to_be_visible()
    await expect(page.locator("#summary")).to_contain_text("2 firing")
    over = [replace(row, state="resolved") for row in told.alerts() if row.id == "a-lag"]
    told.write_alerts(over, [], [])
    await expect(page.locator("#resolved [data-alert=a-lag]")).to_be_visible()
    await page.locator("[data-alert=a-lag]").get_by_role("link", name="Open the view").click()
    await expect(page.locator("h1")).to_have_text(SPREAD)


async def test_a_phone_shows_the_pages_in_both_themes(told_url: str, browser: Browser) -> None:
    await fit_a_phone(browser, told_url, "/invalidations", ONE, "/alerts")


async def test_an_empty_store_says_how_to_send_traces(watched: Watched) -> None:
    page = watched.page
    store = SqliteStore(":memory:")
    with serving(build(store)) as url:
        await page.goto(f"{url}/invalidations")
        await expect(page.locator("#invalidations")).to_contain_text("docs/otlp.md")
        await visit(page, f"{url}/invalidations/nowhere")
        await expect(page.locator("#message")).to_contain_text("Unknown invalidation")
        await visit(page, f"{url}/alerts")
        await expect(page.locator("#firing")).to_contain_text("Nothing fires")
        await page.goto("about:blank")
    store.close()
