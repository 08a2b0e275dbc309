"""What a watch saw and judged, as the rows of the next transaction.

The journal turns stamps into rows, and nothing else: it decides nothing and reads no clock.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from collectors.naming import hashed, plain
from freshness.check import CheckCell, CheckKey, Seen
from freshness.copy_time import Taken
from freshness.counts import NOTHING, Counts
from freshness.rollup import Grain, Reads, Rollup, RollupKey
from freshness.runs import Run
from freshness.ttl_sample import GRAIN_S, TtlCell, TtlKey
from store.base import Batch, Clock, FindingRow, NodeRow, ReadRow, RunRow
from store.copy_times import CopyTimeKey, StaleKey
from store.sweeps import SweepRow

NS_PER_S = 1_000_000_000
DEFINITION = "1"
"""The definition of the indicators; a change of it starts new roll-ups."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """A node of the catalogue as its watch needs it; `ttl_*` is the documented time to live.

    `is_pool` says from the start that many answer as this one.
    `checks_per_s` is how many batches a second its event-triggered checks may read, and
    `ttl_resolution_s` by how much a TTL that it tells may be off, either way.
    """

    layer: str
    name: str
    region: str
    kind: str
    address: str
    mechanism: str
    max_staleness_ns: int
    ttl_s: float | None = None
    ttl_jitter_s: float = 0.0
    ages_own_copies: bool = False
    is_pool: bool = False
    checks_per_s: float = 0.0
    ttl_resolution_s: float = 0.0


class Ids:
    """Numbers for rows, unique in a store: each begins after the highest that the store holds."""

    def __init__(self, last_run: int = 0, last_read: int = 0) -> None:
        self.run: Callable[[], int] = itertools.count(last_run + 1).__next__
        self.read: Callable[[], int] = itertools.count(last_read + 1).__next__


class Journal:
    """Rows of one keyspace, gathered until `take`."""

    def __init__(self, keyspace: str, clock: Clock, ids: Ids, hash_keys: bool = False) -> None:
        self.keyspace = keyspace
        self.clock = clock
        self._ids = ids
        self._naming = hashed if hash_keys else plain
        self._runs: dict[int, RunRow] = {}
        self._reads: dict[int, ReadRow] = {}
        self._cleared: list[int] = []
        self._findings: dict[str, FindingRow] = {}
        self._nodes: dict[tuple[str, str], NodeRow] = {}
        self._cells: dict[RollupKey, Rollup] = {}
        self._checks: dict[CheckKey, CheckCell] = {}
        self._sweeps: dict[str, SweepRow] = {}
        self._ttls: dict[TtlKey, TtlCell] = {}
        self._times: dict[CopyTimeKey, Counts] = {}
        self._stale: dict[StaleKey, float] = {}

    def name(self, key: str) -> str:
        """The key as the store keeps it."""
        return self._naming(key)

    def wall_ns(self, stamp: int) -> int:
        """Wall time of a stamp of this process, Unix nanoseconds."""
        return stamp + self.clock.wall_offset_ns

    def next_read_id(self) -> int:
        """The id of the next row of a read."""
        return self._ids.read()

    def put_run(self, layer: str, node: str, key: str, run: Run) -> None:
        """Write a run, or write again what became of it."""
        run.id = run.id or self._ids.run()
        run.stored_count = run.count
        self._runs[run.id] = RunRow(
            id=run.id,
            keyspace=self.keyspace,
            key=self.name(key),
            layer=layer,
            node=node,
            result=run.reading.result,
            value=run.value,
            clock=self.clock.id,
            first_start_ns=run.first_start,
            first_end_ns=run.first_end,
            last_start_ns=run.last_start,
            last_end_ns=run.last_end,
            count=run.count,
            linearizable=run.linearizable,
            ended_by=run.ended_by,
        )

    def put_extended(self, layer: str, node: str, runs: Iterable[tuple[str, Run]]) -> None:
        """Write again the runs that grew since they were last written."""
        for key, run in runs:
            if run.count != run.stored_count:
                self.put_run(layer, node, key, run)

    def put_read(self, row: ReadRow) -> None:
        """Write a read that was not fresh, or write it again."""
        self._reads[row.id] = row

    def clear_read(self, id: int) -> None:
        """Take back a read that late evidence certified fresh."""
        self._reads.pop(id, None)
        self._cleared.append(id)

    def put_finding(self, row: FindingRow) -> None:
        """Write a finding, or write it again."""
        self._findings[row.id] = row

    def put_node(self, row: NodeRow) -> None:
        """Write how a node stands."""
        self._nodes[row.layer, row.node] = row

    def put_sweep(self, row: SweepRow) -> None:
        """Write how a sweep stands."""
        self._sweeps[row.id] = row

    def count(
        self, layer: str, node: str, stratum: str, max_staleness: int, start: int, reads: Reads
    ) -> None:
        """Count reads in the minute of their start."""
        minute = self._minute_of(start)
        key = RollupKey(minute, self.keyspace, layer, node, stratum, max_staleness, DEFINITION)
        self._cells.setdefault(key, Rollup()).add(reads)

    def count_check(
        self,
        layer: str,
        node: str,
        horizon_ns: int,
        due_at: int,
        seen: Seen,
        weight: float,
        late_ns: int | None,
    ) -> None:
        """Count an event-triggered check in the minute in which it was due."""
        key = CheckKey(self._minute_of(due_at), self.keyspace, layer, node, horizon_ns)
        cell = self._checks.get(key)
        if cell is None:
            cell = self._checks[key] = CheckCell()
        cell.add(seen, weight, late_ns)

    def count_ttl(self, layer: str, node: str, key: str, least_s: float, stamp: int) -> None:
        """Count an entry that was read at a stamp and had `least_s` seconds to live at least."""
        at_ns = self.wall_ns(stamp)
        start_s = at_ns // NS_PER_S // GRAIN_S * GRAIN_S
        cell = self._ttls.setdefault(TtlKey(start_s, self.keyspace, layer, node), TtlCell())
        cell.add(self.name(key), least_s, at_ns)

    def count_copies(self, layer: str, node: str, taken: Taken) -> None:
        """Count seconds of copies in the minutes that they lie in."""
        for start_s, counts in taken.minutes.items():
            at = CopyTimeKey(start_s, self.keyspace, layer, node)
            self._times[at] = self._times.get(at, NOTHING).plus(counts)
        for (start_s, key), stale_s in taken.stale.items():
            copy = StaleKey(start_s, self.keyspace, layer, node, self.name(key))
            self._stale[copy] = self._stale.get(copy, 0.0) + stale_s

    def take(self) -> Batch | None:
        """Everything gathered so far as one batch, or None; the journal begins anew."""
        gathered = (
            self._runs,
            self._reads,
            self._cleared,
            self._findings,
            self._nodes,
            self._cells,
            self._checks,
            self._sweeps,
            self._ttls,
            self._times,
            self._stale,
        )
        if not any(gathered):
            return None
        batch = Batch(
            clocks=(self.clock,),
            runs=[self._runs[id] for id in sorted(self._runs)],
            reads=list(self._reads.values()),
            cleared=list(self._cleared),
            findings=list(self._findings.values()),
            nodes=list(self._nodes.values()),
            rollups=self._cells,
            checks=self._checks,
            sweeps=list(self._sweeps.values()),
            ttls=self._ttls,
            copy_times=self._times,
            stale_keys=self._stale,
        )
        self._runs, self._reads, self._cleared = {}, {}, []
        self._findings, self._nodes, self._cells = {}, {}, {}
        self._checks, self._sweeps, self._ttls = {}, {}, {}
        self._times, self._stale = {}, {}
        return batch

    def _minute_of(self, stamp: int) -> int:
        """The Unix second at which the minute of a stamp begins."""
        return Grain.MINUTE.floor(self.wall_ns(stamp) // NS_PER_S)
