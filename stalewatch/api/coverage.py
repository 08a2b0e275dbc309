"""What share of nodes, minutes and keys the evidence of a window can speak for."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from freshness.indicator import unknown_share
from freshness.rollup import Rollup
from stalewatch.api.asked import WindowAsked
from stalewatch.api.cells import Cells, add_up, read_cells
from stalewatch.api.items import Item, times
from store.base import ORIGIN, NodeRow, Store

MOST_KEYS: Final = 10_000
NodeName = tuple[str, str]


def coverage_of(store: Store, asked: WindowAsked, now_ns: int) -> Item:
    """The whole document; `items` are the nodes."""
    cells = read_cells(store, asked, now_ns)
    rows = [row for row in store.nodes() if _is_asked(row, asked)]
    listed = [row for row in rows if row.state != "gone"]
    observed = _minutes_observed(cells)
    own: defaultdict[NodeName, list[Rollup]] = defaultdict(list)
    for at, cell in cells.walked.items():
        own[at.layer, at.node].append(cell)
    items = [
        _node(row, own[row.layer, row.node], observed[row.layer, row.node], cells.minutes)
        for row in rows
    ]
    watched = [item for item in items if item["state"] != "gone"]
    return {
        "window": cells.window(),
        "nodes": {"answering": sum(row.state == "up" for row in listed), "listed": len(listed)},
        "minutes": {
            "observed": sum(item["minutes"]["observed"] for item in watched),
            "expected": cells.minutes * len(watched),
        },
        **_unsure(add_up(cells.walked.values())),
        "keys": _keys_seen(store, cells, asked.keyspace),
        "items": items,
        "next": None,
    }


def _is_asked(row: NodeRow, asked: WindowAsked) -> bool:
    is_cache = row.layer != ORIGIN
    return is_cache and asked.layer in (None, row.layer) and asked.node in (None, row.node)


def _node(row: NodeRow, own: Sequence[Rollup], observed: int, expected: int) -> Item:
    return {
        "layer": row.layer,
        "node": row.node,
        "region": row.region,
        "state": row.state,
        "why": row.why,
        **times(since=row.since_at_ns, answered_at=row.answered_at_ns),
        "minutes": {"observed": observed, "expected": expected},
        **_unsure(add_up(own)),
    }


def _unsure(cell: Rollup) -> Item:
    """Shares are null where nothing was read, or nothing judged."""
    judged = cell.judged
    return {
        "reads": judged.n + cell.unknown.n,
        "unknown_share": unknown_share(cell),
        "indeterminate_share": cell.indeterminate.n / judged.n if judged.n else None,
    }


def _minutes_observed(cells: Cells) -> defaultdict[NodeName, int]:
    """Minutes with a judged read. Of keyspaces that share a node, the one with the most counts."""
    most: dict[tuple[int, str, str], int] = {}
    for place, cell in cells.every.items():
        at = place.start_s, place.layer, place.node
        most[at] = max(most.get(at, 0), cell.clusters if cell.judged.n else 0)
    minutes: defaultdict[NodeName, int] = defaultdict(int)
    for (_, layer, node), count in most.items():
        minutes[layer, node] += count
    return minutes


def _keys_seen(store: Store, cells: Cells, keyspace: str | None) -> Sequence[Item]:
    """Of each keyspace that was read; `is_all` is false where there are more than were counted."""
    keyspaces = {keyspace} if keyspace is not None else {at.keyspace for at in cells.every}
    items = []
    for name in sorted(keyspaces):
        count = len(store.keys(name, limit=MOST_KEYS + 1))
        items.append(
            {"keyspace": name, "seen": min(count, MOST_KEYS), "is_all": count <= MOST_KEYS}
        )
    return items
