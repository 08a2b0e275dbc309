"""The UI end to end: a real browser, a real server, a real store."""

import re
import time
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from store.sqlite import SqliteStore
from tests.dashboard.conftest import Watched
from tests.dashboard.phone import fit_a_phone
from tests.dashboard.seed import STALE_KEY, STRANGE_KEYS, new_finding
from tests.dashboard.serving import build, serving
from tests.dashboard.visiting import visit
from tests.servers import free_port


async def test_a_deep_link_as_the_very_first_request_works(url: str, watched: Watched) -> None:
    await watched.page.goto(f"{url}/key/product/{STALE_KEY}?range=6h")
    await expect(watched.page.locator("h1")).to_have_text(STALE_KEY)
    await expect(watched.page.locator("#lanes .bars path").first).to_be_visible()
    await expect(watched.page).to_have_title(f"{STALE_KEY} · product · Stalewatch")
    assert await watched.page.locator("html").get_attribute("lang") == "en"


async def test_overview_shows_freshness_findings_heat_and_coverage(
    url: str, watched: Watched
) -> None:
    page = watched.page
    await page.goto(url)
    await expect(page.locator("h1")).to_have_count(1)
    await expect(page.locator("#fresh .big")).to_contain_text("99.")
    await expect(page.locator("#fresh")).to_contain_text("2 nines supported by")
    await expect(page.locator("#findings [data-finding]")).to_have_count(2)
    await expect(page.locator("#coverage")).to_contain_text("connection refused")
    await expect(page.locator("#heat .hm image")).to_have_count(1)
    await expect(page.locator("#healed [data-finding]")).to_have_count(3)


async def test_a_new_finding_appears_without_a_reload(
    url: str, watched: Watched, seeded: SqliteStore
) -> None:
    page = watched.page
    await page.goto(url)
    await expect(page.locator("#live-words")).to_have_text("live")
    await expect(page.locator("#findings [data-finding]")).to_have_count(2)
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    seeded.write(new_finding(time.time_ns()))
    await expect(page.locator("[data-finding=f-live]")).to_contain_text("sku-1044")
    await expect(page.locator("#summary")).to_contain_text("3 open findings")
    for n in range(9):
        seeded.write(new_finding(time.time_ns(), f"sku-{n}", f"f-{n}"))
    await expect(page.locator("#findings")).to_contain_text("Not listed: 5 at redis-us")
    assert loads == []
    await page.get_by_role("link", name="5 at redis-us").click()
    await expect(page.locator("#findings [data-finding]")).to_have_count(10)


async def test_a_paused_page_stands_still_until_it_is_resumed(
    url: str, watched: Watched, seeded: SqliteStore
) -> None:
    page = watched.page
    await page.goto(url)
    await expect(page.locator("#live-words")).to_have_text("live")
    await page.click("#live")
    await expect(page.locator("#live-words")).to_have_text("paused")
    seeded.write(new_finding(time.time_ns()))
    await page.click("#live")
    await expect(page.locator("[data-finding=f-live]")).to_be_visible()
    await expect(page.locator("#live-words")).to_have_text("live")


async def test_keys_of_any_characters_are_safe_and_found(url: str, watched: Watched) -> None:
    page = watched.page
    page.on("dialog", lambda dialog: watched.errors.append(f"dialog: {dialog.message}"))
    await page.goto(f"{url}/key")
    for key in STRANGE_KEYS:
        await visit(page, f"{url}/key?q={quote(key[:3])}")
        await page.locator(".keys").get_by_role("link", name=key, exact=True).click()
        await expect(page.locator("h1")).to_have_text(key)
        await expect(page.locator("#lanes .bars path").first).to_be_visible()
        await page.reload()
        await expect(page.locator("h1")).to_have_text(key)


