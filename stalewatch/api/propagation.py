"""How invalidations spread, as JSON: what nodes claim beside what probes saw, never merged."""

from collections.abc import Sequence
from typing import Final

from freshness.check import Checked, Seen
from freshness.propagation import Claimed, Observed, Tally, delay_quantile
from freshness.visibility import Delay
from stalewatch.api.asked import NS_PER_S, InvalidationsAsked, LagAsked
from stalewatch.api.items import Item, times, whole
from stalewatch.api.problem import ParameterError
from store.base import ORIGIN, Store
from store.messages import InvalidationRow, ReceiptRow
from store.page import Page
from store.propagation import Lag, LagFigures, figure_lag, read_lag, read_spreads
from store.spread import NodeSpread, Spread
from store.streams import NodeGap, NodeSilence
from store.visibility import Visibility, read_visibility

QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
MOST_SHOWN: Final = 100
"""Gaps, silent nodes, unknown nodes and receipts that one answer holds of each."""
_MINUTE_NS: Final = 60 * NS_PER_S


def invalidations_of(store: Store, asked: InvalidationsAsked, now_ns: int) -> Page[Item]:
    """A page of messages, newest first, with their lag by layer. Raises ParameterError."""
    until_ns = now_ns + 1 if asked.until is None else asked.until
    if asked.since >= until_ns:
        raise ParameterError("since", "expected an instant before `until`, which is now by default")
    page = read_spreads(
        store,
        asked.since,
        until_ns,
        now_ns,
        asked.keyspace,
        asked.key,
        asked.limit,
        asked.cursor,
    )
    return Page([_listed(spread) for spread in page.items], page.next)


def spread_item(spread: Spread) -> Item:
    """One message at each node."""
    return {
        **_invalidation(spread.invalidation),
        "layers": [_figures(each) for each in figure_lag([spread], "layer")],
        "nodes": [_node(each) for each in spread.nodes],
        "left_out": spread.left_out,
    }


def lag_of(store: Store, asked: LagAsked, now_ns: int) -> Item:
    """The whole document; `items` are layers or nodes."""
    since_ns = (now_ns - asked.window) // _MINUTE_NS * _MINUTE_NS
    lag = read_lag(store, since_ns, now_ns + 1, asked.keyspace)
    figures = figure_lag(lag.spreads, asked.by, asked.layer, asked.node)
    strangers = [each for each in figures if not each.is_known]
    shown = [each for each in figures if each.is_known] + strangers[:MOST_SHOWN]
    orphans = store.orphan_receipts(since_ns, MOST_SHOWN + 1)
    return {
        "window": times(since=since_ns, until=now_ns),
        "by": asked.by,
        "invalidations": len(lag.spreads),
        "is_all": lag.is_all,
        **times(read_from=min((e.invalidation.received_at_ns for e in lag.spreads), default=None)),
        "orphan_receipts": {
            "count": min(len(orphans), MOST_SHOWN),
            "is_all": len(orphans) <= MOST_SHOWN,
        },
        **_streams(store, lag, asked),
        "left_out": len(figures) - len(shown),
        "checks": [_checks(each) for each in _visibility(store, since_ns, now_ns, asked)],
        "items": [_figures(each) for each in shown],
        "next": None,
    }


def _visibility(store: Store, since_ns: int, now_ns: int, asked: LagAsked) -> Sequence[Visibility]:
    return read_visibility(
        store, since_ns, now_ns + 1, asked.by, asked.keyspace, asked.layer, asked.node
    )


def _checks(each: Visibility) -> Item:
    late = {name: each.cell.late.quantile(q) for name, q in QUANTILES.items()}
    return {
        "layer": each.place.layer,
        "node": each.place.node,
        "horizon_ns": each.horizon_ns,
        "outcomes": {seen.value: each.cell.seen.get(seen, Checked()).n for seen in Seen},
        "shares": {seen.value: share for seen, share in each.cell.shares.items()} or None,
        "late_ns": {name: None if span is None else span.high_ns for name, span in late.items()},
    }


def _listed(spread: Spread) -> Item:
    layers = [_figures(each) for each in figure_lag([spread], "layer")]
    return {**_invalidation(spread.invalidation), "layers": layers}


