"""Counts settled (invalidation, node) pairs by minute, while their messages are there to be read.

A minute is counted once all its messages are due and receipts have had time to come; it is counted
again for a while, since exporters retry. Of a minute with more messages than one question reads,
the newest stand for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from freshness.pairs import Pair, Side, count_pairs
from freshness.series import Place
from store.base import Store
from store.objective_feed import pairs_of
from store.objective_spec import Spec
from store.pair_counts import OWN_LIMIT, PairsOf
from store.propagation import read_lag
from store.spread import Spread

NS: Final = 10**9
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
SETTLE_S: Final = 60
"""So long after they are due receipts may still come: SDKs export in batches."""
AGAIN_S: Final = 900
"""So long minutes are counted again, one a turn."""
BEHIND_S: Final = 4 * HOUR_S


@dataclass(slots=True)
class _Job:
    """One keyspace at one limit; minutes before `until_s` are counted."""

    keyspace: str
    limit_ns: int
    settles_s: int
    sides: set[Side]
    until_s: int
    again_s: int = 0


class PairCounting:
    """Keeps the counts of pairs that objectives are made of. One call at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: dict[tuple[str, int], _Job] = {}

    def begin(self, specs: Iterable[Spec], now_ns: int) -> None:
        """Count what these are made of, from where counting stopped. Raises StoreError."""
        self._jobs = {}
        for spec in specs:
            for of in pairs_of(spec):
                name = of.keyspace, of.limit_ns
                if name not in self._jobs:
                    began = self._begin_s(of, now_ns // NS)
                    self._jobs[name] = _Job(of.keyspace, of.limit_ns, 0, set(), began)
                job = self._jobs[name]
                job.sides.add(of.side)
                job.settles_s = max(job.settles_s, spec.settles_s)

    def turn(self, now_ns: int) -> None:
        """Count the next settled hour with messages, and one minute again. Raises StoreError."""
        for job in self._jobs.values():
            settled_s = now_ns // NS - job.settles_s - SETTLE_S
            settled_s -= settled_s % MINUTE_S
            while job.until_s < settled_s:
                since_s = job.until_s
                job.until_s = min(settled_s, since_s - since_s % HOUR_S + HOUR_S)
                if self._count(job, since_s, job.until_s, now_ns):
                    break
            if not job.until_s - AGAIN_S <= job.again_s < job.until_s:
                job.again_s = job.until_s - AGAIN_S
            self._count(job, job.again_s, job.again_s + MINUTE_S, now_ns)
            job.again_s += MINUTE_S

    def counted_until(self, spec: Spec) -> int | None:
        """Up to where the messages of an objective are counted; None where none of them are."""
        found = [self._jobs.get((of.keyspace, of.limit_ns)) for of in pairs_of(spec)]
        return min((job.until_s for job in found if job is not None), default=None)

    def _begin_s(self, of: PairsOf, now_s: int) -> int:
        newest = self._store.pairs_counted_until(of)
        if newest is None:
            return (now_s - DAY_S) // HOUR_S * HOUR_S
        # The minutes of an hour long ago may be dropped in part, and it could not be added up anew.
        return newest if now_s - newest < BEHIND_S else newest - newest % HOUR_S + HOUR_S

    def _count(self, job: _Job, since_s: int, until_s: int, now_ns: int) -> bool:
        """Count what settled; whether there was anything."""
        pairs = [
            pair
            for start_s in self._minutes(job, since_s, until_s)
            for pair in self._pairs(job, start_s, now_ns)
        ]
        for side in job.sides:
            series = count_pairs(pairs, side, MINUTE_S)
            of = PairsOf(side, job.keyspace, job.limit_ns)
            self._store.put_pair_counts(of, since_s, until_s, series)
        return bool(pairs)

    def _minutes(self, job: _Job, since_s: int, until_s: int) -> Iterator[int]:
        """The minutes with messages: in what is long and quiet one question finds that out."""
        if until_s - since_s > MINUTE_S:
            since_ns, until_ns = since_s * NS, until_s * NS
            if not self._store.invalidations(since_ns, until_ns, job.keyspace, limit=1).items:
                return
        yield from range(since_s, until_s, MINUTE_S)

    def _pairs(self, job: _Job, start_s: int, now_ns: int) -> Iterator[Pair]:
        limit_ns = None if job.limit_ns == OWN_LIMIT else job.limit_ns
        since_ns, until_ns = start_s * NS, (start_s + MINUTE_S) * NS
        if self._store.invalidations(since_ns, until_ns, job.keyspace, limit=1).items:
            lag = read_lag(self._store, since_ns, until_ns, job.keyspace, now_ns, limit_ns)
            yield from make_pairs(lag.spreads)


def make_pairs(spreads: Iterable[Spread]) -> Iterator[Pair]:
    """Each message at each node of the catalogue that should hear of it."""
    for spread in spreads:
        row = spread.invalidation
        for node in spread.nodes:
            if node.is_known:
                yield Pair(
                    Place(row.keyspace, node.layer, node.node),
                    row.received_at_ns // NS,
                    row.publisher,
                    row.keys[0] if row.keys else "",
                    node.claimed,
                    node.observed,
                )
