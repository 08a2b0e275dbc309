"""The page of nodes, end to end."""

import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from store.counters import CounterRow
from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fits_in_both_themes, phone_page
from tests.dashboard.seed import SECOND, seed
from tests.dashboard.seed_counters import seed_counters
from tests.dashboard.serving import build, serving
from tests.dashboard.visiting import visit


@pytest.fixture
def counted() -> Iterator[SqliteStore]:
    store, now = SqliteStore(":memory:"), time.time_ns()
    seed(store, now)
    seed_counters(store, now)
    yield store
    store.close()


@pytest.fixture
def counted_url(counted: SqliteStore) -> Iterator[str]:
    with serving(build(counted)) as address:
        yield address


async def test_nodes_are_told_by_what_they_count(
    counted_url: str, counted: SqliteStore, watched: Watched
) -> None:
    page = watched.page
    await page.goto(counted_url)
    await page.locator("#nav-nodes").click()
    await expect(page.locator("h1")).to_have_text("Nodes")
    await expect(page.locator("#nav-nodes")).to_have_class("nav-link nav-here")
    for chart in ("hit-rate", "evictions", "requests", "memory"):
        await expect(page.locator(f"#{chart} .scatterlayer path.js-line").first).to_be_visible()
    redis = page.locator('[data-counted="regional/redis-eu"]')
    await expect(redis).to_have_count(2)
    await expect(redis.last).to_contain_text("by prometheus main")
    await expect(redis.first).to_contain_text("besides 176,400 of ours")
    dead = page.locator('[data-counted="regional/redis-us-2"]')
    await expect(dead).to_contain_text("connection refused")
    await expect(page.locator('[data-counted="regional/redis-us"]')).to_contain_text("1 restart")
    await expect(page.locator("#counted")).to_contain_text("Nobody counts at shop-eu-1, shop-us-1")
    start_s = time.time_ns() // SECOND // 60 * 60
    counted.write_counters([CounterRow(start_s, "edge", "<b>new", "node", answered=1)])
    await expect(page.locator('[data-counted="edge/<b>new"]')).to_contain_text("not yet known")
    await visit(page, f"{counted_url}/nodes?layer=edge")
    await expect(page.locator('[data-counted="edge/edge-eu-1"]')).to_be_visible()
    await expect(page.locator('[data-counted^="regional"]')).to_have_count(0)


async def test_a_phone_shows_the_page_in_both_themes(counted_url: str, browser: Browser) -> None:
    page = await phone_page(browser)
    await page.goto(f"{counted_url}/nodes")
    await expect(page.locator("h1")).to_be_visible()
    for last in ("#nav-alerts", "#theme-toggle"):
        await expect(page.locator(last)).to_be_in_viewport()
        box = await page.locator(last).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    await fits_in_both_themes(page)
    await page.close()


async def test_a_store_without_counters_says_where_they_come_from(watched: Watched) -> None:
    page, store = watched.page, SqliteStore(":memory:")
    with serving(build(store)) as url:
        await page.goto(f"{url}/nodes")
        await expect(page.locator("#counted")).to_contain_text("No node was counted")
        await expect(page.locator("#charts")).to_be_hidden()
        seed(store, time.time_ns())
        await page.reload()
        await expect(page.locator("#counted")).to_contain_text("8 nodes known, and none")
        await page.goto("about:blank")
    store.close()
