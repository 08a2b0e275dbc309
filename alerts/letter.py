"""A notification as a mail. The same notification gives the same bytes, whenever it is written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from typing import Any, Final

import css_inline
import jinja2

from alerts.base import Message, ToldAlert
from alerts.drawing import Drawing, draw
from alerts.link import view_url
from alerts.shown import shown
from store.alert_book import NotificationRow

NS_PER_S: Final = 1_000_000_000
MOST_ALERTS: Final = 20
"""Alerts that a mail tells in full; the page of alerts has the rest."""
EVIDENCE_LINES: Final = 20
LEAST_EVIDENCE_LINES: Final = 3
"""Lines of evidence of each alert where there are many."""
_SUBJECT, _LINE, _LABEL = 120, 500, 160
_WIDE_TO_NARROW: Final = ("layer", "region", "node", "keyspace", "key")
_FINDING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
"""What may stand in a command that is there to be copied."""
_HEADINGS: Final = {
    "first": "Firing",
    "new-member": "Newly firing",
    "some-resolved": "Partly resolved",
    "all-resolved": "Resolved",
    "repeat": "Still firing",
}
_MARKS: Final = {
    ("firing", True): "new",
    ("firing", False): "still firing",
    ("resolved", True): "resolved",
    ("resolved", False): "resolved",
}


@dataclass(frozen=True, slots=True)
class _AlertView:
    """One alert of a mail; all of it is `shown`, and none of it is markup."""

    status: str
    mark: str
    rule: str
    summary: str
    reason: str
    cause: str
    since: str
    at: str
    lasted: str
    labels: Mapping[str, str]
    figures: Mapping[str, str]
    evidence: Sequence[str]
    left_out: int
    link: str
    finding: str
    chart: Drawing | None


@dataclass(frozen=True, slots=True)
class _View:
    """What the templates are given; all of it is `shown`, and none of it is markup."""

    status: str
    """`resolved` where nothing of it fires any more."""
    heading: str
    group: str
    summary: str
    counts: str
    """How many are new, resolved and still firing; empty where there is one alert alone."""
    alerts: Sequence[_AlertView]
    left_out: int
    width: int
    """Of the longest name, for a table in plain text."""
    silence: str
    """Address of the page of alerts, a silence prepared."""


def compose(row: NotificationRow, sender: str, to: Sequence[str], base_url: str) -> EmailMessage:
    """The mail of a notification: text and HTML. `base_url` is the UI's address, ending with `/`.

    Dated by the row's creation; `To` names everybody of the channel, whoever has it already.
    Raises ValueError, KeyError or TypeError where the payload is none of ours.
    """
    message = Message.from_payload(row.payload)
    view = _view(message, base_url)
    letter = EmailMessage(policy=SMTP)
    address(letter, row, sender, to, _subject(message))
    letter.set_content(rendered("mail.txt.j2", view), cte="base64")
    html = _inliner().inline(rendered("mail.html.j2", view))
    letter.add_alternative(html, subtype="html", cte="base64")
    letter.set_boundary(f"=_{_digest(row.id)}")
    return letter


def message_id(notification: str, sender: str) -> str:
    """The Message-ID of a notification, by its id and the domain of the sender."""
    return f"<{_digest(notification)}@{sender.rpartition('@')[2]}>"


def address(
    letter: EmailMessage, row: NotificationRow, sender: str, to: Sequence[str], subject: str
) -> None:
    """Give a letter its headers, all of which follow from the notification."""
    letter["From"] = sender
    letter["To"] = ", ".join(to)
    letter["Subject"] = subject
    letter["Date"] = format_datetime(_instant(row.created_at_ns))
    letter["Message-ID"] = message_id(row.id, sender)
    if row.thread and row.thread != row.id:
        letter["In-Reply-To"] = letter["References"] = message_id(row.thread, sender)
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"


def _subject(message: Message) -> str:
    """The same for every mail of a group, or programs would not keep them together."""
    subject = shown(f"[stalewatch] {_group(message.group)}", _SUBJECT)
    return subject.replace("=?", "= ?")  # or a program would decode what is no encoded word of ours


def _group(labels: Mapping[str, str]) -> str:
    """A group in words: its rule, then its other labels."""
    rule = labels.get("rule", "")
    about = " ".join(value for name, value in _ordered(labels) if name != "rule")
    return ": ".join(filter(None, (rule, about))) or "alerts"


def _view(message: Message, base_url: str) -> _View:
    alerts = message.alerts[:MOST_ALERTS]
    lines = max(LEAST_EVIDENCE_LINES, EVIDENCE_LINES // max(1, len(alerts)))
    views = [_alert_view(each, lines, base_url) for each in alerts]
    is_over = all(each.status == "resolved" for each in message.alerts)
    names = [name for each in views for name in (*each.labels, *each.figures)]
    group = shown(_group(message.group))
    return _View(
        status="resolved" if is_over else "firing",
        heading=_HEADINGS.get(message.occasion, "Alert"),
        group=group,
        summary=views[0].summary if len(message.alerts) == 1 else _in_short(message, group),
        counts="" if len(message.alerts) == 1 else _counts(message.alerts),
        alerts=views,
        left_out=len(message.alerts) - len(alerts),
        width=min(24, max(map(len, ("lasting", *names)))),
        silence=view_url(message.link, base_url),
    )


def _in_short(message: Message, group: str) -> str:
    firing = sum(each.status == "firing" for each in message.alerts)
    number = len(message.alerts)
    return f"{group}: {f'{firing} of {number} alerts fire' if firing else 'all is resolved'}"


def _counts(alerts: Sequence[ToldAlert]) -> str:
    marks = [_MARKS[each.status, each.is_news] for each in alerts]
    kinds = ("new", "resolved", "still firing")
    return ", ".join(f"{marks.count(each)} {each}" for each in kinds if each in marks)


def _alert_view(alert: ToldAlert, lines: int, base_url: str) -> _AlertView:
    lasted_s = max(0, alert.at_ns - alert.since_ns) / NS_PER_S
    evidence = [shown(line, _LINE) for line in alert.evidence[:lines]]
    return _AlertView(
        status="resolved" if alert.status == "resolved" else "firing",
        mark=_MARKS.get((alert.status, alert.is_news), "new"),
        rule=shown(alert.rule),
        summary=shown(alert.summary),
        reason=shown(alert.reason),
        cause=shown(alert.cause, _LINE),
        since=_told(alert.since_ns),
        at=_told(alert.at_ns),
        lasted=_lasted(lasted_s),
        labels={shown(k): shown(v, _LABEL) for k, v in _ordered(alert.labels)},
        figures={shown(k): shown(v, _LABEL) for k, v in alert.figures.items()},
        evidence=evidence,
        left_out=len(alert.evidence) - len(evidence),
        link=view_url(alert.link, base_url),
        finding=alert.finding if _FINDING.fullmatch(alert.finding) else "",
        chart=None if alert.chart is None else draw(alert.chart),
    )


def _ordered(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """From the wide to the narrow; labels that we do not know come last, by name."""
    known = [name for name in _WIDE_TO_NARROW if name in labels]
    return [(name, labels[name]) for name in [*known, *sorted(labels.keys() - {*known})]]


def _told(at_ns: int) -> str:
    return f"{_instant(at_ns):%Y-%m-%d %H:%M:%S} UTC"


def _instant(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC)


def _lasted(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} min" if minutes < 120 else f"{hours:.1f} h"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


def rendered(template: str, view: object) -> str:
    """A template with its view."""
    return _templates().get_template(template).render(view=view)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("alerts", "templates"),
        autoescape=jinja2.select_autoescape(("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _inliner() -> Any:
    return css_inline.CSSInliner(
        keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False
    )
