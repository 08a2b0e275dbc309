"""From stored reads to the bars of a mail: a rule, a real mail server, and a real browser."""

from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage

import pytest
from playwright.async_api import Browser, Locator

from alerts.base import Message
from alerts.engine import Engine
from alerts.groups import GroupTiming
from alerts.mail import MailChannel, MailOptions
from alerts.notices import Audience
from alerts.rules import Staleness
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from stalewatch.delivery import DeliveryTask
from store.base import Batch, Store
from store.sqlite import SqliteStore
from tests.servers import eventually
from tests.servers.smtp import HOST, MailServer
from tests.store.rows import S, finding, node

NOW = 1_699_999_980 * S
"""Long ago, so that it is due. A minute begins: nothing of it was read yet."""
KEY = '"><script>alert(1)</script>\r\nhttps://evil.test/'
NODE = "r1<b>"
STALE_S = {minute: 10 - minute for minute in range(1, 10)}
"""How stale reads were, by minutes ago; before that all was fresh, but for a gap."""
GAP = range(20, 26)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    cells = {}
    for ago in range(1, 60):
        if ago not in GAP:
            key = RollupKey(NOW // S - 60 * ago, "product", "regional", NODE, "walk", 2 * S, "d1")
            cells[key] = cell = Rollup()
            cell.add(Reads(Verdict.FRESH, 0, S, n=20))
            if ago in STALE_S:
                cell.add(Reads(Verdict.STALE, STALE_S[ago] * S, None))
    found = finding("f1", key=KEY, node=NODE, lower_ns=9 * S)
    opened.write(Batch(nodes=[node(NODE)], rollups=cells, findings=[found]))
    yield opened
    opened.close()


@pytest.fixture
async def mail(store: Store) -> AsyncIterator[EmailMessage]:
    """What the rule made of the store, as the mail server took it."""
    rule = Staleness(name="stale", layer="regional", channels=("sre",), mode="notify")
    told = {"sre": Audience(["sre@example.com"], timing=GroupTiming(0, 0, 3_600 * S))}
    Engine(store, [rule], told).evaluate(NOW)
    task = DeliveryTask(store, lambda _: None)
    async with MailServer() as server:
        given = {"smtp": f"{HOST}:{server.port}", "tls": "none", "from": "sw@example.com"}
        options = MailOptions.model_validate({**given, "to": ["sre@example.com"]})
        task.start({"sre": MailChannel(options, "https://ops.example.com/")})
        await eventually(lambda: server.mails, "the mail")
        await task.stop()
        yield server.mails[0].message


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_the_numbers_of_the_store_come_to_the_mail(store: Store, mail: EmailMessage) -> None:
    (row,) = store.notifications()
    (alert,) = Message.from_payload(row.payload).alerts
    assert alert.chart is not None
    said = list(reversed(alert.chart.values))
    # The lower end of a bucket of the histogram, which is 9 % wide.
    assert said[1:10] == [pytest.approx(STALE_S[ago], rel=0.09) for ago in STALE_S]
    assert [ago for ago, value in enumerate(said) if value is None] == [0, *GAP]
    text = body(mail, "plain")
    assert "Largest proven staleness at regional/r1<b>, by minute" in text
    assert "▁" * 34 + "·" * 6 + "▁" * 10 + "▂▃▃▄▅▆▆▇█·" in text
    assert "limit 2 s, 7 of 60 without data (·)" in text


async def test_names_from_outside_stay_text(mail: EmailMessage) -> None:
    html = body(mail, "html")
    assert "<script" not in html
    assert "r1<b>" not in html
    assert "r1&lt;b&gt;, by minute" in html
    assert html.count("evil.test") == html.count("%2Fevil.test"), "in a link to our own page alone"


@pytest.mark.parametrize("width", [600, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_bars_stand_as_high_as_they_say(
    mail: EmailMessage, browser: Browser, width: int, scheme: str
) -> None:
    page = await browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await page.set_content(body(mail, "html"))
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    chart = page.get_by_role("img")
    assert "highest 8.59 s" in (await chart.get_attribute("aria-label") or "")
    rows = await chart.locator("tr").all()
    assert len(rows) == 2
    heights = [await _heights(row) for row in rows]
    whole = [above + below for above, below in zip(*heights, strict=True)]
    assert len(whole) == 60
    known = [whole[59 - ago] for ago in sorted(STALE_S, reverse=True)]
    assert known == sorted(known)
    assert known[-1] == 64
    assert known[0] == pytest.approx(64 / 9, abs=2)
    assert {whole[59 - ago] for ago in range(10, 60)} == {0}
    gap = chart.locator("tr").last.locator("td.none").first
    colours = [await _background(gap), await _background(page.locator(".card"))]
    assert colours[0] != colours[1]
    await page.close()


async def _heights(row: Locator) -> list[float]:
    """Of each column its bar, as it is laid out; a cell may be several columns."""
    return [
        height
        for span, height in await row.evaluate(
            "row => [...row.cells].map(cell => [cell.colSpan,"
            " cell.firstElementChild ? cell.firstElementChild.offsetHeight : 0])"
        )
        for _ in range(span)
    ]


async def _background(of: Locator) -> str:
    return str(await of.evaluate("each => getComputedStyle(each).backgroundColor"))
