"""The evidence of one read: a small diagram of intervals, and the command that judges it again."""

import shlex
from collections.abc import Sequence
from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import attributes, copyable, facts
from dashboard.queries.evidence import EvidenceView, Mark
from dashboard.wording import SECOND_NS, duration, interval, version
from store.base import ReadRow

CONFIG_HINT: Final = (
    "Run it where Stalewatch runs. The config file is the one that STALEWATCH_CONFIG names, "
    "or the one given as: stalewatch evidence --config FILE …"
)


def proof(view: EvidenceView) -> Component:
    """The diagram, the stamps in words, the command and the lines it starts from."""
    return html.Div(
        [
            diagram(view.marks),
            facts(_stamps(view.row)),
            *_again(view),
            _lines(view.lines),
        ],
        className="proof",
    )


def command(row: ReadRow) -> str:
    """What judges the same evidence again on a command line, quoted for a POSIX shell.

    Evidence is kept by finding; of a read without one the lines go to `judge` by hand.
    """
    judge = f"stalewatch judge --max-staleness {row.max_staleness_ns / SECOND_NS:g} -"
    return f"stalewatch evidence {shlex.quote(row.finding)} | {judge}" if row.finding else judge


def _again(view: EvidenceView) -> list[Component]:
    if view.row.finding:
        return [
            html.P("Judge it again from the stored evidence:", className="hint"),
            copyable(command(view.row), CONFIG_HINT),
        ]
    if not view.lines:
        return []
    return [
        html.P("This read belongs to no finding: give the lines below to", className="hint"),
        copyable(command(view.row)),
    ]


def diagram(marks: Sequence[Mark]) -> Component:
    """A bar a mark, on one axis in time since the start of the cache read."""
    low, high = _extent(marks)
    rows = [_mark(mark, low, high) for mark in marks]
    axis = html.Div(
        [
            html.Span(_offset(low), className="axis-low"),
            html.Span("time relative to the start of the cache read", className="axis-name"),
            html.Span(_offset(high), className="axis-high"),
        ],
        className="axis",
    )
    return html.Div([*rows, axis], className="diagram")


def _extent(marks: Sequence[Mark]) -> tuple[float, float]:
    edges = [edge for mark in marks for edge in (mark.from_s, mark.to_s) if edge is not None]
    low, high = min(edges, default=0.0), max(edges, default=1.0)
    margin = max((high - low) * 0.08, 1e-4)
    return low - margin, high + margin


def _mark(mark: Mark, low: float, high: float) -> Component:
    span = high - low
    start = 0.0 if mark.from_s is None else (mark.from_s - low) / span
    end = 1.0 if mark.to_s is None else (mark.to_s - low) / span
    left = " opens-left" if mark.from_s is None else ""
    right = " opens-right" if mark.to_s is None else ""
    bar = html.Span(
        className=f"mark mark-{mark.kind}{left}{right}",
        style={"left": f"{100 * start:.3f}%", "width": f"{100 * max(end - start, 0.0):.3f}%"},
    )
    words = _span(_side(mark.from_s, "before"), _side(mark.to_s, "later"))
    return html.Div(
        [
            html.Span(mark.label, className="mark-name"),
            html.Div(
                bar,
                className="mark-track",
                role="img",
                **attributes(aria_label=f"{mark.label}: {words}"),
            ),
            html.Span(words, className="mark-words num"),
        ],
        className="mark-row",
    )


def _span(begin: str, end: str) -> str:
    return begin if begin == end else f"{begin} to {end}"


def _side(offset_s: float | None, open_word: str) -> str:
    return f"any time {open_word}" if offset_s is None else _offset(offset_s)


def _offset(offset_s: float) -> str:
    if abs(offset_s) < 5e-5:
        return "0"
    sign = "−" if offset_s < 0 else "+"
    return f"{sign}{duration(abs(offset_s) * SECOND_NS)}"


def _stamps(row: ReadRow) -> list[tuple[str, Component | str | None]]:
    return [
        ("Returned", version(row.value) if row.value else row.result.value),
        ("Staleness", interval(row.bounds.lower, row.bounds.upper)),
        ("Maximum staleness", duration(row.max_staleness_ns)),
        ("Read took (qe − qs)", duration(row.end_ns - row.start_ns)),
        ("Clock", html.Code(row.clock)),
        ("TTL left", "not told" if row.ttl_s is None else duration(row.ttl_s * SECOND_NS)),
    ]


def _lines(lines: str) -> Component | None:
    if not lines:
        return html.P("No evidence is stored with this read.", className="hint")
    return html.Details(
        [html.Summary("Evidence as stored"), html.Pre(lines, className="lines", tabIndex=0)]
    )
