"""The pages of weekly reports in a real browser, and on paper."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, expect

import dashboard
from reports.desk import Desk
from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fit_a_phone
from tests.dashboard.serving import serving
from tests.reports.month import BERLIN, DAY, SPECS, UNTIL, S, seed_month

NOW = (UNTIL + 2 * DAY) * S


@pytest.fixture(scope="module")
def reports_url() -> Iterator[str]:
    store = SqliteStore(":memory:")
    seed_month(store)
    desk = Desk(store)
    desk.begin([BERLIN], SPECS)
    desk.make_due(NOW, lambda *_: [])
    server = FastAPI()
    dashboard.mount(server, store, now_ns=lambda: NOW, desk=desk)
    with serving(server) as url:
        yield url
    store.close()


async def test_the_list_leads_to_a_week_that_was_told(reports_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(reports_url)
    await page.locator("#nav-reports").click()
    await expect(page.locator("#nav-reports")).to_have_class("nav-link nav-here")
    await expect(page.locator("#coming")).to_contain_text("2026-11-02 07:00 UTC")
    await page.get_by_role("link", name="Week 2026-W43").click()
    await expect(page.locator("h1")).to_have_text("Week 2026-W43")
    await expect(page.locator("#summary")).to_contain_text("frozen at")
    await expect(page.locator("#verdict")).to_contain_text("1 of 3 objectives kept")
    await expect(page.locator("#sections .panel")).to_have_count(9)
    await expect(page.locator("#sections .spark-gap")).to_have_count(1 + 7)


async def test_the_week_that_runs_says_that_it_does(reports_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{reports_url}/reports")
    await page.get_by_role("link", name="the week that runs").click()
    await expect(page.locator("h1")).to_have_text("Week 2026-W44, so far")
    await expect(page.locator("#summary")).to_contain_text("still change")


async def test_a_week_that_was_not_told_says_so(reports_url: str, watched: Watched) -> None:
    await watched.page.goto(f"{reports_url}/reports/weekly/2020-W01")
    await expect(watched.page.locator("#message")).to_contain_text("Unknown report")


async def test_a_phone_shows_the_pages_in_both_themes(reports_url: str, browser: Browser) -> None:
    await fit_a_phone(browser, reports_url, "/reports", "/reports/weekly/2026-W43")


async def test_on_paper_there_is_the_report_alone(reports_url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{reports_url}/reports/weekly/2026-W43")
    await expect(page.locator("#sections .panel")).to_have_count(9)
    await page.emulate_media(media="print", color_scheme="dark")
    await expect(page.locator("header")).to_be_hidden()
    await expect(page.locator("#nav-reports")).to_be_hidden()
    await expect(page.locator(".verdict-line")).to_be_visible()
    ground = await page.evaluate(
        "getComputedStyle(document.querySelector('.panel')).backgroundColor"
    )
    assert ground == "rgb(255, 255, 255)"
