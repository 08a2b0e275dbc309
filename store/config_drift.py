"""The catalogue beside what was observed, gathered from any store: what config drift rests on.

Read only, and bounded: it reads counts, a few findings, and the catalogue that the store holds.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from freshness.check import Seen
from freshness.config_drift import (
    LEAST_READS,
    MOST_EXAMPLES,
    Conformity,
    Copies,
    Hearing,
    Lifetimes,
    Placed,
    Workings,
    compare_addressing,
    compare_mechanism,
    compare_ownership,
    compare_subscription,
    compare_ttl,
)
from freshness.model import Result
from freshness.rollup import Rollup
from freshness.strata import is_representative
from freshness.ttl_sample import GRAIN_S, TtlCell
from store.base import ORIGIN, Grain, NodeRow, Store
from store.catalogue_history import Document, Entry
from store.healings import Healed, read_healed
from store.spread import TAKES_NONE
from store.streams import NodeName

HOUR_NS: Final = 3_600 * 10**9
MINUTES_NS: Final = 6 * HOUR_NS
"""A longer window is counted by the hour."""
MOST_ORIGIN_KEYS: Final = 50
MOST_PLACED: Final = 200
Owners = Callable[[str, str], Collection[str] | None]
"""(keyspace, key) → the nodes of a layer that own the key, None where that is not known."""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One comparison: of a layer, or of a keyspace on it, or of one node (empty where of all).

    `documented` is what the catalogue says, in words.
    """

    layer: str
    keyspace: str
    node: str
    documented: str
    result: Conformity


def read_config_drift(
    store: Store, now_ns: int, window_ns: int = HOUR_NS, owners: Mapping[str, Owners] | None = None
) -> Sequence[DriftRow]:
    """Every comparison of what the catalogue of the store documents, by layer and kind.

    `owners` are by layer; of a layer without, who owns a key is not known.
    """
    return list(_Comparison(store, now_ns, window_ns).rows(owners or {}))


