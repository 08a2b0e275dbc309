"""What share of nodes, minutes and keys the evidence of a window can speak for, as JSON."""

from collections.abc import Sequence

from freshness.blind_spots import Blind, BlindSpot
from freshness.check import Seen
from freshness.indicator import unknown_share
from freshness.resident import resident
from stalewatch.api.asked import WindowAsked
from stalewatch.api.items import Item, node_item, times
from store.base import Store
from store.begin import data_begins_ns
from store.cells import read_cells
from store.coverage import (
    Checks,
    Coverage,
    KeysSeen,
    LayerCover,
    Minutes,
    NodeCover,
    Swept,
    read_coverage,
)
from store.gaps import GapRow


def coverage_of(store: Store, asked: WindowAsked, now_ns: int) -> Item:
    """The whole document; `items` are the nodes."""
    named = asked.keyspace, asked.layer, asked.node
    cells = read_cells(store, now_ns - asked.window, now_ns, *named)
    begins_ns = data_begins_ns(store, cells.since_ns, store.nodes())
    return _document(read_coverage(store, cells, begins_ns, *named))


def _document(seen: Coverage) -> Item:
    answering = sum(row.state == "up" for row in seen.listed)
    judged = seen.total.judged.n
    return {
        "window": times(since=seen.since_ns, until=seen.until_ns),
        **times(counted_from=seen.counted_from_ns),
        "nodes": {"answering": answering, "listed": len(seen.listed)},
        "minutes": _minutes(seen.minutes),
        "reads": seen.reads,
        "unknown_share": unknown_share(seen.total),
        "indeterminate_share": seen.total.indeterminate.n / judged if judged else None,
        "keys": [_keys(each) for each in seen.keys],
        "layers": [_layer(each) for each in seen.layers],
        "origins": [node_item(row) for row in seen.origins],
        "gaps": [_gap(row) for row in seen.gaps],
        "silences": [
            {"keyspace": each.keyspace, **times(since=each.since_ns, until=each.until_ns)}
            for each in seen.silences
        ],
        "items": [_node(each) for each in seen.nodes],
        "next": None,
    }


def _node(each: NodeCover) -> Item:
    row = each.row
    return {
        "layer": row.layer,
        "node": row.node,
        "region": row.region,
        "state": row.state,
        "why": row.why,
        **times(since=row.since_at_ns, answered_at=row.answered_at_ns),
        "minutes": _minutes(each.minutes),
        "reads": each.reads,
        "unknown_share": each.unknown_share,
        "indeterminate_share": each.indeterminate_share,
    }


def _layer(each: LayerCover) -> Item:
    walk_ns = each.walk_ns
    return {
        "keyspace": each.keyspace,
        "layer": each.layer,
        "nodes": {"answering": each.nodes - each.nodes_silent, "listed": each.nodes},
        "minutes": _minutes(each.minutes),
        "strata": each.strata,
        "walk_ns": walk_ns,
        "random_loss_found_after_ns": None if walk_ns is None else [walk_ns // 2, walk_ns],
        "supported_nines": each.nines,
        "clean_samples": {"have": each.clusters, "next_nine_needs": each.needed},
        "stale": each.stale,
        "checks": _checks(each.checks),
        "last_sweep": None if each.swept is None else _swept(each.swept),
        "cannot_see": [_blind(spot) for spot in each.blind],
    }


def _checks(checks: Checks) -> Item:
    counted = {name.value: checks.seen.get(name, 0) for name in Seen}
    return {"due": checks.n, "stand_for": checks.weight, "lost": checks.lost, **counted}


def _swept(swept: Swept) -> Item:
    total = swept.total
    found = resident(total.right, total.wrong, total.indeterminate)
    return {
        **times(ended_at=swept.ended_at_ns),
        "entries": total.entries,
        "expected": swept.expected,
        "unknown": total.unknown,
        "share_right": None if found is None else found.good,
        "interval": None if found is None else list(found.sampling),
    }


def _blind(spot: BlindSpot) -> Item:
    """A reason, and of its figures the one that it is about."""
    item: Item = {"reason": spot.kind}
    if spot.kind in _LENGTHS:
        item["length_ns"] = spot.length_ns
    if spot.kind in _SHARES:
        item["share"] = spot.share
    if spot.kind in _NUMBERS:
        item["number"] = spot.number
    return item


_LENGTHS = (Blind.SLOW_WALK, Blind.OLD_SWEEP)
_SHARES = (Blind.LOST_CHECKS, Blind.SAMPLED_CHECKS, Blind.SILENT_MINUTES)
_NUMBERS = (Blind.SILENT_NODES, Blind.FEW_SAMPLES)


def _gap(row: GapRow) -> Item:
    return {"source": row.source, "why": row.why, **times(since=row.since_ns, until=row.until_ns)}


def _keys(seen: KeysSeen) -> Item:
    return {"keyspace": seen.keyspace, "seen": seen.seen, "is_all": seen.is_all}


def _minutes(minutes: Minutes | Sequence[int]) -> Item:
    observed, expected = minutes
    return {"observed": observed, "expected": expected}
