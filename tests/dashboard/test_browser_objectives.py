"""The pages of objectives in a real browser."""

import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fit_a_phone
from tests.dashboard.seed_objectives import seed_objectives
from tests.dashboard.serving import build, serving
from tests.dashboard.visiting import visit


@pytest.fixture(scope="module")
def measured_url() -> Iterator[str]:
    store = SqliteStore(":memory:")
    objectives = seed_objectives(store, time.time_ns())
    with serving(build(store, objectives=objectives)) as url:
        yield url
    store.close()


async def test_the_list_says_what_is_kept_and_what_is_not_known(
    measured_url: str, watched: Watched
) -> None:
    page = watched.page
    await page.goto(measured_url)
    await page.locator("#nav-objectives").click()
    await expect(page.locator("#nav-objectives")).to_have_class("nav-link nav-here")
    await expect(page.locator("h1")).to_have_text("Objectives")
    fresh = page.locator("[data-objective=product-fresh]")
    await expect(fresh).to_contain_text("99.73 %")
    await expect(fresh).to_contain_text("73.6 %")
    await expect(page.locator("[data-objective=product-strict]")).to_contain_text("exhausted")
    silent = page.locator("[data-objective=order-fresh]")
    await expect(silent).to_contain_text("no data")
    await expect(silent.locator(".budget")).to_have_count(0)


async def test_one_objective_says_where_its_budget_went(
    measured_url: str, watched: Watched
) -> None:
    page = watched.page
    await page.goto(f"{measured_url}/objectives")
    await page.get_by_role("link", name="product-fresh").click()
    await expect(page.locator("h1")).to_have_text("product-fresh")
    await expect(page.locator("#burn-down .main-svg").first).to_be_visible()
    await expect(page.locator("#burns")).to_contain_text("the long window does not exceed it")
    await expect(page.locator("#blame")).to_contain_text("e1 · edge · product")
    await expect(page.locator("#unknowns")).to_contain_text("of 2,880 expected")
    await visit(page, f"{measured_url}/objectives/nowhere")
    await expect(page.locator("#message")).to_contain_text("Unknown objective")
    await visit(page, f"{measured_url}/objectives/order-fresh")
    await expect(page.locator("#figures")).to_contain_text("measuring has stopped")


async def test_a_phone_shows_the_pages_in_both_themes(measured_url: str, browser: Browser) -> None:
    await fit_a_phone(browser, measured_url, "/objectives", "/objectives/product-fresh")


async def test_without_an_objective_the_page_says_how_to_declare_one(watched: Watched) -> None:
    page, store = watched.page, SqliteStore(":memory:")
    with serving(build(store)) as url:
        await page.goto(f"{url}/objectives")
        await expect(page.locator("#objectives")).to_contain_text("No objective is declared")
        await expect(page.locator("#objectives")).to_contain_text("window: 28d")
        await page.goto("about:blank")
    store.close()
