"""Sweeps as JSON: how far each is, and what share of entries it found right."""

from freshness.resident import resident
from stalewatch.api.items import Item, times
from store.sweeps import NodeSwept, SweepRow, total_of


def sweep_item(row: SweepRow) -> Item:
    """One sweep, with what came of each node and of all."""
    return {
        "id": row.id,
        "keyspace": row.keyspace,
        "layer": row.layer,
        "node": row.node or None,
        "state": row.state,
        "why": row.why,
        **times(
            asked_at=row.asked_at_ns,
            started_at=row.started_at_ns,
            updated_at=row.updated_at_ns,
            ended_at=row.ended_at_ns,
        ),
        "expected": row.expected,
        "total": _counts(total_of(row.nodes)),
        "nodes": [
            {"node": each.node, "is_over": each.is_over, "why": each.why, **_counts(each)}
            for each in row.nodes
        ],
    }


def _counts(swept: NodeSwept) -> Item:
    found = resident(swept.right, swept.wrong, swept.indeterminate)
    return {
        "walked": swept.walked,
        "entries": swept.entries,
        "right": swept.right,
        "wrong": swept.wrong,
        "indeterminate": swept.indeterminate,
        "unknown": swept.unknown,
        "gone": swept.gone,
        "misplaced": swept.misplaced,
        "share_right": None if found is None else found.good,
        "share_right_at_least": None if found is None else found.at_least,
        "interval": None if found is None else [found.sampling.low, found.sampling.high],
    }
