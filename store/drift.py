"""Copies that disagree, and nodes that went back, read from any store for a window of time.

Bounded: only keys with a reason to look at them, so many of them, and so much of each. Of any
other key nothing is said. Stamps of one clock are compared with each other, never with another's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal, NamedTuple

from freshness.drift import (
    Disagreement,
    Life,
    Proof,
    Regression,
    Standing,
    Stay,
    disagreements,
    lives,
    regressions,
    weigh,
)
from freshness.model import Read, Result, Value
from store.base import ORIGIN, FindingRow, NodeRow, Span, Store

MOST_KEYS: Final = 100
MOST_READS: Final = 500
MOST_STAYS: Final = 100
"""Runs of one key at one node: the newest are looked at."""
BEFORE_NS: Final = 3_600 * 10**9
"""So far before the window runs are read, for how things stood when it began."""
Name = tuple[str, str]
"""Layer and node."""


class Scope(NamedTuple):
    """Whose copies are compared: nodes of one `layer`, or two layers of one `region`."""

    kind: Literal["layer", "region"]
    region: str
    layers: Sequence[str]


class Held(NamedTuple):
    """What a node was last seen with. `versions_behind` counts the known newer versions.

    It is None where the value has no order, or nothing newer can be known of.
    """

    layer: str
    node: str
    region: str
    result: Result
    value: Value | None
    seen_at_ns: int
    versions_behind: int | None


class Drift(NamedTuple):
    """The firmest of the disagreements of one key in one scope; `older` is behind, `newer` not.

    `pairs` counts the pairs of nodes that disagree alike, over or not over. Bounds are nanoseconds.
    """

    keyspace: str
    key: str
    scope: Scope
    older: Held
    newer: Held
    standing: Standing
    found: Disagreement
    limit_ns: int
    pairs: int
    finding: FindingRow | None


class WentBack(NamedTuple):
    """A regression of one node."""

    keyspace: str
    key: str
    layer: str
    node: str
    region: str
    found: Regression
    finding: FindingRow | None


@dataclass(frozen=True, slots=True)
class Row:
    """One key whose newest copies differ, in the order of the nodes' layers and regions."""

    keyspace: str
    key: str
    latest: Value | None
    nodes: Sequence[Held]


@dataclass(slots=True)
class DriftView:
    """What was looked at, and what was found; drifts that go on first, the firmest first.

    `is_all` is false where more keys had a reason to be looked at.
    """

    since_ns: int
    until_ns: int
    keys: int = 0
    nodes: int = 0
    is_all: bool = True
    drifts: list[Drift] = field(default_factory=list)
    regressions: list[WentBack] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def read_drift(
    store: Store,
    since_ns: int,
    until_ns: int,
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
) -> DriftView:
    """The keys with open findings first, then those that changed or were read other than fresh.

    `layer` and `node` leave what concerns them. Costs a read of the runs of each key.
    """
    keys, is_all = _keys(store, since_ns, until_ns, keyspace)
    nodes = {(row.layer, row.node): row for row in store.nodes() if row.layer != ORIGIN}
    view = DriftView(since_ns, until_ns, len(keys), len(nodes), is_all)
    for name in keys:
        _read_key(store, view, name, nodes)
    _keep(view, layer, node)
    view.drifts.sort(key=_firmness)
    view.regressions.sort(key=lambda each: (each.found.proof is not Proof.PROVEN, -each.found.by))
    return view


def _keys(
    store: Store, since_ns: int, until_ns: int, keyspace: str | None
) -> tuple[list[Name], bool]:
    opened = store.findings(open_only=True, keyspace=keyspace, limit=MOST_READS).items
    unfresh = store.reads(keyspace, since_ns=since_ns, until_ns=until_ns, limit=4 * MOST_READS)
    told = store.invalidations(since_ns, until_ns, keyspace, limit=MOST_READS).items
    found = dict.fromkeys((row.keyspace, row.key) for row in opened)
    found.update(dict.fromkeys((row.keyspace, row.key) for row, _ in unfresh))
    for each in told:
        row = each.invalidation
        if row.scope == "key":
            found.update(dict.fromkeys((row.keyspace, key) for key in row.keys))
    is_cut = max(len(opened), len(told)) >= MOST_READS or len(unfresh) >= 4 * MOST_READS
    return list(found)[:MOST_KEYS], len(found) <= MOST_KEYS and not is_cut


