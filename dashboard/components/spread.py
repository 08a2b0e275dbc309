"""Invalidations as rows, the lag by layer, and one invalidation at each of its nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import Child, attributes, cell, empty, facts, link, pill, table
from dashboard.queries.spread import InvalidationsView, Listed, SpreadView
from dashboard.telling import CAVEATS, STATUSES, WHYS, claimed_lag, delay_words
from dashboard.wording import ago, count, duration, instant, shortened
from freshness.propagation import Caveat, Claimed, Observed, Status, Tally, delay_quantile
from store.messages import InvalidationRow
from store.propagation import LagFigures
from store.spread import NodeSpread

_LIST_HEADS = ("Received at", "Keys", "Version", "Publisher", "Claimed by nodes", "Seen by probes")
_LAG_HEADS = ("Layer", "By", "p50", "p95", "p99", "Max", "Ranked", "Nodes × invalidations")
_NODE_HEADS = ("Node", "Claimed lag", "What the node says", "Observed delay", "What probes say")
_QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("Max", 1.0))
_KEYS_SHOWN = 3
_OUTCOMES_SHOWN = 5
GUIDE = "docs/otlp.md"


def invalidation_list(view: InvalidationsView, address: Address, prefix: str) -> Component:
    """Newest first; where there is none, how to send some."""
    if not view.listed:
        return _none_came(view)
    rows = [_listed(each, address, prefix) for each in view.listed]
    body: list[Child] = [table("Invalidations", _LIST_HEADS, rows)]
    if not view.is_all or view.looked_at > len(rows):
        hint = "Older ones are not listed: narrow the time range, or ask /api/v1/invalidations."
        body.append(html.P(hint, className="hint"))
    return html.Div(body)


def _none_came(view: InvalidationsView) -> Component:
    words: list[Child] = [
        html.Strong("No invalidations"),
        html.Span(
            f"No trace of an invalidation arrived {view.window.in_words}, so nothing is known of "
            "how they spread."
        ),
        html.Span(
            [
                "To send them, point an OpenTelemetry exporter at the OTLP port of this server "
                "(POST /v1/traces, port 4318 by default): ",
                html.Code(GUIDE),
                " has the settings, and the attributes of the spans.",
            ]
        ),
    ]
    mark = html.Span(className="icon icon-empty")
    return html.Div([mark, html.Div(words, className="empty-words")], className="empty")


def _listed(each: Listed, address: Address, prefix: str) -> Component:
    row = each.spread.invalidation
    target = invalidation_page(address, row.id).href(prefix)
    return html.Tr(
        [
            cell("Received at", link(instant(row.received_at_ns), target), "num"),
            cell("Keys", _keys(row), "cell-key"),
            cell("Version", version_words(row), "cell-version"),
            cell("Publisher", row.publisher or "not named"),
            cell("Claimed by nodes", _sides(each.layers, is_claimed=True), "cell-cause"),
            cell("Seen by probes", _sides(each.layers, is_claimed=False), "cell-cause"),
        ],
        **attributes(data_invalidation=row.id),
    )


def invalidation_page(address: Address, id: str) -> Address:
    """The page of one invalidation in the same window; filters that could hide nodes go."""
    kept = replace(address, layer=None, node=None, only_keyspace=None, read=None, search="")
    return replace(kept, page="invalidation", keyspace=None, key=None, invalidation=id)


def _keys(row: InvalidationRow) -> list[Component]:
    return [
        html.Div(keys_words(row), className="mono"),
        html.Div(row.keyspace, className="under"),
    ]


def keys_words(row: InvalidationRow) -> str:
    """The keys of a message, or the tag, prefix or all that stands for them."""
    if row.scope == "all":
        return "all keys"
    named = [shortened(key, 40) or "(empty)" for key in row.keys[:_KEYS_SHOWN]]
    more = len(row.keys) - len(named)
    scope = "" if row.scope == "key" else f"{row.scope} "
    listed = ", ".join(named) or "not named"
    return f"{scope}{listed}" + (f" and {more:,} more" if more > 0 else "")


def version_words(row: InvalidationRow) -> str:
    """The version as it was said, or that it was not."""
    if row.version is not None:
        return f"v{row.version}"
    return shortened(row.version_text, 20) or "not named"


def _sides(layers: Sequence[LagFigures], *, is_claimed: bool) -> Component:
    found = [(each, each.claimed if is_claimed else each.observed) for each in layers]
    lines = [_side(each, tally) for each, tally in found if sum(tally.counts.values())]
    return html.Ul(lines, className="sides") if lines else html.Span("nothing", className="hint")


def _side(each: LagFigures, tally: Tally) -> Component:
    most = delay_words(delay_quantile(tally.delays, 1.0))
    return html.Li(
        [
            html.Span(each.place.layer, className="side-layer"),
            html.Span(most, className="num"),
            *counts(tally.counts),
        ]
    )


def counts(found: Mapping[Status, int]) -> list[Component]:
    """How many of each status, those that there are."""
    return [
        pill(f"{found[status]} {words}", tone)
        for status, (words, tone) in STATUSES.items()
        if found.get(status)
    ]


def lag_table(view: InvalidationsView) -> Component:
    """Two rows a layer: what nodes claim and what probes saw, never in one figure."""
    if not view.lag:
        return empty("Unknown", "Without invalidations there is no lag to tell of.")
    rows = [row for each in view.lag for row in _lag_rows(each)]
    looked = f"Of the {count(view.looked_at, 'invalidation')} {view.window.in_words}"
    newest = f"Of the newest {view.looked_at:,} invalidations {view.window.in_words}"
    hint = (
        f"{looked if view.is_all else newest}. A quantile ranks what has a duration; what is "
        "missing counts as at least its age, and what is unknown is counted beside, not ranked."
    )
    return html.Div([table("Lag by layer", _LAG_HEADS, rows), html.P(hint, className="hint")])


def _lag_rows(each: LagFigures) -> list[Component]:
    two_clocks = each.caveats.get(Caveat.TWO_CLOCKS, 0)
    disagree = each.caveats.get(Caveat.CLOCKS_DISAGREE, 0)
    caveats = [f"{two_clocks} by two clocks"] if two_clocks else []
    caveats += [f"{disagree} where clocks disagree"] if disagree else []
    sides = (("claimed", each.claimed, ", ".join(caveats)), ("observed", each.observed, ""))
    return [_lag_row(each, *side) for side in sides if sum(side[1].counts.values())]


def _lag_row(each: LagFigures, side: str, tally: Tally, caveat: str) -> Component:
    limit = "no maximum" if each.limit_ns is None else f"max {duration(each.limit_ns)}"
    named = [html.Div(each.place.layer, className="strong"), html.Div(limit, className="under")]
    marks = [*counts(tally.counts), html.Span(caveat, className="under")]
    return html.Tr(
        [
            cell("Layer", named),
            cell("By", "what nodes claim" if side == "claimed" else "what probes saw"),
            *(
                cell(name, delay_words(delay_quantile(tally.delays, q)), "num-wrap")
                for name, q in _QUANTILES
            ),
            cell("Ranked", f"{len(tally.delays):,}", "num"),
            cell("Nodes × invalidations", marks, "cell-cause"),
        ],
        **attributes(data_lag=f"{each.place.layer} {side}"),
    )


def invalidation_facts(view: SpreadView) -> Component | None:
    """What the message itself says; None where there is none."""
    if view.spread is None:
        return None
    row = view.spread.invalidation
    sequence = "" if row.sequence is None else f", number {row.sequence}"
    stream = f"{row.stream or 'not named'}{sequence}"
    received = (
        f"{instant(row.received_at_ns, with_date=True)}, {ago(row.received_at_ns, view.now_ns)}"
    )
    return facts(
        [
            ("Id", html.Span(row.id or "(empty)", className="mono")),
            ("Keyspace", row.keyspace),
            ("Keys", html.Span(keys_words(row), className="mono")),
            ("Version", version_words(row)),
            ("Publisher", row.publisher or "not named"),
            ("Stream", stream),
            ("Written at (clock of its host)", instant(row.written_at_ns, with_date=True)),
            ("Reached Stalewatch at", received),
            ("Host", row.host or "not named"),
            ("Trace", html.Span(row.trace_id or "not named", className="mono")),
        ]
    )


def node_table(view: SpreadView) -> Component:
    """A row a node; each status in words, with its reason."""
    if not view.nodes:
        return empty("No nodes", "No node is known that should hear it, and none spoke of it.")
    return table("Nodes", _NODE_HEADS, [_node(each) for each in view.nodes])


def _node(each: NodeSpread) -> Component:
    where = f"{each.layer} · {each.region}" if each.region else each.layer
    marks = [] if each.is_known else [pill("not in the catalogue", "warn")]
    marks += [pill("gone")] if each.is_known and not each.is_listed else []
    named = [html.Div(each.node, className="strong"), html.Div(where, className="under"), *marks]
    return html.Tr(
        [
            cell("Node", named, "cell-node"),
            cell("Claimed lag", _claimed_lag(each.claimed), "num-wrap"),
            cell("What the node says", _claim_words(each), "cell-cause"),
            cell("Observed delay", _observed_delay(each.observed), "num-wrap"),
            cell("What probes say", _observed_words(each), "cell-cause"),
        ],
        **attributes(data_node=f"{each.layer}/{each.node}"),
    )


def _claimed_lag(claimed: Claimed | None) -> list[Child]:
    if claimed is None:
        return ["none owed"]
    caveat = CAVEATS[claimed.caveat] if claimed.caveat is not None else None
    return [claimed_lag(claimed), html.Div(caveat, className="under") if caveat else None]


def _claim_words(each: NodeSpread) -> list[Child]:
    if each.claimed is None:
        return [html.Span("this layer takes no invalidations", className="under")]
    outcomes = [row.outcome for row in each.receipts[:_OUTCOMES_SHOWN]]
    more = len(each.receipts) - len(outcomes)
    said = ", ".join(outcomes) + (f" and {more:,} more" if more > 0 else "")
    return [
        _status(each.claimed.status),
        html.Span(WHYS[each.claimed.why], className="beside"),
        html.Div(f"receipts: {said}", className="under") if said else None,
    ]


def _observed_delay(observed: Observed | None) -> str:
    return delay_words(None if observed is None else observed.delay)


def _observed_words(each: NodeSpread) -> list[Child]:
    observed = each.observed
    if not each.is_known:
        return [html.Span("nobody probes a node that the catalogue lacks", className="under")]
    if observed is None:
        return [html.Span("probes were not looked at: too many keys", className="under")]
    seen = None if observed.seen_by is None else f"first seen by {instant(observed.seen_by)}"
    return [
        _status(observed.status),
        html.Span(WHYS[observed.why], className="beside"),
        html.Div(seen, className="under") if seen else None,
    ]


def _status(status: Status) -> Component:
    words, tone = STATUSES[status]
    return pill(words, tone)