async def test_filters_are_in_the_address_and_back_undoes_them(url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(url)
    await expect(page.locator("#heat .ytick text")).to_have_count(8)
    await page.get_by_role("textbox", name="Layer").click()
    await page.get_by_role("option", name="regional").click()
    await expect(page).to_have_url(f"{url}/?layer=regional")
    await expect(page.locator("#heat .ytick text")).to_have_count(3)
    await page.locator("#range").get_by_text("6h", exact=True).click()
    await expect(page).to_have_url(re.compile("range=6h"))
    await page.go_back()
    await page.go_back()
    await expect(page).to_have_url(f"{url}/")
    await expect(page.locator("#heat .ytick text")).to_have_count(8)


async def test_a_square_leads_to_its_node_and_time(url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(url)
    await expect(page.locator("#heat .hm image")).to_have_count(1)
    plot = page.locator("#heat .nsewdrag").first
    box = await plot.bounding_box()
    assert box
    row, rows = 1, 11  # the first node, under the heading of its layer
    await plot.hover(position={"x": box["width"] / 3, "y": box["height"] * (row + 0.5) / rows})
    await expect(page.locator("#heat .hovertext")).to_contain_text("edge-eu-1")
    await plot.click(position={"x": box["width"] / 3, "y": box["height"] * (row + 0.5) / rows})
    await expect(page.locator("#chips")).to_contain_text("node edge-eu-1")
    await expect(page).to_have_url(re.compile("layer=edge&node=edge-eu-1&from=.*&to="))
    await expect(page.locator("#heat .ytick text")).to_have_count(1)


async def test_a_stale_square_leads_to_the_findings_of_then(url: str, watched: Watched) -> None:
    page = watched.page
    since, until = (time.time() - ago for ago in (600 + 300, 600 - 300))
    said = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) for at in (since, until)]
    await page.goto(f"{url}/?layer=edge&node=edge-us-1&from={said[0]}&to={said[1]}")
    await expect(page.locator("#findings-title")).to_have_text("Findings of this window")
    await expect(page.locator("#findings [data-finding]")).to_contain_text("sku-1031")
    await expect(page.locator("#heat .hm image")).to_have_count(1)
    await expect(page.locator("#healed [data-finding]")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
async def test_evidence_opens_in_place_and_stays_open(
    url: str, watched: Watched, seeded: SqliteStore, width: int
) -> None:
    page = watched.page
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(f"{url}/key/product/{STALE_KEY}")
    await expect(page.locator("#live-words")).to_have_text("live")
    for number in (12, 7):
        name = await page.evaluate(
            """async number => {
                const frame = () => new Promise(requestAnimationFrame);
                const find = () => document.querySelectorAll("#reads [data-read]")[number];
                const isSeen = () => {
                    const top = find()?.getBoundingClientRect().top;
                    return top > 0 && top < innerHeight;
                };
                // What was opened before may still be finding its place.
                for (let calm = 0; calm < 5; calm = isSeen() ? calm + 1 : 0) {
                    if (!isSeen()) find()?.scrollIntoView({ block: "center", behavior: "instant" });
                    await frame();
                }
                return find().dataset.read;
            }""",
            number,
        )
        top = f"document.querySelector('[data-read=\"{name}\"]').getBoundingClientRect().top"
        before = await page.evaluate(top)
        await page.locator(f'[data-read="{name}"]').get_by_text("Show").click()
        await expect(page.locator(f'.row-open[data-read="{name}"] + .row-proof')).to_be_visible()
        assert await page.evaluate(top) == pytest.approx(before, abs=3)
    seeded.write(new_finding(time.time_ns(), STALE_KEY))
    await expect(page.locator("[data-finding=f-live]")).to_have_count(1)
    await expect(page.locator(".proof")).to_be_visible()
    assert await page.evaluate("window.scrollY") > 0
    await expect(page.locator(".command").first).to_have_attribute(
        "title", re.compile("STALEWATCH_CONFIG.*--config")
    )


async def test_the_custom_range_begins_with_the_window_that_is_shown(
    url: str, watched: Watched
) -> None:
    page = watched.page
    await page.goto(f"{url}/?from=2026-05-01T10:00:00.000&to=2026-05-01T12:30:00.000")
    await page.get_by_role("button", name="Custom").click()
    await expect(page.get_by_text("From (UTC)")).to_be_visible()
    await expect(page.locator("#range-from")).to_have_text("2026-05-01 10:00:00")
    await expect(page.locator("#range-to")).to_have_text("2026-05-01 12:30:00")
    await page.get_by_role("button", name="Apply").click()
    await expect(page).to_have_url(re.compile("from=2026-05-01T10%3A00%3A00&to="))


async def test_a_phone_hides_words_that_would_cover_bands(url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(f"{url}/key/product/{STALE_KEY}")
    await expect(page.locator("#lanes .textpoint").first).to_be_visible(timeout=20_000)
    await page.set_viewport_size({"width": 390, "height": 800})
    await expect(page.locator("#lanes .textpoint").first).to_be_hidden()


async def test_a_finding_leads_to_its_key_in_an_absolute_window(url: str, watched: Watched) -> None:
    page = watched.page
    await page.goto(url)
    await page.locator("#findings").get_by_role("link", name=STALE_KEY).click()
    await expect(page).to_have_url(re.compile(r"/key/product/sku-1007\?from=.*&to="))
    await expect(page.locator("#reads [data-read]").first).to_contain_text("stale")
    await page.locator("#reads").get_by_text("Show").first.click()
    await expect(page.locator(".proof")).to_contain_text("superseded in here")
    await expect(page.locator(".proof code").last).to_contain_text("stalewatch evidence f-0002 |")
    await expect(page).to_have_url(re.compile(r"read=\d+"))


async def test_the_theme_follows_the_system_and_a_choice_is_remembered(
    url: str, browser: Browser
) -> None:
    page = await browser.new_page(color_scheme="dark")
    html = page.locator("html")
    await page.goto(url)
    await expect(page.locator("#fresh")).to_be_visible()
    await expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    await page.click("#theme-toggle")
    await expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    await page.reload()
    await expect(page.locator("#fresh")).to_be_visible()
    await expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    await page.close()


async def test_a_phone_needs_no_sideways_scrolling(url: str, browser: Browser) -> None:
    await fit_a_phone(browser, url, "/", f"/key/product/{STALE_KEY}?read=5", "/key")


async def test_an_empty_store_says_that_nothing_is_known(watched: Watched) -> None:
    page = watched.page
    store = SqliteStore(":memory:")
    with serving(build(store)) as url:
        await page.goto(url)
        await expect(page.locator("#fresh")).to_contain_text("No data yet")
        await expect(page.locator("#findings")).to_contain_text("Nothing can be said")
        await expect(page.locator("body")).not_to_contain_text("100 %")
        await visit(page, f"{url}/key/product/nowhere")
        await expect(page.locator("#lanes-empty")).to_contain_text("Unknown key")
        await visit(page, f"{url}/no/such/page")
        await expect(page.locator("h1")).to_have_text("No such page")
        await page.goto("about:blank")
    store.close()


async def test_a_lost_server_shows_in_the_badge(seeded: SqliteStore, browser: Browser) -> None:
    page, port = await browser.new_page(), free_port()
    with serving(build(seeded), port) as url:
        await page.goto(url)
        await expect(page.locator("#live-words")).to_have_text("live")
    await expect(page.locator("#live-words")).to_have_text("reconnecting", timeout=15_000)
    with serving(build(seeded), port):
        await expect(page.locator("#live-words")).to_have_text("live", timeout=30_000)
        await page.close()