def _read_key(store: Store, view: DriftView, name: Name, nodes: Mapping[Name, NodeRow]) -> None:
    spans = store.spans(*name, view.since_ns - BEFORE_NS, view.until_ns)
    spans = [span for span in spans if span.layer == ORIGIN or (span.layer, span.node) in nodes]
    extra = _extra_reads(store, view, name)
    found = store.findings(keyspace=name[0], key=name[1], limit=MOST_READS).items
    for clock in sorted({span.clock for span in spans}):
        of_clock = [span for span in spans if span.clock == clock]
        seen = _Seen(name, view, of_clock, extra, nodes, found)
        view.drifts += seen.drifts()
        view.regressions += seen.regressions()
    row = _row(name, spans, nodes)
    if row is not None:
        view.rows.append(row)


def _extra_reads(
    store: Store, view: DriftView, name: Name
) -> Mapping[tuple[Name, str, Value], Sequence[Read]]:
    """Reads that were not fresh, which have stamps of their own, by place, clock and value."""
    extra: defaultdict[tuple[Name, str, Value], list[Read]] = defaultdict(list)
    for row, at_ns in store.reads(
        *name, since_ns=view.since_ns, until_ns=view.until_ns, limit=MOST_READS
    ):
        if row.value is not None:
            read = Read(at_ns, at_ns + row.end_ns - row.start_ns)
            extra[(row.layer, row.node), row.clock, row.value].append(read)
    return extra


class _Seen:
    """All that was seen of one key on one clock."""

    def __init__(
        self,
        name: Name,
        view: DriftView,
        spans: Sequence[Span],
        extra: Mapping[tuple[Name, str, Value], Sequence[Read]],
        nodes: Mapping[Name, NodeRow],
        findings: Sequence[FindingRow],
    ) -> None:
        self.name = name
        self._view = view
        self._nodes = nodes
        self._findings = findings
        self._stays: defaultdict[Name, list[Stay]] = defaultdict(list)
        for span in spans:
            if span.result in (Result.VALUE, Result.MISS):
                at = span.layer, span.node
                more = extra.get((at, span.clock, span.value), ()) if span.value else ()
                self._stays[at].append(_stay(span, more))
        origin = [stay for at in list(self._stays) if at[0] == ORIGIN for stay in self._stays[at]]
        self._lives: Sequence[Life] = lives(origin)
        self._places = sorted(
            (at for at in self._stays if at[0] != ORIGIN),
            key=lambda at: (at[0], nodes[at].region, at[1]),
        )

    def drifts(self) -> list[Drift]:
        """Of each scope the firmest disagreement that goes on, and the firmest that is over."""
        groups: defaultdict[tuple[Scope, bool], list[Drift]] = defaultdict(list)
        for one, other in combinations(self._places, 2):
            scope = _scope(self._nodes[one], self._nodes[other])
            if scope is not None:
                for drift in self._of_pair(scope, one, other):
                    groups[scope, drift.found.is_over].append(drift)
        return [
            min(group, key=_firmness)._replace(pairs=len({_pair(each) for each in group}))
            for group in groups.values()
        ]

    def regressions(self) -> list[WentBack]:
        """Of each node, within the window."""
        return [
            WentBack(*self.name, *at, self._nodes[at].region, found, self._finding(at, found.by))
            for at in self._places
            for found in regressions(
                self._newest(at), self._lives, is_single=_is_single(self._nodes[at])
            )
            if found.proof in _SAID and found.by >= self._view.since_ns
        ]

    def _of_pair(self, scope: Scope, one: Name, other: Name) -> Iterable[Drift]:
        stays = self._newest(one), self._newest(other)
        if len({stay.value for part in stays for stay in part if stay.value is not None}) < 2:
            return
        are_single = _is_single(self._nodes[one]) and _is_single(self._nodes[other])
        for found in disagreements(*stays, self._lives, are_single=are_single):
            left, right = stays[0][found.one], stays[1][found.other]
            if max(left.last_start, right.last_start) >= self._view.since_ns:
                yield self._drift(scope, (one, left), (other, right), found)

    def _drift(
        self, scope: Scope, one: tuple[Name, Stay], other: tuple[Name, Stay], found: Disagreement
    ) -> Drift:
        older, newer = sorted((one, other), key=lambda each: _rank(each[1]))
        limit_ns = self._nodes[older[0]].max_staleness_ns
        is_torn = _rank(older[1]) == _rank(newer[1])
        return Drift(
            *self.name,
            scope,
            self._held(older),
            self._held(newer),
            weigh(found, limit_ns, is_torn=is_torn),
            found,
            limit_ns,
            1,
            self._finding(older[0], older[1].last_start),
        )

    def _held(self, seen: tuple[Name, Stay]) -> Held:
        at, stay = seen
        region, seen_at_ns = self._nodes[at].region, stay.last_start
        return Held(*at, region, Result.VALUE, stay.value, seen_at_ns, None)

    def _newest(self, at: Name) -> Sequence[Stay]:
        return self._stays[at][-MOST_STAYS:]

    def _finding(self, at: Name, by_ns: int) -> FindingRow | None:
        """The newest finding of this copy that had been opened by then, and was not over before."""
        own = [row for row in self._findings if (row.layer, row.node) == at]
        return next((row for row in own if _is_about(row, by_ns)), None)


