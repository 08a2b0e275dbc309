"""A weekly report on a page: its verdict, and a table for each section."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import attributes, cell, empty, link, panel, pill, table
from dashboard.queries.reports import RUNNING, Coming, Made
from dashboard.wording import instant
from freshness.spark import heights, scale
from reports.document import ReportDocument
from reports.section import Cell, Section, budget
from reports.tables import LEVELS, TONES, sections_of, span_of, title_of

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def verdict(document: ReportDocument) -> Component:
    """The week in a line, and the decision that it suggests."""
    said = document.verdict
    return html.Section(
        [
            pill(LEVELS[said.level], TONES[said.level]),
            html.P(said.line, className="verdict-line"),
            html.P(said.decision, className="verdict-decision"),
            html.P(span_of(document), className="under"),
        ],
        className=f"panel verdict verdict-{TONES[said.level]}",
    )


def sections(document: ReportDocument) -> list[Component]:
    """A panel a section; those without rows stay."""
    return [
        panel(section.title, _body(section), note=section.note) for section in sections_of(document)
    ]


def made_rows(made: Sequence[Made], prefix: str) -> Component:
    """The reports that were made, a row each."""
    if not made:
        return empty("None was made yet", "The first one is made on the Monday after a whole week.")
    heads = ("Week", "Report", "Verdict", "", "Made")
    return table("Reports", heads, [_made_row(each, prefix) for each in made])


def coming_rows(coming: Sequence[Coming], prefix: str) -> Component:
    """The reports that will be made, a row each, with the week that runs."""
    heads = ("Report", "Of", "Next", "To", "So far")
    return table("Reports to come", heads, [_coming_row(each, prefix) for each in coming])


def _made_row(made: Made, prefix: str) -> Component:
    row, document = made.row, made.document
    level = document.verdict.level
    href = f"{prefix}reports/{row.report}/{row.week}"
    cells = [
        cell("Week", link(title_of(document), href, "link strong")),
        cell("Report", row.report),
        cell("Verdict", pill(LEVELS[level], TONES[level])),
        cell("", html.Span(document.verdict.line, className="wrap")),
        cell("Made", instant(row.made_at_ns, with_date=True), "num"),
    ]
    return html.Tr(cells, **attributes(data_week=row.week))


def _coming_row(coming: Coming, prefix: str) -> Component:
    to = coming.subscription
    sent = ", ".join(to.to) or (f"channel {to.channel}" if to.channel else "nobody: shown alone")
    href = f"{prefix}reports/{to.name}/{RUNNING}"
    due = f"{instant(coming.due_ns, with_date=True)[:16]} UTC"
    cells = [
        cell("Report", html.Span(to.name, className="strong")),
        cell("Of", f"objectives of {to.owner}" if to.owner else "all objectives"),
        cell("Next", [due, html.Span(to.time_zone, className="under")], "num"),
        cell("To", html.Span(sent, className="wrap")),
        cell("So far", link("the week that runs", href)),
    ]
    return html.Tr(cells)


def _body(section: Section) -> Component:
    if not section.rows:
        return empty(section.empty, "", is_good=section.is_empty_good)
    rows = [
        html.Tr([_cell(head, each) for head, each in zip(section.heads, row, strict=True)])
        for row in section.rows
    ]
    return table(section.title, section.heads, rows)


def _cell(head: str, said: Cell) -> Component:
    under = html.Span(said.under, className="under wrap") if said.under else None
    if said.days is not None:
        return cell(head, [_days(said.days), under], "cell-spark")
    if head == "Verdict":
        return cell(head, [pill(said.text, said.tone or "plain"), under])
    tone = {"bad": "bad-words", "warn": "warn-words"}.get(said.tone, "")
    return cell(head, [html.Span(said.text, className=f"wrap {tone}"), under])


def _days(days: Sequence[float | None]) -> Component:
    shares = heights(days, scale(days))
    bars = [
        html.Span(
            className="spark-bar spark-gap" if share is None else "spark-bar spark-good",
            style={} if share is None else {"height": f"{max(6, 100 * share):.0f}%"},
            title=f"{name}: {'no data' if day is None else f'{budget(day)} of the budget'}",
        )
        for name, day, share in zip(DAY_NAMES, days, shares, strict=True)
    ]
    words = "What each day took of the budget"
    return html.Div(bars, className="spark", role="img", **attributes(aria_label=words))
