"""The reads of a key that were not fresh, with their reasons in words and their evidence."""

from collections.abc import Sequence
from dataclasses import replace

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import attributes, cell, empty, pill, table
from dashboard.components.proof import proof
from dashboard.queries.evidence import evidence_of
from dashboard.queries.history import HistoryView, JudgedRead
from dashboard.wording import REASONS, behind, instant, interval, version
from freshness.model import Verdict

_HEADS = ("Read at", "Node", "Verdict", "Returned", "Staleness", "Versions behind", "Evidence")
_TONES = {Verdict.STALE: "bad", Verdict.INDETERMINATE: "warn", Verdict.UNKNOWN: "unknown"}


def unfresh_reads(view: HistoryView, address: Address, prefix: str) -> Component:
    """Newest first; the read that the address opens shows its evidence below its row."""
    if not view.reads:
        words = f"Each read of this key {view.window.in_words} was fresh or a miss."
        return empty("None", words if view.bands else "There was no read in this window.")
    rows: list[Component] = []
    for read in view.reads:
        rows.append(_row(read, view, address, prefix))
        if read.row.id == view.opened_read:
            rows.append(_opened(read))
    body: list[Component] = [table("Reads that were not fresh", _HEADS, rows)]
    if view.has_more_reads:
        body.append(html.P("Older ones are not listed: narrow the time range.", className="hint"))
    return html.Div(body)


def _row(read: JudgedRead, view: HistoryView, address: Address, prefix: str) -> Component:
    row = read.row
    is_open = row.id == view.opened_read
    return html.Tr(
        [
            cell("Read at", instant(read.at_ns), "num"),
            cell("Node", _node(row.node, row.layer)),
            cell("Verdict", _verdict(read), "cell-cause"),
            cell("Returned", version(row.value) if row.value else row.result.value, "num"),
            cell("Staleness", _staleness(read), "num"),
            cell("Versions behind", _behind(read), "num"),
            cell("Evidence", _toggle(read, address, prefix, is_open=is_open)),
        ],
        className="row-open" if is_open else "",
        **attributes(data_read=str(row.id)),
    )


def _node(node: str, layer: str) -> list[Component]:
    return [html.Div(node, className="strong"), html.Div(layer, className="under")]


def _verdict(read: JudgedRead) -> list[Component]:
    row = read.row
    why = REASONS[row.reason] + (f": {row.why}" if row.why else "")
    return [
        pill(row.verdict.value, _TONES.get(row.verdict, "good")),
        html.Span(why, className="beside"),
    ]


def _staleness(read: JudgedRead) -> str:
    if read.row.verdict is Verdict.UNKNOWN:
        return "not known"
    return interval(read.row.bounds.lower, read.row.bounds.upper)


def _behind(read: JudgedRead) -> str:
    if read.row.verdict is Verdict.UNKNOWN:
        return "not known"
    return behind(read.row.bounds.behind_lower, read.row.bounds.behind_upper)


def _toggle(read: JudgedRead, address: Address, prefix: str, *, is_open: bool) -> Component:
    target = replace(address, read=None if is_open else read.row.id)
    return html.A(
        "Hide" if is_open else "Show",
        href=target.href(prefix),
        className="button",
        **attributes(data_in_place="", aria_expanded="true" if is_open else "false"),
    )


def _opened(read: JudgedRead) -> Component:
    panel = html.Td(proof(evidence_of(read.row)), colSpan=len(_HEADS), className="cell-proof")
    return html.Tr(panel, className="row-proof")


__all__: Sequence[str] = ("unfresh_reads",)