_SAID: Final = (Proof.PROVEN, Proof.UNSETTLED, Proof.AHEAD)
"""What is told of a regression: overlapping reads, pools and restores are none."""
_OPENED_LATE_NS: Final = 60 * 10**9


def _is_about(row: FindingRow, at_ns: int) -> bool:
    is_open = row.healed_at_ns is None
    began_ns = row.opened_at_ns - row.lower_ns - _OPENED_LATE_NS
    return began_ns <= at_ns and (is_open or at_ns <= (row.healed_at_ns or 0) + _OPENED_LATE_NS)


def _stay(span: Span, more: Sequence[Read]) -> Stay:
    first = Read(span.first_at_ns, span.first_ended_at_ns)
    last = Read(span.last_started_at_ns, span.last_at_ns)
    inside = [r for r in more if first.start <= r.start and r.end <= last.end]
    value = span.value if span.result is Result.VALUE else None
    return Stay(value, list(dict.fromkeys((first, *inside, last))), span.ended_by)


def _scope(one: NodeRow, other: NodeRow) -> Scope | None:
    if one.layer == other.layer:
        return Scope("layer", "", (one.layer,))
    if one.region == other.region:
        return Scope("region", one.region, tuple(sorted((one.layer, other.layer))))
    return None


def _is_single(row: NodeRow) -> bool:
    """Whether its answers show that one cache gives them."""
    return not row.is_pool and row.identity != ""


def _rank(stay: Stay) -> int:
    return stay.value.version if stay.value and stay.value.version is not None else 0


def _pair(drift: Drift) -> frozenset[Name]:
    return frozenset({drift.older[:2], drift.newer[:2]})


_STANDINGS: Final = [
    Standing.BEYOND,
    Standing.TORN,
    Standing.AROUND,
    Standing.WITHIN,
    Standing.UNKNOWN,
]


def _firmness(drift: Drift) -> tuple[bool, int, int, int]:
    found = drift.found
    return found.is_over, _STANDINGS.index(drift.standing), -found.behind, -found.since_upper


def _row(name: Name, spans: Sequence[Span], nodes: Mapping[Name, NodeRow]) -> Row | None:
    """The newest reading of each place, of whatever clock; None where the copies agree."""
    newest: dict[Name, Span] = {}
    for span in sorted(spans, key=lambda span: span.last_at_ns):
        newest[span.layer, span.node] = span
    values = [s.value for at, s in newest.items() if at[0] != ORIGIN and s.value is not None]
    if all(one.agrees_with(other) for one, other in combinations(set(values), 2)):
        return None
    known = {s.value.version for s in spans if s.value and s.value.version is not None}
    held = [
        Held(*at, nodes[at].region, s.result, s.value, s.last_at_ns, _behind(s, known))
        for at, s in newest.items()
        if at[0] != ORIGIN and nodes[at].state != "gone"
    ]
    origin = [s.value for at, s in newest.items() if at[0] == ORIGIN]
    held.sort(key=lambda each: (each.layer, each.region, each.node))
    return Row(*name, origin[-1] if origin else None, held)


def _behind(span: Span, known: Iterable[int]) -> int | None:
    if span.value is None or span.value.version is None:
        return None
    held = span.value.version
    return sum(version > held for version in known)


def _keep(view: DriftView, layer: str | None, node: str | None) -> None:
    def is_asked(*places: tuple[str, str]) -> bool:
        return any(layer in (None, at[0]) and node in (None, at[1]) for at in places)

    view.drifts = [d for d in view.drifts if is_asked(d.older[:2], d.newer[:2])]
    view.regressions = [r for r in view.regressions if is_asked((r.layer, r.node))]
    view.rows = [r for r in view.rows if is_asked(*(held[:2] for held in r.nodes))]
