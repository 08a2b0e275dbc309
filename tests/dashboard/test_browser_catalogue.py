"""The page of the catalogue, end to end."""

import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fit_a_phone
from tests.dashboard.seed import SECOND, seed
from tests.dashboard.seed_catalogue import LAYERS, documents, seed_catalogue
from tests.dashboard.serving import build, serving
from tests.dashboard.visiting import visit


@pytest.fixture
def documented() -> Iterator[SqliteStore]:
    store, now = SqliteStore(":memory:"), time.time_ns()
    seed(store, now)
    seed_catalogue(store, now)
    yield store
    store.close()


@pytest.fixture
def documented_url(documented: SqliteStore) -> Iterator[str]:
    with serving(build(documented)) as address:
        yield address


async def test_what_is_documented_stands_beside_what_was_observed(
    documented_url: str, watched: Watched
) -> None:
    page = watched.page
    await page.goto(documented_url)
    await page.locator("#nav-catalogue").click()
    await expect(page.locator("#nav-catalogue")).to_have_class("nav-link nav-here")
    await expect(page).to_have_title("Catalogue · Stalewatch")
    await expect(page.locator("[data-layer]")).to_have_count(3)
    await expect(page.locator("#summary")).to_contain_text("1 drift proven · 2 suggested")
    ttl = page.locator('[data-layer=regional] [data-compared="ttl"]')
    await expect(ttl).to_contain_text("600 s ± 30 s")
    await expect(ttl).to_contain_text("an entry had 86,000 s left, of 630 s at most")
    await expect(ttl.locator(".pill-bad")).to_have_text("drifts")
    heard = page.locator('[data-layer=edge] [data-compared="subscription"]')
    await expect(heard.locator(".pill-warn")).to_have_text("may drift")
    promise = page.locator("[data-layer=in-process] .facts")
    await expect(promise).to_contain_text("in-process 30 s, above the maximum")
    await expect(promise).to_contain_text("2 min 30 s")
    keyspace = page.locator("[data-keyspace=product]")
    await expect(keyspace).to_contain_text("/products/{key} · version header X-Version")


async def test_a_change_of_the_documents_appears_in_the_history(
    documented_url: str, watched: Watched, documented: SqliteStore
) -> None:
    page = watched.page
    await page.goto(f"{documented_url}/catalogue")
    newest = page.locator("[data-change]").first
    await expect(newest).to_contain_text("max staleness")
    await expect(page.locator("#live-words")).to_have_text("live")
    changed = {**LAYERS["edge"], "max_staleness_ns": 9 * SECOND, "owner": ""}
    documented.write_catalogue(documents(edge=changed), time.time_ns())
    await expect(newest).to_contain_text("team-edge")
    await expect(newest).to_contain_text("9 s")
    await expect(page.locator("[data-layer=edge]")).to_contain_text("nobody is named")


async def test_filters_leave_a_layer(documented_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{documented_url}/catalogue?layer=edge")
    await expect(page.locator("[data-layer]")).to_have_count(1)
    await visit(page, f"{documented_url}/catalogue?keyspace=none")
    await expect(page.locator("#keyspaces")).to_contain_text("Nothing is documented")


async def test_a_phone_needs_no_sideways_scrolling(documented_url: str, browser: Browser) -> None:
    await fit_a_phone(browser, documented_url, "/catalogue")


async def test_an_empty_store_documents_nothing(watched: Watched) -> None:
    store = SqliteStore(":memory:")
    with serving(build(store)) as url:
        await watched.page.goto(f"{url}/catalogue")
        await expect(watched.page.locator("#layers")).to_contain_text("Nothing is documented")
        await expect(watched.page.locator("#history")).to_contain_text("Nothing was documented yet")
        await watched.page.goto("about:blank")
    store.close()
