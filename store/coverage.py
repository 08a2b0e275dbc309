"""What the evidence of a window can speak for, and what it cannot see, read from any store."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from freshness.blind_spots import BlindSpot, Gathered, find_blind_spots
from freshness.budget import count_nines
from freshness.check import CheckCell, Seen
from freshness.counts import count_reads
from freshness.indicator import unknown_share
from freshness.model import Reason, Result, Verdict
from freshness.nines import clean_reads_needed
from freshness.rollup import SAMPLED, Rollup
from store.base import ORIGIN, NodeRow, ReadRow, Store
from store.cells import Cells, Place, add_up
from store.gaps import GapRow
from store.sweeps import NodeSwept, SweepRow, total_of

MOST_KEYS: Final = 10_000
READS_LOOKED_AT: Final = 500
SWEEPS_LOOKED_AT: Final = 500
SILENCES_SHOWN: Final = 50
_SECOND_NS: Final = 10**9
Name = tuple[str, str]


class Minutes(NamedTuple):
    """(node, minute) pairs with a judged read, of those that there were."""

    observed: int
    expected: int


class KeysSeen(NamedTuple):
    """Keys with a read in the store; `is_all` is false where there are more than were counted."""

    keyspace: str
    seen: int
    is_all: bool


class Silence(NamedTuple):
    """A time in which no copy of a keyspace was judged anywhere."""

    keyspace: str
    since_ns: int
    until_ns: int


class Checks(NamedTuple):
    """Event-triggered checks by what they found; `weight` is how many they stand for."""

    n: int
    weight: float
    seen: Mapping[Seen, int]

    @property
    def lost(self) -> int:
        """Those that say nothing: not read in time, or without an answer."""
        return self.seen.get(Seen.SKIPPED, 0) + self.seen.get(Seen.UNANSWERED, 0)


class Swept(NamedTuple):
    """The newest sweep that came to its end."""

    ended_at_ns: int
    expected: int | None
    total: NodeSwept


@dataclass(frozen=True, slots=True)
class NodeCover:
    """One node of the catalogue and what was read there; shares are None where nothing was."""

    row: NodeRow
    minutes: Minutes
    reads: int
    unknown_share: float | None
    indeterminate_share: float | None


@dataclass(frozen=True, slots=True)
class LayerCover:
    """One keyspace on one layer.

    `strata` counts the reads of each stratum. `walk_ns` is how long a walk over all keys takes at
    the pace that was measured: a random fault waits half of it for its read on average, and all of
    it at worst. None is not known. `nines` are those that `clusters` (node, minute) pairs support;
    the next takes `needed` clean ones.
    """

    keyspace: str
    layer: str
    nodes: int
    nodes_silent: int
    minutes: Minutes
    strata: Mapping[str, int]
    keys: KeysSeen
    walk_ns: int | None
    nines: int
    clusters: int
    needed: int
    stale: int
    checks: Checks
    swept: Swept | None
    blind: Sequence[BlindSpot]


@dataclass(frozen=True, slots=True)
class Coverage:
    """All of a window. Nodes are by layer and name; `silent` are those that do not answer.

    `counted_from_ns` is the window's start, or the data's in it. Reasons are of the newest reads
    that were not judged fresh or stale.
    """

    since_ns: int
    until_ns: int
    counted_from_ns: int
    minutes: Minutes
    nodes: Sequence[NodeCover]
    layers: Sequence[LayerCover]
    keys: Sequence[KeysSeen]
    total: Rollup
    origins: Sequence[NodeRow]
    gaps: Sequence[GapRow]
    silences: Sequence[Silence]
    why: Mapping[Verdict, Sequence[tuple[Reason, int]]]

    @property
    def listed(self) -> Sequence[NodeRow]:
        """Nodes that are listed still."""
        return [each.row for each in self.nodes if each.row.state != "gone"]

    @property
    def silent(self) -> Sequence[NodeRow]:
        """Nodes that do not answer, or are no longer listed."""
        return [each.row for each in self.nodes if each.row.state != "up"]

    @property
    def reads(self) -> int:
        """Sampled reads, judged or not."""
        return self.total.judged.n + self.total.unknown.n


def read_coverage(
    store: Store,
    cells: Cells,
    begins_ns: int,
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
) -> Coverage:
    """Of the nodes and reads that the filters leave; the store's data begins at `begins_ns`."""
    return _Reader(store, cells, begins_ns, keyspace, layer, node).read()


