"""Silencing and acknowledging on the page of alerts, against the whole application."""

import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from store.silences import Matcher, SilenceRow
from store.sqlite import SqliteStore
from tests.dashboard.phone import fits_in_both_themes
from tests.dashboard.seed import seed
from tests.dashboard.seed_traces import seed_traces
from tests.stalewatch.serving import make_app, served

HOUR = 3_600 * 10**9


@pytest.fixture(scope="module")
def store() -> Iterator[SqliteStore]:
    opened = SqliteStore()
    seed(opened, time.time_ns())
    seed_traces(opened, time.time_ns())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(store: SqliteStore) -> Iterator[str]:
    with served(make_app(store, now_ns=time.time_ns)) as port:
        yield f"http://127.0.0.1:{port}"


async def test_an_alert_is_acknowledged(url: str, browser: Browser, store: SqliteStore) -> None:
    page = await browser.new_page()
    await page.goto(f"{url}/alerts")
    # Until then the page may be drawn anew, and without what was told on it.
    await expect(page.locator("#live-words")).to_have_text("live")
    card = page.locator("[data-alert=a-lag]")
    await card.get_by_role("button", name="Acknowledge").click()
    await expect(card.locator(".said")).to_contain_text("nobody logs in here")
    await page.locator("#silence-creator").fill("ana")
    await card.get_by_role("button", name="Acknowledge").click()
    await expect(card).to_contain_text("Acknowledged by")
    await expect(card.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert [(each.alert, each.by) for each in store.acks()] == [("a-lag", "ana")]
    await page.close()


async def test_an_alert_is_silenced_and_the_silence_is_ended(
    url: str, browser: Browser, store: SqliteStore
) -> None:
    page = await browser.new_page()
    await page.goto(f"{url}/alerts")
    card = page.locator("[data-alert=a-lag]")
    await card.get_by_role("button", name="Silence").click()
    await expect(page.locator("#silence-matchers")).to_have_value(
        "layer=edge\nnode=edge-us-1\nrule=edge-lag"
    )
    await page.locator("#silence-creator").fill("ana")
    await page.locator("#silence-comment").fill("a <b>deploy</b>")
    await page.locator("#silence-form button").click()
    await expect(page.locator("#silence-said")).to_have_text("Silenced.")
    await expect(card).to_contain_text("ana until")
    (row,) = store.silences(time.time_ns())
    assert row.matchers[2] == Matcher("rule", "=", "edge-lag")
    listed = page.locator(f"[data-silence='{row.id}']")
    await expect(listed).to_contain_text("1 alert: edge-lag edge edge-us-1")
    await expect(listed).to_contain_text("a <b>deploy</b>")
    await listed.get_by_role("button", name="End now").click()
    await expect(listed).to_contain_text("ended")
    await page.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"matchers": "node"}, "expected name=value", id="no matcher"),
        pytest.param({"matchers": "node=~("}, "RE2", id="no expression"),
        pytest.param({"for": "soon"}, "expected a duration", id="no duration"),
        pytest.param({"comment": ""}, "comment", id="no reason"),
    ],
)
async def test_what_cannot_be_meant_is_told(
    url: str, browser: Browser, given: dict[str, str], said: str
) -> None:
    page = await browser.new_page()
    await page.goto(f"{url}/alerts?silence=node%3Dr1")
    await expect(page.locator("#silence-matchers")).to_have_value("node=r1")
    filled = {"creator": "ana", "comment": "a deploy", **given}
    for name, text in filled.items():
        await page.locator(f"#silence-{name}").fill(text)
    await page.locator("#silence-form button").click()
    await expect(page.locator("#silence-said")).to_contain_text(said, timeout=20_000)
    await page.close()


@pytest.mark.parametrize("width", [1280, 390])
async def test_it_fits_any_screen_in_both_themes(
    url: str, browser: Browser, store: SqliteStore, width: int
) -> None:
    now = time.time_ns()
    for id, starts, ends in (("s-now", -1, 2), ("s-soon", 1, 3), ("s-over", -3, -1)):
        matchers = (Matcher("node", "=~", "edge-.*"), Matcher("rule", "!=", "x" * 60))
        store.write_silence(
            SilenceRow(id, matchers, "ana", "a deploy", now + starts * HOUR, now + ends * HOUR, now)
        )
    page = await browser.new_page(viewport={"width": width, "height": 900})
    await page.goto(f"{url}/alerts?silence=node%3Dr1%0Alayer%3Dedge")
    for state in ("active", "coming", "ended"):
        await expect(page.locator("#silences")).to_contain_text(state, timeout=20_000)
    await fits_in_both_themes(page, width)
    await page.close()
