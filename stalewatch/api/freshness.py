"""The share of fresh reads of a window, and how much the sample can say."""

from collections import defaultdict

from freshness.budget import count_nines
from freshness.counts import count_reads
from freshness.indicator import indicator, unknown_share
from freshness.rollup import Rollup
from stalewatch.api.asked import FreshnessAsked
from stalewatch.api.items import Item
from store.base import Store
from store.cells import Cells, Place, add_up, read_cells

CONFIDENCE = 0.95
Group = tuple[str, str | None, str | None]


def freshness_of(store: Store, asked: FreshnessAsked, now_ns: int) -> tuple[Cells, list[Item]]:
    """The cells of the window, and an item for each keyspace, layer or node that was read."""
    since_ns = now_ns - asked.window
    cells = read_cells(store, since_ns, now_ns, asked.keyspace, asked.layer, asked.node)
    groups: defaultdict[Group, list[Rollup]] = defaultdict(list)
    for place, cell in cells.sampled.items():
        groups[_group(place, asked)].append(cell)
    ordered = sorted(groups, key=lambda group: [name or "" for name in group])
    return cells, [_item(group, add_up(groups[group])) for group in ordered]


def _group(place: Place, asked: FreshnessAsked) -> Group:
    layer = place.layer if asked.by in ("layer", "node") else None
    return place.keyspace, layer, place.node if asked.by == "node" else None


def _item(group: Group, cell: Rollup) -> Item:
    keyspace, layer, node = group
    return {
        "keyspace": keyspace,
        "layer": layer,
        "node": node,
        "freshness": _shares(cell),
        "supported_nines": count_nines(count_reads(cell), CONFIDENCE),
        "verdicts": {
            "fresh": cell.fresh.n,
            "stale": cell.stale.n,
            "indeterminate": cell.indeterminate.n,
            "unknown": cell.unknown.n,
        },
        "results": {
            "hit": cell.hits,
            "negative": cell.negatives,
            "miss": cell.misses,
            "unreadable": cell.unreadable,
            "unanswered": cell.unanswered,
        },
        "unknown_share": unknown_share(cell),
        "minutes_with_reads": cell.clusters,
    }


def _shares(cell: Rollup) -> Item | None:
    """Null where nothing was judged: that is no share, not a good one."""
    found = indicator(cell, CONFIDENCE)
    if found is None:
        return None
    return {
        "good": found.good,
        "interval": list(found.sampling),
        "confidence": CONFIDENCE,
        "n_effective": found.n_effective,
        "at_least": found.at_least,
        "at_most": found.at_most,
    }
