"""The mail of a weekly report, through a real SMTP server."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from alerts.fallback import OLD_NEWS_NS
from alerts.letter import message_id
from alerts.mail import MailChannel, MailOptions
from alerts.outbox import Outbox
from alerts.report_letter import compose_report, owe_report
from reports.document import ReportDocument
from reports.make import make_report
from store.base import Store
from store.sqlite import SqliteStore
from tests.reports.month import SPECS, UNTIL, S, ask, seed_month
from tests.servers.smtp import HOST, MailServer

A, B = "a@example.com", "b@example.com"
SENDER, UI = "sw@example.com", "https://ops.example.com/"
NOW = UNTIL * S


@pytest.fixture(scope="module")
def document() -> Iterator[ReportDocument]:
    store = SqliteStore(":memory:")
    seed_month(store)
    yield make_report(store, SPECS, ask())
    store.close()


@pytest.fixture
def book() -> Iterator[Store]:
    store = SqliteStore(":memory:")
    yield store
    store.close()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as running:
        yield running


def outbox(book: Store, server: MailServer, now_ns: int = NOW) -> Outbox:
    options = {"smtp": f"{HOST}:{server.port}", "tls": "none", "from": SENDER, "to": [B]}
    channel = MailChannel(MailOptions.model_validate(options), UI)
    return Outbox(book, {"sre": channel}, lambda: now_ns, lambda: 0.9)


def html_of(document: ReportDocument) -> str:
    letter = compose_report(owe_report("sre", [A], document, NOW), SENDER, UI)
    body = letter.get_body(("html",))
    assert body is not None
    return str(body.get_content())


async def test_it_reaches_its_subscribers_and_nobody_else_of_the_channel(
    book: Store, server: MailServer, document: ReportDocument
) -> None:
    book.write_alerts([], [], [owe_report("sre", [A], document, NOW)])
    await outbox(book, server).deliver_due()
    (mail,) = server.mails
    assert (mail.to, mail.message["To"]) == ((A,), A)
    assert mail.id == message_id("report:weekly:2026-W43", SENDER)
    assert mail.message["Subject"] == "[stalewatch] weekly report: missed, week 2026-W43"
    text, html = (part.get_content() for part in mail.message.iter_parts())
    for told in ("1 of 3 objectives kept", "−29 %", "product-fresh", "169 hours", "team-catalogue"):
        assert told in text
        assert told in html
    assert f"{UI}reports/weekly/2026-W43" in text
    assert f'href="{UI}reports/weekly/2026-W43"' in html
    assert "<img" not in html
    assert "http-equiv" not in html


async def test_whoever_refused_is_asked_again_alone(
    book: Store, server: MailServer, document: ReportDocument
) -> None:
    book.write_alerts([], [], [owe_report("sre", [A, B], document, NOW)])
    server.refusals[A] = "451 4.7.1 come again"
    await outbox(book, server).deliver_due()
    server.refusals.clear()
    await outbox(book, server, NOW + 60 * S).deliver_due()
    first, second = server.mails
    assert (first.to, second.to) == ((B,), (A,))
    assert first.raw == second.raw


def test_the_same_report_is_the_same_bytes(document: ReportDocument) -> None:
    row = owe_report("sre", [A], document, NOW)
    assert compose_report(row, SENDER, UI).as_bytes() == compose_report(row, SENDER, UI).as_bytes()


def test_what_is_not_known_is_no_bar(document: ReportDocument) -> None:
    html = html_of(document)
    assert html.count('class="day gap"') == 1 + 7  # a Thursday, and all days of what has no data
    assert html.count('class="day"') == 7 + 6


def test_names_are_no_markup_and_no_links(document: ReportDocument) -> None:
    nasty = '<b onclick="x()">http://evil.example</b>\r\nBcc: c@example.com'
    finding = replace(document.findings.worst[0], key=nasty)
    hostile = replace(document, owner=nasty, findings=replace(document.findings, worst=(finding,)))
    html = html_of(hostile)
    assert "<b onclick" not in html
    assert "http://evil" not in html
    letter = compose_report(owe_report("sre", [A], hostile, NOW), SENDER, UI)
    assert letter["Bcc"] is None


def test_a_mail_of_many_objectives_is_not_cut_by_mail_programs(document: ReportDocument) -> None:
    many = replace(document, objectives=document.objectives * 17)
    assert html_of(many).count("product-fresh") >= 17
    assert len(html_of(many)) < 102_000


def test_no_other_channel_is_told_in_place_of_it(book: Store, document: ReportDocument) -> None:
    book.write_alerts([], [], [owe_report("sre", [A], document, NOW)])
    assert book.overdue("sre", "chat", NOW + OLD_NEWS_NS, 0) == []
