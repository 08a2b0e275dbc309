"""The pages of drift and coverage, end to end."""

import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from store.base import Batch, NodeRow
from store.gaps import GapRow
from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fit_a_phone
from tests.dashboard.seed import SECOND, STALE_KEY, seed
from tests.dashboard.seed_traces import seed_traces
from tests.dashboard.serving import build, serving
from tests.dashboard.visiting import visit


@pytest.fixture
def told() -> Iterator[SqliteStore]:
    store, now = SqliteStore(":memory:"), time.time_ns()
    seed(store, now)
    seed_traces(store, now)
    store.write_gaps([GapRow("orders", now - 300 * SECOND, None, "the connection was lost")])
    lost = NodeRow("", "shop-db", "eu", "postgresql", "", "", 0, "unknown", "refused", "",
                   now - 60 * SECOND, None)  # fmt: skip
    store.write(Batch(nodes=[lost]))
    yield store
    store.close()


@pytest.fixture
def told_url(told: SqliteStore) -> Iterator[str]:
    with serving(build(told)) as address:
        yield address


async def test_a_key_whose_copies_differ_leads_to_its_page(told_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{told_url}/drift")
    await expect(page.locator("#nav-drift")).to_have_class("nav-link nav-here")
    row = page.locator(f'[data-apart="{STALE_KEY}"]')
    await expect(row.locator(".behind-1")).to_have_count(1)
    assert "edge-eu-2" in (await row.locator(".behind-1").get_attribute("title") or "")
    proven = page.locator(f'[data-drift="{STALE_KEY}"]').first
    await expect(proven).to_contain_text("beyond the promise")
    await expect(proven).to_contain_text("refill race")
    await expect(page.locator("#apart")).to_contain_text("normal while a change spreads")
    await expect(page.locator("#went-back")).to_contain_text("None in")
    await row.get_by_role("link", name=STALE_KEY).click()
    await expect(page.locator("h1")).to_have_text(STALE_KEY)


async def test_coverage_says_what_it_cannot_see(told_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{told_url}/coverage")
    await expect(page.locator("#nav-coverage")).to_have_class("nav-link nav-here")
    await expect(page.locator("[data-cover]")).to_have_count(3)
    await expect(page.locator('[data-cover="product/edge"]')).to_contain_text("keys")
    await expect(page.locator("#unseen")).to_contain_text("only found by the walk")
    await expect(page.locator("#unseen")).to_contain_text("No sweep ever")
    await expect(page.locator('[data-lost="source orders"]')).to_contain_text("goes on")
    await expect(page.locator('[data-lost="origin shop-db"]')).to_contain_text("refused")
    await visit(page, f"{told_url}/coverage?layer=edge")
    await expect(page.locator("[data-cover]")).to_have_count(1)


async def test_a_phone_shows_the_pages_in_both_themes(told_url: str, browser: Browser) -> None:
    await fit_a_phone(browser, told_url, "/drift", "/coverage")


async def test_an_empty_store_says_that_nothing_was_compared(watched: Watched) -> None:
    page = watched.page
    store = SqliteStore(":memory:")
    with serving(build(store)) as url:
        await page.goto(f"{url}/drift")
        await expect(page.locator("#matrix")).to_contain_text("Nothing was compared")
        await visit(page, f"{url}/coverage")
        await expect(page.locator("#unseen")).to_contain_text("Nothing can be said")
        await expect(page.locator("body")).not_to_contain_text("100 %")
        await page.goto("about:blank")
    store.close()
