"""What a mail says, and what hostile names cannot make it say."""

import json
import re
from dataclasses import asdict, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import pytest

from alerts.base import Message, ToldAlert
from alerts.groups import Occasion
from alerts.letter import MOST_ALERTS, compose, message_id
from alerts.shown import shown
from store.alert_book import NotificationRow
from tests.alerts.letters import ALERT, CHART, START, about, ended, notification

SENDER, TO = "sw@example.com", ["sre@example.com", "lead@example.com"]
UI = "https://ops.example.com/stalewatch/"
HOSTILE = [
    pytest.param("a\r\nBcc: eve@evil.test\r\n\r\nhello", id="line ends"),
    pytest.param("<script>alert(1)</script><img src=x onerror=alert(1)>", id="markup"),
    pytest.param('"><a href="https://evil.test/">click</a>', id="a link out of an attribute"),
    pytest.param("https://evil.test/login", id="an address"),
    pytest.param("www.evil.test", id="the name of a host"),
    pytest.param("eve@evil.test", id="a mail address"),
    pytest.param("javascript:alert(1)", id="a script as an address"),
    pytest.param("\u202egnp.tpircs\u2066\u200f\u200b\ufeff", id="marks of direction"),
    pytest.param("{{ 7 * 7 }}{% raw %}${7*7}", id="a template"),
    pytest.param("x" * 100_000, id="very long"),
    pytest.param("\x00\x1b[31m\x7f\u2028\u0085\ud800", id="control characters"),
    pytest.param("=?utf-8?q?=0D=0ABcc:_eve@evil.test?=", id="an encoded word"),
]
MOVES = re.compile("[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Links(HTMLParser):
    """The tags of a document, and where it links to or loads from."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = [(name, value or "") for name, value in attrs]
        self.targets += [value for name, value in named if name in {"href", "src", "background"}]
        self.handlers += [name for name, _ in named if name.startswith("on")]


def sent(row: NotificationRow, base_url: str = UI) -> EmailMessage:
    """As a mail program reads it."""
    raw = compose(row, SENDER, TO, base_url).as_bytes()
    return message_from_bytes(raw, EmailMessage, policy=default)


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def everywhere(text: str) -> Message:
    alert = replace(
        ALERT,
        id=text,
        rule=text,
        summary=text,
        reason=text,
        labels={"layer": text, "key": text, text: text},
        figures={text: text},
        evidence=[text] * 30,
        cause=text,
        finding=text,
        chart=replace(CHART, title=text),
    )
    usual = about(alert, replace(alert, status="resolved", ends_at_ns=START))
    return replace(usual, group={"rule": text, "key": text, text: text}, occasion=text)


def counted() -> Message:
    """Two alerts, as in `everywhere`."""
    return about(replace(ALERT, chart=CHART), ended())


def test_it_says_what_broke_and_how_to_see_it() -> None:
    mail = sent(notification())
    for kind in ("plain", "html"):
        said = body(mail, kind)
        figures = ("4.1 – 4.3 s", "16.2 times")
        for told in (ALERT.summary, "2027-01-15 07:58:00 UTC", "eu-edge-1", *figures):
            assert told in said
        assert "lost invalidation" in said
        assert "stalewatch evidence f-12ab | stalewatch judge -" in said
        assert UI + "key/product/42?from=2027-01-15T07:45:00.000&" in said.replace("&amp;", "&")
    assert '  {"type":"cache_read","version":6}' in body(mail, "plain")


def test_its_head_is_that_of_a_machine_and_of_a_thread() -> None:
    first = sent(notification("n1"))
    assert (first["From"], first["To"]) == (SENDER, ", ".join(TO))
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert first["Message-ID"] == message_id("n1", SENDER)
    assert first["References"] is None
    later = sent(_later("n2", thread="n1"))
    assert later["References"] == later["In-Reply-To"] == first["Message-ID"]
    assert later["Subject"] == first["Subject"] == "[stalewatch] edge-stale"
    assert later["Message-ID"] != first["Message-ID"]


def _later(id: str, thread: str) -> NotificationRow:
    over = about(ended(), occasion=Occasion.ALL_RESOLVED)
    return replace(notification(id, message=over), thread=thread, kind="all-resolved")


def test_the_same_notification_is_the_same_bytes() -> None:
    one, other = (compose(notification(), SENDER, TO, UI).as_bytes() for _ in range(2))
    assert one == other


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_adds_no_header(text: str) -> None:
    row = notification(message=everywhere(text))
    mail = sent(row)
    assert set(mail.keys()) == set(sent(notification()).keys())
    assert mail["To"] == ", ".join(TO)
    assert len(str(mail["Subject"])) <= 130
    assert not MOVES.search(str(mail["Subject"]))
    assert all(len(line) < 998 for line in compose(row, SENDER, TO, UI).as_bytes().split(b"\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_adds_no_markup_and_no_link(text: str) -> None:
    html = body(sent(notification(message=everywhere(text))), "html")
    plain, usual = Links(html), Links(body(sent(notification(message=counted())), "html"))
    assert plain.tags <= usual.tags
    assert set(plain.targets) == set(usual.targets)
    assert plain.handlers == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_does_nothing_to_its_reader(text: str) -> None:
    mail = sent(notification(message=everywhere(text)))
    for said in (body(mail, "plain"), body(mail, "html")):
        assert not MOVES.search(said)
        assert "evil.test" not in said
        assert len(said) < 100_000
    assert max(map(len, body(mail, "plain").splitlines())) < 600


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "\\\\evil.test",
        "javascript:alert(1)",
        "\tjavascript:alert(1)",
        "../../evil",
        'key/a"><a href="https://evil.test/',
        "key/a\r\nb",
    ],
)
def test_a_link_leads_to_our_own_pages_or_nowhere(link: str) -> None:
    mail = sent(notification(message=replace(about(link=link), link=link)))
    links = Links(body(mail, "html"))
    assert all(target.startswith(UI) for target in links.targets)
    assert "../" not in "".join(links.targets)
    assert links.tags <= Links(body(sent(notification()), "html")).tags


def test_it_loads_nothing() -> None:
    html = body(sent(notification()), "html")
    assert not re.search(r"<img|<link|<script|url\(|@import", html)


def test_without_an_address_of_the_ui_there_is_no_link() -> None:
    mail = sent(notification(), base_url="")
    assert Links(body(mail, "html")).targets == []
    assert "See it" not in body(mail, "plain")


R2 = replace(ALERT, id="a2", summary="r2 holds 3 copies", labels={"node": "r2"}, is_news=False)


def test_a_mail_of_many_says_what_is_new_what_is_over_and_what_goes_on() -> None:
    message = about(ALERT, ended(replace(ALERT, id="a3")), R2, occasion=Occasion.NEW_MEMBER)
    mail = sent(notification(message=message))
    for kind in ("plain", "html"):
        said = body(mail, kind)
        assert "edge-stale: 2 of 3 alerts fire" in said
        assert "1 new, 1 resolved, 1 still firing" in said
        assert [said.index(each) for each in ("r2 holds 3 copies", "2027-01-15 08:05:00 UTC")]
    assert body(mail, "plain").startswith("NEWLY FIRING: ")
    assert "2027-01-15 08:05:00 UTC, after 7 min" in body(mail, "plain")


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        pytest.param([ended()], "RESOLVED: edge holds product 42 fresh again", id="one"),
        pytest.param(
            [ended(), ended(R2)], "RESOLVED: edge-stale: all is resolved", id="all of several"
        ),
    ],
)
def test_what_is_over_is_told_as_over(alerts: list[ToldAlert], said: str) -> None:
    mail = sent(notification(message=about(*alerts, occasion=Occasion.ALL_RESOLVED)))
    assert body(mail, "plain").startswith(said)
    assert 'class="bar resolved"' in body(mail, "html")


def test_a_mail_leads_to_a_silence_over_what_it_tells() -> None:
    mail = sent(notification())
    link = f"{UI}alerts?silence=rule%3Dedge-stale"
    assert link in body(mail, "plain")
    assert link in Links(body(mail, "html")).targets


def test_a_storm_of_alerts_is_one_mail_of_bounded_length() -> None:
    storm = [replace(ALERT, id=f"a{n}", evidence=["x" * 400] * 40) for n in range(3_000)]
    mail = sent(notification(message=about(*storm)))
    assert f"... and {3_000 - MOST_ALERTS} more alerts" in body(mail, "plain")
    assert "3000 of 3000 alerts fire" in body(mail, "html")
    assert len(body(mail, "html")) < 200_000


def test_a_chart_is_drawn_in_both_parts() -> None:
    mail = sent(notification(message=about(chart=CHART)))
    zeros, ramp = "▁" * 20 + "····" + "▁" * 23, "▂▂▃▃▄▄▅▆▆▇▇██"
    assert f"  {zeros}{ramp}\n" in body(mail, "plain")
    assert "2027-01-15 07:00 to 2027-01-15 08:00 UTC; █ is 4.1 s, ▁ is 0" in body(mail, "plain")
    for kind in ("plain", "html"):
        said = body(mail, kind)
        assert said.count("Largest proven staleness at edge/eu-edge-1, by minute") >= 1
        for told in ("highest 4.1 s", "limit 2 s", "4 of 60 without data"):
            assert told in said
    html = body(mail, "html")
    assert 'role="img" aria-label="Bars from 2027-01-15 07:00 to ' in html
    assert html.count('<div class="bad"') == 14, "seven bars over the limit, in both rows"
    assert html.count('<div class="ok"') == 6
    assert not re.search(r"<img|<svg|url\(", html)


def test_what_the_version_before_owed_has_no_chart() -> None:
    read = json.loads(about().to_payload())
    for alert in read["alerts"]:
        del alert["chart"]
    mail = sent(replace(notification(), payload=json.dumps(read)))
    assert body(mail, "plain") == body(sent(notification()), "plain")
    assert 'role="img"' not in body(mail, "html")


OLD = {
    name: value
    for name, value in asdict(ALERT).items()
    if name not in {"id", "status", "is_news", "ends_at_ns", "chart"}
}
"""A payload as it was while each alert was told on its own."""


@pytest.mark.parametrize(
    ("reason", "heading"),
    [("the condition held for its time", "FIRING"), ("clear for its time", "RESOLVED")],
)
def test_what_an_earlier_version_owed_is_still_a_mail(reason: str, heading: str) -> None:
    payload = json.dumps({**OLD, "reason": reason})
    old = replace(notification(), payload=payload, kind="firing")
    mail = sent(old)
    assert mail["Subject"] == "[stalewatch] edge-stale: edge eu-edge-1 product 42"
    assert body(mail, "plain").startswith(f"{heading}: {ALERT.summary}")
    assert "stalewatch evidence f-12ab" in body(mail, "html")


def test_a_payload_comes_back_as_it_was() -> None:
    message = about(ALERT, ended(), R2, occasion=Occasion.NEW_MEMBER)
    again = Message.from_payload(message.to_payload())
    assert again == replace(message, alerts=list(message.alerts))


@pytest.mark.parametrize("payload", ["{}", "[]", "1", '{"occasion": "first"}', "no"])
def test_what_is_no_payload_is_said_to_be_none(payload: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Message.from_payload(payload)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("product:42", "product:42"),
        ("/products/42?x=1", "/products/42?x=1"),
        ("10.0.0.1:6379", "10.0.0.1:6379"),
        ('{"start":12.5}', '{"start":12.5}'),
        ("é ü 漢字", "é ü 漢字"),
        ("a\nb", "a\\x0ab"),
        ("\u202ex", "\\u202ex"),
        ("https://a.test/x", "https[:]//a[.]test/x"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_what_is_shown(given: str, seen: str) -> None:
    assert shown(given) == seen
