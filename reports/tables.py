"""A report in words: sections of tables, from which mail, page and terminal are made alike.

Every form shows these words and adds none. Names are as they came: a form that is read by a
browser or a mail program escapes them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from freshness.forecast import Outlook
from freshness.words import duration, percent
from reports.ask import NS_PER_S
from reports.document import (
    LagLine,
    Level,
    ObjectiveLine,
    ReportDocument,
)
from reports.incident_tables import alert_table, finding_table, gap_table, quality_table
from reports.section import (
    UNKNOWN,
    Cell,
    Clock,
    Row,
    Section,
    Tone,
    budget,
    clock,
    counted,
    cut,
    gap_words,
    lag,
    share,
    signed,
)

LEVELS: Final[Mapping[Level, str]] = {
    "kept": "kept",
    "at-risk": "at risk",
    "missed": "missed",
    "no-data": "no data",
}
TONES: Final[Mapping[Level, Tone]] = {
    "kept": "good",
    "at-risk": "warn",
    "missed": "bad",
    "no-data": "unknown",
}
_OUTLOOKS: Final = {
    Outlook.EXHAUSTED: "exhausted",
    Outlook.NOT_BURNING: "not burning",
    Outlook.NO_DATA: UNKNOWN,
}


def title_of(document: ReportDocument) -> str:
    """What it is the report of, in a line."""
    owner = f" for {document.owner}" if document.owner else ""
    so_far = "" if document.is_over else ", so far"
    return f"Week {document.week}{owner}{so_far}"


def span_of(document: ReportDocument) -> str:
    """The week's edges in local time, and how long it is where that is not as usual."""
    zone = ZoneInfo(document.time_zone)
    edges = [
        f"{datetime.fromtimestamp(at_s, zone):%a %Y-%m-%d %H:%M}"
        for at_s in (document.since_s, document.until_s)
    ]
    odd = document.is_over and document.hours != 168
    hours = f", {document.hours} hours since clocks changed" if odd else ""
    return f"{edges[0]} to {edges[1]} {document.time_zone}{hours}"


def sections_of(document: ReportDocument) -> list[Section]:
    """All of them, in the order in which they are read; those without rows stay."""
    when = clock(document.time_zone)
    return [
        _objectives(document, when),
        _worst(document),
        finding_table(document, when),
        alert_table(document, when),
        quality_table(document),
        gap_table(document, when),
        _lags(document),
        _actions(document),
        _changes(document, when),
    ]


def _objectives(document: ReportDocument, when: Clock) -> Section:
    heads = ("Objective", "Verdict", "This week", "Budget left", "Spent this week", "Days",
             "Forecast", "Measured")  # fmt: skip
    rows = tuple(_objective(line, when) for line in document.objectives)
    return Section(
        "Objectives",
        "each over its own window, as it stood at the end of the week",
        heads,
        rows,
        "No objective is declared.",
        is_whole=True,
    )


def _objective(line: ObjectiveLine, when: Clock) -> Row:
    promise = f"{percent(line.target, 6)} over {line.window}"
    owner = f"{line.owner} · " if line.owner else ""
    interval = (
        gap_words(line.week_gap)
        if line.week_low is None or line.week_high is None
        else f"95 %: {share(line.week_low)} to {share(line.week_high)}"
    )
    is_bad = line.remaining is not None and line.remaining < 0
    change = "" if line.change is None else f"{signed(line.change)} on the week before"
    nines = "" if line.supported_nines is None else f"supports {counted(line.supported_nines)}"
    return (
        Cell(line.name, f"{owner}{line.indicator} · {promise}"),
        Cell(LEVELS[line.level], gap_words(line.gap), TONES[line.level]),
        Cell(share(line.week_good), interval),
        Cell(budget(line.remaining), "" if line.is_whole else "window not yet whole",
             "bad" if is_bad else ""),
        Cell(budget(line.spent_week), change),
        Cell("", days=line.days),
        Cell(_forecast(line, when)),
        Cell(UNKNOWN if line.coverage is None else percent(line.coverage, 1), nines),
    )  # fmt: skip


def _worst(document: ReportDocument) -> Section:
    rows = tuple(
        (
            Cell(f"{line.kind} {cut(line.name)}"),
            Cell(line.objective),
            Cell(percent(line.share, 1)),
            Cell(budget(line.spent)),
        )
        for line in document.worst
    )
    heads = ("Who", "Objective", "Share of what was bad", "Of the budget")
    return Section(
        "Who spent it",
        "keys and publishers of what is still kept of single reads and messages",
        heads,
        rows,
        "Nothing was proven bad.",
        is_empty_good=True,
    )


def _lags(document: ReportDocument) -> Section:
    note = "bounds; what nodes claim and what probes observed are never one figure"
    note += "" if document.lags_are_all else "; of the newest messages of the week"
    heads = ("Layer", "p50", "p95", "p99", "Longest", "Pairs")
    rows = tuple(_lag(line) for line in document.lags)
    return Section("Propagation lag", note, heads, rows, "No invalidation was heard.")


def _lag(line: LagLine) -> Row:
    limit = "" if line.limit_ns is None else f"limit {duration(line.limit_ns)}"
    return (
        Cell(line.layer, f"{line.side}, {limit}" if limit else line.side),
        *(Cell(lag(each)) for each in (line.p50, line.p95, line.p99, line.longest)),
        Cell(f"{line.pairs:,}"),
    )


def _actions(document: ReportDocument) -> Section:
    rows = tuple(
        (Cell(cut(each.what, 120)), Cell(cut(each.why, 120)), Cell(each.owner or "nobody named"))
        for each in document.actions
    )
    heads = ("Do", "Because", "Who")
    return Section("Suggested", "", heads, rows, "Nothing needs to be done.", is_empty_good=True)


def _changes(document: ReportDocument, when: Clock) -> Section:
    rows = tuple(
        (
            Cell(cut(each.about), when(each.at_ns // NS_PER_S)),
            Cell(each.path or "all of it"),
            Cell(cut(each.before) or UNKNOWN),
            Cell(cut(each.after) or UNKNOWN),
        )
        for each in document.changes
    )
    heads = ("What", "Setting", "Before", "After")
    return Section("What changed in definitions", "", heads, rows, "No definition changed.")


def _forecast(line: ObjectiveLine, when: Clock) -> str:
    if line.exhausted_at_s is not None:
        return f"exhausted {when(line.exhausted_at_s)}"
    return _OUTLOOKS.get(Outlook(line.outlook), UNKNOWN)
