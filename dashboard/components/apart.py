"""Copies that disagree: the matrix of keys and nodes, what is proven of each, and who went back."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import Child, attributes, cell, empty, link, pill, table
from dashboard.queries.drift import SHOWN, SHOWN_ROWS, DriftPage
from dashboard.queries.faults import window_of
from dashboard.wording import ago, cause, count, instant, interval, shortened, version
from freshness.drift import Proof, Standing
from freshness.model import Result
from store.base import FindingRow, NodeRow
from store.drift import Drift, DriftView, Held, Row, WentBack

STANDINGS: Final = {
    Standing.BEYOND: ("beyond the promise", "bad"),
    Standing.TORN: ("torn", "bad"),
    Standing.AROUND: ("within it so far", "warn"),
    Standing.WITHIN: ("within the promise", "good"),
    Standing.UNKNOWN: ("not proven", "unknown"),
}
PROOFS: Final = {
    Proof.PROVEN: "seen before and after a read of the other",
    Proof.OVERLAP: "the reads overlap: each may have been true",
    Proof.UNORDERED: "values without an order come back, so each may have been current in turn",
    Proof.EPOCH: "the origin's numbers went back or began anew in between",
    Proof.AHEAD: "the origin had not been seen with the newer version by then",
    Proof.UNSETTLED: "the origin has not answered since",
    Proof.POOL: "many caches answer under this name",
}
_MOST_BEHIND: Final = 3
_NO_VALUE: Final = {
    Result.MISS: "–",
    Result.UNKNOWN: "?",
    Result.UNREADABLE: "?",
}


def looked_at(found: DriftView) -> str:
    """What the page speaks for, in words."""
    more = "" if found.is_all else ", the newest of more"
    keys = count(found.keys, "key")
    return f"{keys} looked at on {count(found.nodes, 'node')}{more}"


def matrix(page: DriftPage, address: Address, prefix: str) -> Component:
    """A row a key, a column a node; or what was looked at that nothing was found in."""
    rows = page.found.rows
    if not rows:
        return _nothing_apart(page)
    shown = [_matrix_row(row, page.columns, address, prefix) for row in rows[:SHOWN_ROWS]]
    body: list[Component] = [
        html.Div(
            html.Table(
                [
                    html.Caption("Versions by node", className="visually-hidden"),
                    html.Thead(_heads(page.columns)),
                    html.Tbody(shown),
                ],
                className="matrix",
            ),
            className="matrix-box",
            tabIndex="0",
            role="region",
            **attributes(aria_label="Versions by node, scrolls sideways"),
        )
    ]
    if len(rows) > SHOWN_ROWS:
        body.append(html.P(f"The first {SHOWN_ROWS} of {len(rows)} keys.", className="hint"))
    return html.Div(body)


def _nothing_apart(page: DriftPage) -> Component:
    words = f"{looked_at(page.found)} {page.window.in_words}"
    if not page.found.keys:
        text = (
            f"No key changed or was read other than fresh {page.window.in_words}; "
            "keys that nothing spoke of were not compared."
        )
        return empty("Nothing was compared", text)
    return empty("No copies differ", f"{words}: the newest copies of each agree.", is_good=True)


def _heads(columns: Sequence[NodeRow]) -> list[Component]:
    groups = [
        html.Th(
            [layer, html.Span(f" · {region}" if region else "", className="side-layer")],
            colSpan=len(list(group)),
            scope="colgroup",
            className="matrix-group",
        )
        for (layer, region), group in groupby(columns, key=lambda row: (row.layer, row.region))
    ]
    names = [
        html.Th(row.node, scope="col", className=f"matrix-node matrix-{row.state}")
        for row in columns
    ]
    corner = html.Th("Key", rowSpan=2, scope="col", className="matrix-key")
    latest = html.Th("Origin", rowSpan=2, scope="col")
    return [html.Tr([corner, latest, *groups]), html.Tr(names)]


def _matrix_row(row: Row, columns: Sequence[NodeRow], address: Address, prefix: str) -> Component:
    held = {(each.layer, each.node): each for each in row.nodes}
    page = address.key_page(row.keyspace, row.key)
    name = link(shortened(row.key, 40) or "(empty key)", page.href(prefix))
    cells = [_square(held.get((each.layer, each.node)), each) for each in columns]
    return html.Tr(
        [
            html.Th([name, html.Div(row.keyspace, className="under")], scope="row",
                    className="matrix-key cell-key"),
            html.Td(version(row.latest), className="matrix-cell matrix-origin"),
            *cells,
        ],
        **attributes(data_apart=row.key),
    )  # fmt: skip


def _square(held: Held | None, node: NodeRow) -> Component:
    where = f"{node.layer} · {node.node}"
    if held is None:
        return html.Td("", className="matrix-cell matrix-nothing", title=f"{where}: not read")
    seen = f"last read {instant(held.seen_at_ns)}"
    if held.value is None:
        look = "nothing" if held.result is Result.MISS else "unknown"
        title = f"{where}: {held.result.value}, {seen}"
        return html.Td(_NO_VALUE[held.result], className=f"matrix-cell matrix-{look}", title=title)
    if held.versions_behind is None:
        title = f"{where}: a value without an order, {seen}"
        return html.Td(version(held.value), className="matrix-cell matrix-unknown", title=title)
    behind = held.versions_behind
    words = f"{count(behind, 'known version')} behind" if behind else "the newest known version"
    look = f"behind-{min(behind, _MOST_BEHIND)}"
    title = f"{where}: {words}, {seen}"
    return html.Td(version(held.value), className=f"matrix-cell {look}", title=title)


def apart_list(page: DriftPage, address: Address, prefix: str, now_ns: int) -> Component:
    """What is proven of disagreements, those that go on first."""
    said = [each for each in page.found.drifts if each.found.proof is not Proof.OVERLAP]
    found = [each for each in said if not _is_usual(each)]
    usual = count(len(said) - len(found), "other")
    spread = f"{usual} ended within what the layer promises: normal while a change spreads."
    if not found:
        words = f"None in {looked_at(page.found)}. "
        return html.P(words + (spread if said else ""), className="hint")
    heads = ("Key", "Between", "Older → newer", "Disagreed for", "Since", "Standing")
    rows = [_drift(each, address, prefix, now_ns) for each in found[:SHOWN]]
    body: list[Component] = [table("Disagreements", heads, rows)]
    if len(found) > SHOWN:
        body.append(html.P(f"The first {SHOWN} of {len(found)}.", className="hint"))
    if len(said) > len(found):
        body.append(html.P(spread, className="hint"))
    return html.Div(body)


def _is_usual(each: Drift) -> bool:
    return each.found.is_over and each.standing is Standing.WITHIN


def _drift(each: Drift, address: Address, prefix: str, now_ns: int) -> Component:
    words, tone = STANDINGS[each.standing]
    return html.Tr(
        [
            cell("Key", _key(each.keyspace, each.key, each.finding, address, prefix, now_ns),
                 "cell-key"),
            cell("Between", _between(each), "cell-node"),
            cell("Older → newer", _versions(each.older.value, each.newer.value), "num"),
            cell("Disagreed for", _lasted(each), "num-wrap"),
            cell("Since", _since(each, now_ns), "num-wrap"),
            cell("Standing", [pill(words, tone), _why(each)], "cell-cause"),
        ],
        **attributes(data_drift=each.key),
    )  # fmt: skip


def _key(
    keyspace: str,
    key: str,
    finding: FindingRow | None,
    address: Address,
    prefix: str,
    now_ns: int,
) -> list[Component]:
    page = address.key_page(keyspace, key)
    if finding is not None:
        window = window_of(finding, now_ns)
        page = page.at(window.since_ns, window.until_ns)
    return [
        link(shortened(key, 60) or "(empty key)", page.href(prefix)),
        html.Div(keyspace, className="under"),
    ]


def _between(each: Drift) -> list[Component]:
    nodes = f"{each.older.node}, {each.newer.node}"
    more = f" and {each.pairs - 1} more pairs" if each.pairs > 2 else ""
    more = " and one more pair" if each.pairs == 2 else more
    kind = each.scope
    place = " / ".join(kind.layers) + (f" · {kind.region}" if kind.region else "")
    return [
        html.Div(nodes + more, className="strong"),
        html.Div(f"{'nodes of ' if kind.kind == 'layer' else 'layers '}{place}", className="under"),
    ]


def _versions(older: object, newer: object) -> Component:
    held = html.Span(version(older), className="held")  # type: ignore[arg-type]
    latest = html.Span(version(newer), className="latest")  # type: ignore[arg-type]
    return html.Span([held, " → ", latest])


def _lasted(each: Drift) -> list[Child]:
    if each.found.proof is not Proof.PROVEN:
        return [html.Span("unknown", className="hint")]
    lasted = interval(each.found.lower, each.found.upper)
    return [
        lasted,
        html.Div(f"promised {interval(each.limit_ns, each.limit_ns)}", className="under"),
    ]


def _since(each: Drift, now_ns: int) -> list[Child]:
    at = each.found.since_upper
    ended = "over" if each.found.is_over else ago(at, now_ns)
    return [
        html.Time(instant(at), dateTime=instant(at, with_date=True)),
        html.Div(ended, className="under"),
    ]


def _why(each: Drift) -> Component | None:
    said = [] if each.found.proof is Proof.PROVEN else [PROOFS[each.found.proof]]
    if each.finding is not None:
        said.append(f"finding: {each.finding.state}, {cause(each.finding.cause)}")
    return html.Div("; ".join(said), className="under wrap") if said else None


def went_back_list(page: DriftPage, address: Address, prefix: str, now_ns: int) -> Component:
    """Nodes that showed a version and later an older one."""
    found = page.found.regressions
    if not found:
        return html.P(f"None in {looked_at(page.found)}.", className="hint")
    heads = ("Key", "Node", "Showed → then", "Between", "What it says")
    rows = [_went_back(each, address, prefix, now_ns) for each in found[:SHOWN]]
    return table("Regressions", heads, rows)


def _went_back(each: WentBack, address: Address, prefix: str, now_ns: int) -> Component:
    found = each.found
    is_proven = found.proof is Proof.PROVEN
    where = f"{each.layer} · {each.region}" if each.region else each.layer
    said = "went back" if is_proven else PROOFS[found.proof]
    restarted = " after a restart" if found.has_restarted else ""
    node = [html.Div(each.node, className="strong"), html.Div(where, className="under")]
    return html.Tr(
        [
            cell("Key", _key(each.keyspace, each.key, each.finding, address, prefix, now_ns),
                 "cell-key"),
            cell("Node", node, "cell-node"),
            cell("Showed → then", _versions(found.before, found.then), "num"),
            cell("Between", f"{instant(found.after)} and {instant(found.by)}", "num-wrap"),
            cell("What it says", [pill("proven" if is_proven else "not proven",
                                       "bad" if is_proven else "unknown"),
                                  html.Div(said + restarted, className="under wrap")],
                 "cell-cause"),
        ],
        **attributes(data_back=each.key),
    )  # fmt: skip