class _Comparison:
    """What the store counted in one window."""

    def __init__(self, store: Store, now_ns: int, window_ns: int) -> None:
        self._store, self._now_ns = store, now_ns
        self._since_ns = now_ns - window_ns
        documents = {row.entry: row.document or {} for row in store.catalogue()}
        self._layers = {e.name: each for e, each in documents.items() if e.section == "layer"}
        self._keyspaces = {e.name: each for e, each in documents.items() if e.section == "keyspace"}
        self._nodes = [n for n in store.nodes() if n.layer != ORIGIN and n.state != "gone"]
        self._receipts = {(at, n): count for at, n, count in store.receipt_counts(self._since_ns)}
        self._checks = self._count_checks()
        self._found = self._count_reads(window_ns)
        self._healed = read_healed(store, self._since_ns, now_ns)

    def rows(self, owners: Mapping[str, Owners]) -> Iterator[DriftRow]:
        for layer, said in self._layers.items():
            yield from self._ttls(layer, said)
            yield self._mechanism(layer, said)
            yield from self._addressing(layer)
            if said["mechanism"] != TAKES_NONE:
                yield from self._subscription(layer, said)
            yield from self._ownership(layer, said, owners.get(layer))

    def _ttls(self, layer: str, said: Document) -> Iterator[DriftRow]:
        ttl_ns, jitter_ns = said["documented_ttl_ns"], said["ttl_jitter_ns"]
        lifetimes = Lifetimes(ttl_ns, jitter_ns, bool(said["fills_from"]))
        documented = "none" if ttl_ns is None else f"{ttl_ns / 1e9:g} s"
        documented += f" ± {jitter_ns / 1e9:g} s" if jitter_ns else ""
        since_ns = max(self._since_ns, self._ttl_stands_since(layer))
        cells: defaultdict[tuple[str, str], TtlCell] = defaultdict(TtlCell)
        for key, cell in self._store.ttl_samples(since_ns - GRAIN_S * 10**9, self._now_ns + 1):
            if key.layer == layer and (cell.first_ns or 0) >= since_ns:
                cells[key.keyspace, key.node] += cell
        for (keyspace, node), cell in sorted(cells.items()) or [(("", ""), TtlCell())]:
            yield DriftRow(layer, keyspace, node, documented, compare_ttl(cell, lifetimes))

    def _ttl_stands_since(self, layer: str) -> int:
        """From when on each entry has the documented lifetime: those of before had time to end."""
        for row in self._store.catalogue_history(Entry("layer", layer)):
            if row.before is None or row.document is None:
                return 0
            before = row.before["documented_ttl_ns"], row.before["ttl_jitter_ns"]
            if before != (row.document["documented_ttl_ns"], row.document["ttl_jitter_ns"]):
                return row.at_ns + int((before[0] or 0) + before[1])
        return 0

    def _mechanism(self, layer: str, said: Document) -> DriftRow:
        own: list[Healed] = [each for each in self._healed if each.layer == layer]
        counts = [count for (at, _), count in self._receipts.items() if at == layer]
        checks = [pair for (at, _), pair in self._checks.items() if at == layer]
        by_time = said["mechanism"] == TAKES_NONE
        nodes = sorted(node for at, node in self._receipts if at == layer)
        workings = Workings(
            is_by_time=by_time,
            receipts=sum(counts),
            healings=Counter(each.way for each in own),
            followed=sum(followed for followed, _ in checks),
            behind=sum(behind for _, behind in checks),
            examples=nodes if by_time else [f"{each.key} at {each.node}" for each in own],
        )
        return DriftRow(layer, "", "", said["mechanism"], compare_mechanism(workings))

    def _addressing(self, layer: str) -> Iterator[DriftRow]:
        for keyspace, said in self._keyspaces.items():
            if layer in said["addressing"]:
                cell = self._found[keyspace, layer]
                found, missed = cell.hits + cell.negatives, cell.misses
                is_empty = not found and not cell.unreadable and missed >= LEAST_READS
                keys = self._keys_at_origin(keyspace) if is_empty else ()
                seen = Copies(found, missed, cell.unreadable, keys)
                documented = str(said["addressing"][layer].get("key", ""))
                yield DriftRow(layer, keyspace, "", documented, compare_addressing(seen))

    def _keys_at_origin(self, keyspace: str) -> Sequence[str]:
        runs = islice(self._store.newest_origin_runs(keyspace), MOST_ORIGIN_KEYS)
        keys = (run.key for run in runs if run.value is not None and not run.value.absent)
        return list(islice(keys, MOST_EXAMPLES))

    def _subscription(self, layer: str, said: Document) -> Iterator[DriftRow]:
        own = [node for node in self._nodes if node.layer == layer]
        for node in own:
            name = node.layer, node.node
            followed, behind = self._checks[name]
            hearing = Hearing(
                own=self._receipts.get(name, 0),
                others=[self._receipts.get((layer, n.node), 0) for n in own if n is not node],
                was_there=self._was_there(node),
                followed=followed,
                behind=behind,
            )
            told = compare_subscription(hearing)
            yield DriftRow(layer, "", node.node, f"takes messages ({said['mechanism']})", told)

    def _was_there(self, node: NodeRow) -> bool:
        return node.state == "up" and node.since_at_ns <= self._since_ns

    def _ownership(
        self, layer: str, said: Document, owners_of: Owners | None
    ) -> Iterator[DriftRow]:
        """Rings are not known here: whoever knows one hands it in."""
        for keyspace in self._keyspaces:
            if layer not in self._keyspaces[keyspace]["addressing"]:
                continue
            if owners_of is None:
                result = compare_ownership((), None)
            else:
                met = self._met(layer, keyspace)
                found = {each.key: owners_of(keyspace, each.key) for each in met}
                known = {key: nodes for key, nodes in found.items() if nodes is not None}
                result = compare_ownership(met, known)
            yield DriftRow(layer, keyspace, "", said["placement"], result)

    def _met(self, layer: str, keyspace: str) -> set[Placed]:
        """Where the keys of the newest messages were met."""
        met: set[Placed] = set()
        page = self._store.invalidations(self._since_ns, self._now_ns, keyspace, limit=MOST_PLACED)
        for told in page.items:
            sent = told.invalidation
            if sent.scope == "key" and len(sent.keys) == 1:  # of several, one may be the node's
                nodes = {each.node for each in told.receipts if each.layer == layer}
                met |= {Placed(sent.keys[0], node, is_receipt=True) for node in nodes}
        for key in sorted({each.key for each in met})[:MOST_ORIGIN_KEYS]:
            spans = self._store.spans(keyspace, key, self._since_ns, self._now_ns)
            held = [each for each in spans if each.result is Result.VALUE]
            met |= {Placed(key, one.node, is_receipt=False) for one in held if one.layer == layer}
        return met

    def _count_checks(self) -> defaultdict[NodeName, tuple[int, int]]:
        """(shown within the maximum staleness, not shown after it), by layer and node."""
        counts: defaultdict[NodeName, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for key, cell in self._store.checks(self._since_ns, self._now_ns):
            most_ns = self._layers.get(key.layer, {}).get("max_staleness_ns", 0)
            followed, behind = counts[key.layer, key.node]
            if 0 < key.horizon_ns <= max(most_ns, 10**9) and Seen.VISIBLE in cell.seen:
                followed += cell.seen[Seen.VISIBLE].n
            if key.horizon_ns >= most_ns and Seen.BEHIND in cell.seen:
                behind += cell.seen[Seen.BEHIND].n
            counts[key.layer, key.node] = followed, behind
        return counts

    def _count_reads(self, window_ns: int) -> defaultdict[tuple[str, str], Rollup]:
        grain: Grain = "minute" if window_ns <= MINUTES_NS else "hour"
        found: defaultdict[tuple[str, str], Rollup] = defaultdict(Rollup)
        for key, cell in self._store.rollups(grain, self._since_ns, self._now_ns):
            if is_representative(key.stratum):
                found[key.keyspace, key.layer] += cell
        return found
