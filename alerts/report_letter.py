"""A weekly report as a mail. The same notification gives the same bytes, whenever it is written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Self
from urllib.parse import quote

from alerts.letter import address, rendered
from alerts.link import view_url
from alerts.shown import shown
from freshness.spark import heights, scale
from reports.document import ReportDocument
from reports.section import Cell, Section
from reports.tables import LEVELS, TONES, sections_of, span_of, title_of
from reports.text import to_text
from store.alert_book import NotificationRow

BAR: Final = 28
"""The highest bar of a small chart, pixels."""
MOST_ROWS: Final = 10
"""Of a section in a mail; the page has them all, and mail programs cut what is long."""
GRID_COLUMNS: Final = 4
_LINE: Final = 300
_HINT: Final = (
    "Sent by Stalewatch. These numbers are frozen: the page, the CSV and the JSON of this week"
    " tell the same."
)


@dataclass(frozen=True, slots=True)
class ReportNotice:
    """What the payload of such a notification holds: the report, and all whom it goes to."""

    to: Sequence[str]
    document: ReportDocument

    def to_payload(self) -> str:
        """As JSON."""
        return json.dumps({"to": list(self.to), "document": self.document.to_json()})

    @classmethod
    def from_payload(cls, payload: str) -> Self:
        """Read JSON again. Raises ValueError, KeyError or TypeError where it is none of ours."""
        read = json.loads(payload)
        return cls(tuple(read["to"]), ReportDocument.from_json(read["document"]))


@dataclass(frozen=True, slots=True)
class _Bar:
    """One day: pixels, or nothing known."""

    height: int
    is_known: bool


@dataclass(frozen=True, slots=True)
class _Fact:
    """A cell with the name of its column; all of it is `shown`."""

    head: str
    text: str
    under: str
    tone: str
    bars: Sequence[_Bar] | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A section: a grid where it is narrow enough, else the first cell of each row by itself."""

    title: str
    note: str
    empty: str
    heads: Sequence[str]
    rows: Sequence[Sequence[_Fact]]
    is_grid: bool
    left_out: int


@dataclass(frozen=True, slots=True)
class _View:
    """What the template is given; all of it is `shown`, and none of it is markup."""

    title: str
    span: str
    report: str
    level: str
    tone: str
    line: str
    decision: str
    link: str
    hint: str
    parts: Sequence[_Part]


def compose_report(row: NotificationRow, sender: str, base_url: str) -> EmailMessage:
    """The mail of a report: text and HTML. `base_url` is the UI's address, ending with `/`.

    Raises ValueError, KeyError or TypeError where the payload is none of ours.
    """
    notice = ReportNotice.from_payload(row.payload)
    document = notice.document
    view = _view(document, view_url(report_link(document.report, document.week), base_url))
    letter = EmailMessage(policy=SMTP)
    subject = f"[stalewatch] {document.report} report: {LEVELS[document.verdict.level]}, "
    address(letter, row, sender, notice.to, shown(f"{subject}week {document.week}"))
    link = f"\nThe page: {view.link}\n" if view.link else ""
    text = f"{to_text(document, _one_line)}{link}\n{_HINT}\n"
    letter.set_content(text, cte="base64")
    # Its styles stay in its head: at each element, those of many rows would make mail programs cut
    # the mail.
    html = rendered("report.html.j2", view)
    letter.add_alternative(html, subtype="html", cte="base64")
    letter.set_boundary(f"=_{row.id.encode().hex()[:48]}")
    return letter


def owe_report(
    channel: str, to: Sequence[str], document: ReportDocument, now_ns: int
) -> NotificationRow:
    """The notification of a report; its id follows from report and week, so it is owed once."""
    id = f"report:{document.report}:{document.week}"
    return NotificationRow(
        id=id,
        channel=channel,
        alerts=(),
        kind="report",
        thread=id,
        payload=ReportNotice(tuple(to), document).to_payload(),
        recipients=tuple(to),
        state="owed",
        attempts=0,
        created_at_ns=now_ns,
        next_at_ns=now_ns,
    )


def report_link(report: str, week: str) -> str:
    """The page of a report, relative to the address of the UI."""
    return f"reports/{quote(report, safe='')}/{week}"


def _view(document: ReportDocument, link: str) -> _View:
    verdict = document.verdict
    return _View(
        title=_one_line(title_of(document)),
        span=_one_line(span_of(document)),
        report=_one_line(document.report),
        level=LEVELS[verdict.level],
        tone=TONES[verdict.level],
        line=_one_line(verdict.line),
        decision=_one_line(verdict.decision),
        link=link,
        hint=_HINT,
        parts=[_part(section) for section in sections_of(document)],
    )


def _part(section: Section) -> _Part:
    shown_rows = section.rows if section.is_whole else section.rows[:MOST_ROWS]
    return _Part(
        title=section.title,
        note=_one_line(section.note),
        empty=section.empty,
        heads=section.heads,
        rows=[
            [_fact(head, cell) for head, cell in zip(section.heads, row, strict=True)]
            for row in shown_rows
        ],
        is_grid=len(section.heads) <= GRID_COLUMNS,
        left_out=len(section.rows) - len(shown_rows),
    )


def _fact(head: str, cell: Cell) -> _Fact:
    bars = None if cell.days is None else _bars(cell.days)
    return _Fact(head, _one_line(cell.text), _one_line(cell.under), cell.tone, bars)


def _bars(days: Sequence[float | None]) -> list[_Bar]:
    shares = heights(days, scale(days))
    return [
        _Bar(BAR if share is None else max(2, round(BAR * share)), share is not None)
        for share in shares
    ]


def _one_line(text: str) -> str:
    return shown(text, _LINE)