class _Reader:
    """What is read once for the whole document."""

    def __init__(
        self,
        store: Store,
        cells: Cells,
        begins_ns: int,
        keyspace: str | None,
        layer: str | None,
        node: str | None,
    ) -> None:
        self._store = store
        self._cells = cells
        self._from_ns = max(cells.since_ns, begins_ns)
        self._catalogue = store.nodes()
        self._nodes = [
            row
            for row in self._catalogue
            if row.layer != ORIGIN and layer in (None, row.layer) and node in (None, row.node)
        ]
        self._unfresh = [
            row
            for row, _ in store.reads(
                keyspace, since_ns=cells.since_ns, until_ns=cells.until_ns, limit=READS_LOOKED_AT
            )
            if layer in (None, row.layer) and node in (None, row.node)
        ]
        names = {keyspace} if keyspace else {place.keyspace for place in cells.everything}
        self._keys = {name: self._count_keys(name) for name in sorted(names)}
        self._sweeps = store.sweeps(limit=SWEEPS_LOOKED_AT)
        self._checks = self._count_checks(keyspace, node)

    def read(self) -> Coverage:
        """The whole of it."""
        cells = self._cells
        nodes = [self._node(row) for row in self._nodes]
        watched = [each.minutes for each in nodes if each.row.state != "gone"]
        return Coverage(
            since_ns=cells.since_ns,
            until_ns=cells.until_ns,
            counted_from_ns=self._from_ns,
            minutes=_sum(watched),
            nodes=nodes,
            layers=self._layers(),
            keys=list(self._keys.values()),
            total=cells.total(),
            origins=[row for row in self._catalogue if row.layer == ORIGIN],
            gaps=self._store.gaps(cells.since_ns, cells.until_ns),
            silences=self._silences(),
            why=_reasons(self._unfresh),
        )

    def _node(self, row: NodeRow) -> NodeCover:
        at = row.layer, row.node
        own = add_up(c for p, c in self._cells.sampled.items() if (p.layer, p.node) == at)
        judged = own.judged.n
        return NodeCover(
            row,
            self._minutes(self._cells.sampled, [row]),
            judged + own.unknown.n,
            unknown_share(own),
            own.indeterminate.n / judged if judged else None,
        )

    def _layers(self) -> list[LayerCover]:
        seen = {(place.keyspace, place.layer) for place in self._cells.everything}
        listed = {row.layer for row in self._nodes}
        return [self._layer(*name) for name in sorted(seen) if name[1] in listed]

    def _layer(self, keyspace: str, layer: str) -> LayerCover:
        nodes = [row for row in self._nodes if row.layer == layer and row.state != "gone"]
        own = {p: c for p, c in self._cells.sampled.items() if p[1:3] == (keyspace, layer)}
        total, keys = add_up(own.values()), self._keys[keyspace]
        walk_ns, minutes = _walk_ns(own.values(), keys), self._minutes(own, nodes)
        nines = count_nines(count_reads(total))
        needed = clean_reads_needed(nines + 1)
        checks = self._checks[keyspace, layer]
        swept = _newest(self._sweeps, keyspace, layer)
        silent = sum(row.state != "up" for row in nodes)
        gathered = Gathered(
            nodes=len(nodes),
            nodes_silent=silent,
            minutes_observed=minutes.observed,
            minutes_expected=minutes.expected,
            reads=total.judged.n,
            walk_ns=walk_ns,
            has_messages=self._has_messages(keyspace),
            is_pool=bool(nodes) and all(row.is_pool for row in nodes),
            checks=checks.n,
            checks_lost=checks.lost,
            checks_weight=checks.weight,
            swept_ago_ns=None if swept is None else self._cells.until_ns - swept.ended_at_ns,
            tells_lifetimes=_tells_lifetimes(self._unfresh, keyspace, layer),
            missing_samples=None if total.stale.n else max(0, needed - total.clusters),
        )
        return LayerCover(
            keyspace=keyspace,
            layer=layer,
            nodes=len(nodes),
            nodes_silent=silent,
            minutes=minutes,
            strata=self._strata(keyspace, layer),
            keys=keys,
            walk_ns=walk_ns,
            nines=nines,
            clusters=total.clusters,
            needed=needed,
            stale=total.stale.n,
            checks=checks,
            swept=swept,
            blind=find_blind_spots(gathered),
        )

    def _minutes(self, cells: Mapping[Place, Rollup], nodes: Sequence[NodeRow]) -> Minutes:
        """Keyspaces share a node: of several the one with the most minutes counts."""
        names = {(row.layer, row.node) for row in nodes}
        most: dict[tuple[int, str, str], int] = {}
        for place, cell in cells.items():
            at = place.start_s, place.layer, place.node
            if (place.layer, place.node) in names:
                most[at] = max(most.get(at, 0), cell.clusters if cell.judged.n else 0)
        observed = sum(most.values())
        span_ns = max(self._cells.until_ns - self._from_ns, 0)
        return Minutes(observed, max(-(-span_ns // (60 * _SECOND_NS)) * len(nodes), observed))

    def _strata(self, keyspace: str, layer: str) -> Mapping[str, int]:
        counted: Counter[str] = Counter()
        for key, cell in self._cells.strata:
            if (key.keyspace, key.layer) == (keyspace, layer):
                counted[key.stratum] += cell.judged.n + cell.unknown.n
        return dict(sorted(counted.items(), key=lambda each: (each[0] != SAMPLED, each[0])))

    def _count_keys(self, keyspace: str) -> KeysSeen:
        found = len(self._store.keys(keyspace, limit=MOST_KEYS + 1))
        return KeysSeen(keyspace, min(found, MOST_KEYS), found <= MOST_KEYS)

    def _has_messages(self, keyspace: str) -> bool:
        return bool(self._store.newest_invalidations(keyspace, self._cells.since_ns, 1))

    def _count_checks(self, keyspace: str | None, node: str | None) -> defaultdict[Name, Checks]:
        cells: defaultdict[Name, CheckCell] = defaultdict(CheckCell)
        found = self._store.checks(self._cells.since_ns, self._cells.until_ns, keyspace)
        for key, cell in found:
            if node in (None, key.node):
                cells[key.keyspace, key.layer] += cell
        counted = {name: _checks(cell) for name, cell in cells.items()}
        return defaultdict(lambda: Checks(0, 0.0, {}), counted)

    def _silences(self) -> list[Silence]:
        """Buckets in a row without any judged read; the one that runs is not over."""
        grain = self._cells.grain_s
        first, last = (
            -(-self._from_ns // (grain * _SECOND_NS)),
            self._cells.until_ns // (grain * _SECOND_NS),
        )
        found: list[Silence] = []
        for keyspace in self._keys:
            heard = {
                place.start_s // grain
                for place, cell in self._cells.sampled.items()
                if place.keyspace == keyspace and cell.judged.n
            }
            for at in range(first, last):
                if at in heard:
                    continue
                since, until = (each * grain * _SECOND_NS for each in (at, at + 1))
                if found and found[-1].keyspace == keyspace and found[-1].until_ns == since:
                    found[-1] = found[-1]._replace(until_ns=until)
                else:
                    found.append(Silence(keyspace, since, until))
        return sorted(found, key=lambda each: -each.until_ns)[:SILENCES_SHOWN]


def _walk_ns(cells: Iterable[Rollup], keys: KeysSeen) -> int | None:
    """All keys at the pace of a node's walk, in minutes with judged reads; never less than that."""
    reads = minutes = 0
    for cell in cells:
        if cell.clusters:
            minutes += cell.clusters
            reads += cell.hits + cell.negatives + cell.misses + cell.unreadable + cell.unanswered
    if not reads or not keys.is_all:
        return None
    return round(keys.seen * minutes * 60 * _SECOND_NS / reads)


def _sum(minutes: Iterable[Minutes]) -> Minutes:
    pairs = list(minutes)
    return Minutes(sum(each.observed for each in pairs), sum(each.expected for each in pairs))


def _checks(cell: CheckCell) -> Checks:
    seen = {name: n for name, (n, _) in cell.seen.items()}
    return Checks(sum(seen.values()), sum(weight for _, weight in cell.seen.values()), seen)


def _newest(rows: Sequence[SweepRow], keyspace: str, layer: str) -> Swept | None:
    """Of a whole layer; of one node alone a sweep says nothing of the others."""
    done = [
        Swept(row.ended_at_ns, row.expected, total_of(row.nodes))
        for row in rows
        if (row.keyspace, row.layer, row.node) == (keyspace, layer, "")
        and row.state == "done"
        and row.ended_at_ns is not None
        and any(each.entries for each in row.nodes)  # else nobody answered, and nothing is known
    ]
    return max(done, key=lambda each: each.ended_at_ns, default=None)


def _tells_lifetimes(rows: Sequence[ReadRow], keyspace: str, layer: str) -> bool | None:
    """Of the reads that were not fresh, whose copies are kept with all that they told."""
    own = [r for r in rows if (r.keyspace, r.layer, r.result) == (keyspace, layer, Result.VALUE)]
    return any(r.ttl_s is not None or r.age_s is not None for r in own) if own else None


def _reasons(rows: Sequence[ReadRow]) -> dict[Verdict, Sequence[tuple[Reason, int]]]:
    counted: defaultdict[Verdict, Counter[Reason]] = defaultdict(Counter)
    for row in rows:
        counted[row.verdict][row.reason] += 1
    return {verdict: counted[verdict].most_common(4) for verdict in Verdict}
