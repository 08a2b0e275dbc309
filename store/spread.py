"""One invalidation at every node that should hear it: its receipts beside what probes saw."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from freshness.propagation import (
    Claimed,
    Commit,
    Message,
    Observed,
    Word,
    bound_commit,
    judge_claim,
    judge_sights,
    worst_of,
)
from store.base import NodeRow
from store.messages import InvalidationRow, ReceiptRow, Told
from store.sights import Sightings
from store.streams import NodeName, Streams

TAKES_NONE: Final = "ttl"
"""The mechanism of a layer that takes no invalidations: it owes no receipt."""
KEYS_EACH: Final = 8
"""Keys of one invalidation whose probes are looked at: they stand for all of them."""
MOST_STRANGERS: Final = 100
"""Nodes that no catalogue has, of one invalidation: a sender may make up any number."""


@dataclass(frozen=True, slots=True)
class NodeSpread:
    """One invalidation at one node. `claimed` and `observed` are never merged.

    `claimed` is None where the layer takes no invalidations, `observed` where probes were not
    looked at, or are of a pool. `is_known`: the catalogue has the node; `is_listed`: discovery
    still lists it.
    """

    layer: str
    node: str
    region: str
    is_known: bool
    is_listed: bool
    limit_ns: int | None
    claimed: Claimed | None
    observed: Observed | None
    receipts: Sequence[ReceiptRow]


@dataclass(frozen=True, slots=True)
class Spread:
    """One invalidation at every node that should hear it, by layer and name.

    `left_out` counts nodes that spoke of it, are in no catalogue and were too many.
    """

    invalidation: InvalidationRow
    nodes: Sequence[NodeSpread]
    left_out: int = 0


class Ground:
    """What a spread is assembled on: the catalogue, probes, sequences, and the present."""

    def __init__(
        self, catalogue: Sequence[NodeRow], sightings: Sightings, streams: Streams, now_ns: int
    ) -> None:
        self._nodes = {(row.layer, row.node): row for row in catalogue}
        self._limits_ns = {row.layer: row.max_staleness_ns for row in catalogue}
        self._sightings = sightings
        self._streams = streams
        self._now_ns = now_ns

    def spread(self, told: Told, layers: Collection[str]) -> Spread:
        """At the nodes of the `layers` that should hear it, and at whatever node spoke of it."""
        row = told.invalidation
        receipts: defaultdict[NodeName, list[ReceiptRow]] = defaultdict(list)
        for receipt in told.receipts:
            receipts[receipt.layer, receipt.node].append(receipt)
        due = {name for name, node in self._nodes.items() if node.layer in layers}
        due = {name for name in due if _is_due(self._nodes[name], row)}
        strangers = sorted(set(receipts) - set(self._nodes))
        names = sorted(due | (set(receipts) & set(self._nodes)) | {*strangers[:MOST_STRANGERS]})
        nodes = [self._at_node(row, name, receipts[name]) for name in names]
        return Spread(row, nodes, max(0, len(strangers) - MOST_STRANGERS))

    def _at_node(
        self, row: InvalidationRow, name: NodeName, receipts: Sequence[ReceiptRow]
    ) -> NodeSpread:
        node = self._nodes.get(name)
        limit_ns = self._limits_ns.get(name[0])
        is_listed = node is not None and node.state != "gone"
        observed = None
        if node is None or not node.is_pool:
            observed = self._observe(row, name, limit_ns, is_listed=is_listed)
        claimed = None
        if receipts or node is None or node.mechanism != TAKES_NONE:
            claimed = self._claim(row, name, receipts, limit_ns, observed, is_listed=is_listed)
        return NodeSpread(
            layer=name[0],
            node=name[1],
            region=node.region if node is not None else "",
            is_known=node is not None,
            is_listed=is_listed,
            limit_ns=limit_ns,
            claimed=claimed,
            observed=observed,
            receipts=receipts,
        )

    def _claim(
        self,
        row: InvalidationRow,
        name: NodeName,
        receipts: Sequence[ReceiptRow],
        limit_ns: int | None,
        observed: Observed | None,
        *,
        is_listed: bool,
    ) -> Claimed:
        return judge_claim(
            Message(row.written_at_ns, row.received_at_ns, row.host),
            [Word(each.outcome, each.at_ns, each.received_at_ns, each.host) for each in receipts],
            limit_ns,
            self._now_ns,
            is_listed=is_listed,
            is_passed=not receipts and self._streams.has_lost(row, name),
            observed=observed,
        )

    def _observe(
        self, row: InvalidationRow, name: NodeName, limit_ns: int | None, *, is_listed: bool
    ) -> Observed | None:
        """None where its probes are too much to look at."""
        version = row.version if row.scope == "key" and row.keys else None
        if version is None:
            return judge_sights(None, Commit(), (), limit_ns)
        accounts = []
        for key in row.keys[:KEYS_EACH]:
            seen = self._sightings.of(row.keyspace, key, row.received_at_ns)
            if seen is None:
                return None
            commit = bound_commit(version, seen.origin)
            sights = seen.nodes.get(name, ())
            accounts.append(judge_sights(version, commit, sights, limit_ns, is_listed=is_listed))
        return worst_of(accounts)


def _is_due(node: NodeRow, row: InvalidationRow) -> bool:
    """A node that was dropped before the message came owes it nothing."""
    return node.state != "gone" or node.since_at_ns >= row.received_at_ns
