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
from alerts.link import view_url
from alerts.shown import shown
from store.alert_book import NotificationRow

NS_PER_S: Final = 1_000_000_000
EVIDENCE_LINES: Final = 20
_SUBJECT, _LINE, _LABEL = 120, 500, 160
_WIDE_TO_NARROW: Final = ("layer", "region", "node", "keyspace", "key")
_FINDING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
"""What may stand in a command that is there to be copied."""
_HEADINGS: Final = {"firing": "Firing", "repeat": "Still firing", "resolved": "Resolved"}


@dataclass(frozen=True, slots=True)
class _View:
    """What the templates are given; all of it is `shown`, and none of it is markup."""

    kind: str
    heading: str
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
    width: int
    """Of the longest name, for a table in plain text."""
    link: str
    finding: str


def compose(row: NotificationRow, sender: str, to: Sequence[str], base_url: str) -> EmailMessage:
    """The mail of a notification: text and HTML. `base_url` is the UI's address, ending with `/`.

    Dated by the row's creation; `To` names everybody of the channel, whoever has it already.
    Raises ValueError or TypeError where the payload is none of ours.
    """
    message = Message.from_payload(row.payload).alerts[0]
    view = _view(row, message, base_url)
    letter = EmailMessage(policy=SMTP)
    _address(letter, row, sender, to, _subject(message))
    letter.set_content(_templates().get_template("mail.txt.j2").render(view=view), cte="base64")
    html = _templates().get_template("mail.html.j2").render(view=view)
    letter.add_alternative(_inliner().inline(html), subtype="html", cte="base64")
    letter.set_boundary(f"=_{_digest(row.id)}")
    return letter


def message_id(notification: str, sender: str) -> str:
    """The Message-ID of a notification, by its id and the domain of the sender."""
    return f"<{_digest(notification)}@{sender.rpartition('@')[2]}>"


def _address(
    letter: EmailMessage, row: NotificationRow, sender: str, to: Sequence[str], subject: str
) -> None:
    letter["From"] = sender
    letter["To"] = ", ".join(to)
    letter["Subject"] = subject
    letter["Date"] = format_datetime(_instant(row.created_at_ns))
    letter["Message-ID"] = message_id(row.id, sender)
    if row.thread and row.thread != row.id:
        letter["In-Reply-To"] = letter["References"] = message_id(row.thread, sender)
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"


def _subject(message: ToldAlert) -> str:
    """The same for every mail of an alert, or programs would not keep them together."""
    about = " ".join(value for _, value in _ordered(message.labels))
    subject = shown(f"[stalewatch] {message.rule}: {about}", _SUBJECT).removesuffix(": ")
    return subject.replace("=?", "= ?")  # or a program would decode what is no encoded word of ours


def _view(row: NotificationRow, message: ToldAlert, base_url: str) -> _View:
    lasted_s = max(0, message.at_ns - message.since_ns) / NS_PER_S
    evidence = [shown(line, _LINE) for line in message.evidence[:EVIDENCE_LINES]]
    return _View(
        kind=row.kind,
        heading=_HEADINGS[row.kind],
        rule=shown(message.rule),
        summary=shown(message.summary),
        reason=shown(message.reason),
        cause=shown(message.cause, _LINE),
        since=_told(message.since_ns),
        at=_told(message.at_ns),
        lasted=_lasted(lasted_s),
        labels={shown(k): shown(v, _LABEL) for k, v in _ordered(message.labels)},
        figures={shown(k): shown(v, _LABEL) for k, v in message.figures.items()},
        evidence=evidence,
        left_out=len(message.evidence) - len(evidence),
        width=min(24, max(map(len, ("lasting", *message.labels, *message.figures)))),
        link=view_url(message.link, base_url),
        finding=message.finding if _FINDING.fullmatch(message.finding) else "",
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