def _invalidation(row: InvalidationRow) -> Item:
    return {
        "id": row.id,
        "keyspace": row.keyspace,
        "scope": row.scope,
        "keys": list(row.keys),
        "version": whole(row.version),
        "version_text": row.version_text,
        "publisher": row.publisher,
        "stream": row.stream,
        "sequence": whole(row.sequence),
        **times(written_at=row.written_at_ns, received_at=row.received_at_ns),
        "host": row.host,
        "trace_id": row.trace_id,
        "span_id": row.span_id,
    }


def _figures(each: LagFigures) -> Item:
    return {
        "layer": each.place.layer,
        "node": each.place.node,
        "is_known": each.is_known,
        "region": each.region or None,
        "limit_ns": each.limit_ns,
        "invalidations": each.invalidations,
        "claimed": {
            **_side(each.claimed),
            "caveats": {_word(caveat): count for caveat, count in each.caveats.items()},
        },
        "observed": _side(each.observed),
    }


def _side(found: Tally) -> Item:
    return {
        "statuses": {_word(status): count for status, count in found.counts.items()},
        "ranked": len(found.delays),
        "lag_ns": {name: _bounds(delay_quantile(found.delays, q)) for name, q in QUANTILES.items()},
    }


def _node(each: NodeSpread) -> Item:
    return {
        "layer": each.layer,
        "node": each.node,
        "region": each.region or None,
        "is_known": each.is_known,
        "is_listed": each.is_listed,
        "limit_ns": each.limit_ns,
        "claimed": None if each.claimed is None else _claimed(each.claimed),
        "observed": None if each.observed is None else _observed(each.observed),
        "receipts": [_receipt(row) for row in each.receipts[:MOST_SHOWN]],
        "has_more": len(each.receipts) > MOST_SHOWN,
    }


def _claimed(claimed: Claimed) -> Item:
    return {
        "status": claimed.status,
        "reason": claimed.why,
        "caveat": claimed.caveat,
        "lag_ns": claimed.lag,
        "at_most_ns": claimed.at_most,
        "counted_ns": _bounds(claimed.delay),
        **times(at=None if claimed.word is None else claimed.word.at),
    }


def _observed(observed: Observed) -> Item:
    return {
        "status": observed.status,
        "reason": observed.why,
        "delay_ns": _bounds(observed.delay),
        **times(behind_at=observed.behind_at, seen_by=observed.seen_by),
    }


def _receipt(row: ReceiptRow) -> Item:
    return {
        "outcome": row.outcome,
        **times(at=row.at_ns, received_at=row.received_at_ns),
        "host": row.host,
        "trace_id": row.trace_id,
        "span_id": row.span_id,
    }


def _streams(store: Store, lag: Lag, asked: LagAsked) -> Item:
    listed = [
        (row.layer, row.node)
        for row in store.nodes()
        if row.layer != ORIGIN and row.state != "gone"
    ]
    gaps = [gap for gap in lag.streams.gaps() if _is_asked(gap.layer, gap.node, asked)]
    silent = [
        each
        for each in lag.streams.silent(listed)
        if _is_asked(each.layer, each.silence.node, asked)
    ]
    return {
        "gaps": [_gap(each) for each in gaps[:MOST_SHOWN]],
        "silent": [_silence(each) for each in silent[:MOST_SHOWN]],
    }


def _is_asked(layer: str, node: str, asked: LagAsked) -> bool:
    return asked.layer in (None, layer) and asked.node in (None, node)


def _gap(each: NodeGap) -> Item:
    return {
        "publisher": each.stream.publisher,
        "stream": each.stream.stream,
        "layer": each.layer,
        "node": each.node,
        "epoch": each.gap.epoch,
        "first": whole(each.gap.first),
        "last": whole(each.gap.last),
        "count": len(each.gap.messages),
        "is_proof": each.gap.is_proof,
    }


def _silence(each: NodeSilence) -> Item:
    last = each.silence.last
    return {
        "publisher": each.stream.publisher,
        "stream": each.stream.stream,
        "layer": each.layer,
        "node": each.silence.node,
        "is_deaf": each.silence.is_deaf,
        "missed": each.silence.missed,
        "sequence": None if last is None else whole(last.sequence),
        **times(written_at=None if last is None else last.written_at),
    }


def _bounds(delay: Delay | None) -> Sequence[int | None] | None:
    return None if delay is None else [delay.lower, delay.upper]


def _word(name: str) -> str:
    return name.replace("-", "_")
