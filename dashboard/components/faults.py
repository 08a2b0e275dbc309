"""Findings as tables, and the sentence that stands there where nothing is proven stale."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import attributes, cell, empty, link, pill, table
from dashboard.queries.coverage import CoverageView
from dashboard.queries.faults import FindingsView, window_of
from dashboard.wording import ago, cause, count, duration, instant, interval, shortened, version
from store.base import FindingRow

_HEADS = ("Key", "Where", "Held → latest", "Staleness", "Since", "Cause")
MORE_HEALED: Final = "The newest are shown; a shorter window or /api/v1/findings lists the others."
_TONES = {"confirmed": "bad", "opened": "warn", "gone": "unknown"}


def open_findings(
    view: FindingsView, seen: CoverageView, address: Address, prefix: str, now_ns: int
) -> Component:
    """The open ones, or what was looked at that none was found in."""
    if not view.open:
        return nothing_open(seen)
    rows = [_row(row, address, prefix, now_ns) for row in view.open]
    return html.Div([table("Open findings", _HEADS, rows), *_not_listed(view, address, prefix)])


def _not_listed(view: FindingsView, address: Address, prefix: str) -> list[Component]:
    """How many more each node has, with the way to them."""
    more = "+" if view.more_open else ""
    ways: list[str | Component] = []
    for node, n in sorted(view.folded.items(), key=lambda each: (-each[1], each[0])):
        there = replace(address, node=node).href(prefix)
        ways += [" · " if ways else "", link(f"{n:,}{more} at {node}", there)]
    if ways and not address.node:
        return [html.P(["Not listed: ", *ways], className="hint")]
    is_cut = view.folded or view.more_open
    return [html.P("Older open findings are not listed here.", className="hint")] if is_cut else []


def findings_of_window(
    view: FindingsView, seen: CoverageView, address: Address, prefix: str, now_ns: int
) -> Component:
    """Of a window in the past: those open then, whether or not they have healed since."""
    if not view.open and not view.healed:
        return nothing_open(seen)
    rows = sorted([*view.open, *view.healed], key=lambda row: row.opened_at_ns, reverse=True)
    body = [table("Findings", _HEADS, [_row(row, address, prefix, now_ns) for row in rows])]
    body += _not_listed(view, address, prefix)
    return html.Div(body + ([html.P(MORE_HEALED, className="hint")] if view.more_healed else []))


def nothing_open(seen: CoverageView) -> Component:
    """Says what was looked at; silence without reads is no health."""
    if not seen.reads:
        return empty("Nothing can be said", f"There were no reads {seen.window.in_words}.")
    more = "+" if seen.has_more_keys else ""
    keys = f"{seen.keys:,}{more} {'key' if seen.keys == 1 else 'keys'}"
    looked = (
        f"{count(seen.reads, 'read')} of {keys} on {count(seen.nodes_listed, 'node')} "
        f"{seen.window.in_words}"
    )
    if seen.stale:
        return empty(
            "No open finding", f"{looked}: {count(seen.stale, 'read')} proven stale, healed since."
        )
    judged = seen.unknown_share is not None and seen.unknown_share < 1.0
    if not judged:
        return empty("Nothing can be said", f"{looked}, and none could be judged.")
    return empty("No open finding", f"{looked}: nothing proven stale.", is_good=True)


def healed_findings(
    rows: Sequence[FindingRow], address: Address, prefix: str, now_ns: int
) -> Component | None:
    """What healed in the window; None where nothing did."""
    if not rows:
        return None
    return table("Healed findings", _HEADS, [_row(row, address, prefix, now_ns) for row in rows])


def _row(row: FindingRow, address: Address, prefix: str, now_ns: int) -> Component:
    window = window_of(row, now_ns)
    page = address.key_page(row.keyspace, row.key).at(window.since_ns, window.until_ns)
    return html.Tr(
        [
            cell("Key", _key(row, page.href(prefix)), "cell-key"),
            cell("Where", _where(row)),
            cell("Held → latest", _versions(row), "num"),
            cell("Staleness", interval(row.lower_ns, row.upper_ns), "num"),
            cell("Since", _since(row, now_ns), "num"),
            cell("Cause", _cause(row), "cell-cause"),
        ],
        **attributes(data_finding=row.id),
    )


def _key(row: FindingRow, href: str) -> list[Component]:
    return [
        link(shortened(row.key, 60) or "(empty key)", href),
        html.Div([pill(row.state, _TONES.get(row.state, "good")), row.keyspace], className="under"),
    ]


def _where(row: FindingRow) -> list[Component]:
    return [
        html.Div(row.node, className="strong"),
        html.Div(f"{row.layer} · {row.region}" if row.region else row.layer, className="under"),
    ]


def _versions(row: FindingRow) -> Component:
    held = html.Span(version(row.held), className="held")
    return html.Span([held, " → ", html.Span(version(row.latest), className="latest")])


def _since(row: FindingRow, now_ns: int) -> list[Component]:
    at = html.Time(instant(row.opened_at_ns), dateTime=instant(row.opened_at_ns, with_date=True))
    if row.healed_at_ns is None:
        return [at, html.Div(ago(row.opened_at_ns, now_ns), className="under")]
    after = duration(row.healed_at_ns - row.opened_at_ns)
    return [at, html.Div(f"{row.state} after {after}", className="under")]


def _cause(row: FindingRow) -> list[Component | None]:
    ruled_out = f"ruled out: {', '.join(map(cause, row.ruled_out))}" if row.ruled_out else ""
    return [
        html.Div(cause(row.cause), className="strong"),
        html.Div(row.because, className="under wrap") if row.because else None,
        html.Div(ruled_out, className="under wrap") if ruled_out else None,
    ]
