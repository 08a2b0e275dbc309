"""A believable hour in a store: three layers, eight nodes, sixty keys, and what went wrong.

`python -m tests.dashboard.seed FILE` writes it to a new file, to look at.
"""

import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Final

from freshness.causes import Cause, Clues, Neighbours, diagnose
from freshness.fill import Fill
from freshness.model import Bounds, Reason, Result, Value, Verdict
from freshness.propagation import Commit
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import (
    ORIGIN,
    Batch,
    Clock,
    FindingRow,
    FindingState,
    NodeRow,
    ReadRow,
    RunRow,
    Store,
)

SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * SECOND
CLOCK: Final = "seed/boot-1/0/1"
KEYSPACE: Final = "product"
LIMIT: Final = 2 * SECOND
STRANGE_KEYS: Final = (
    "a/b c?d#e&f=g%2F",
    "<script>alert(1)</script>",
    "naïve-☕-🛒",
    "..",
    "with\"quotes'and\\slashes",
)
NODES: Final = (
    ("edge", "edge-eu-1", "eu", "http", "purge", 5 * SECOND),
    ("edge", "edge-eu-2", "eu", "http", "purge", 5 * SECOND),
    ("edge", "edge-us-1", "us", "http", "purge", 5 * SECOND),
    ("in-process", "shop-eu-1", "eu", "inprocess", "ttl", 10 * SECOND),
    ("in-process", "shop-us-1", "us", "inprocess", "ttl", 10 * SECOND),
    ("regional", "redis-eu", "eu", "redis", "versioned", LIMIT),
    ("regional", "redis-us", "us", "redis", "versioned", LIMIT),
    ("regional", "redis-us-2", "us", "redis", "versioned", LIMIT),
)
DEAD: Final = "redis-us-2"
STALE_KEY: Final = "sku-1007"


_UNTIL_S, _AFTER_S = 20, 10
"""The newer version was written after the one and had committed by the other."""
_NOBODY: Final = Neighbours(0, 0)


def _because(fill: Fill | None, around: Neighbours = _NOBODY) -> str:
    """What the product says of such evidence."""
    commit = Commit(_AFTER_S * SECOND, _UNTIL_S * SECOND)
    return diagnose(Clues(fill=fill, commit=commit, around=around)).because


FILLED_BEFORE: Final = _because(Fill(0, SECOND))
FILLED_AFTER: Final = _because(Fill(30 * SECOND, 31 * SECOND))
OTHERS_BEHIND: Final = _because(None, Neighbours(4, 0))
NOT_TOLD: Final = _because(None)


@dataclass
class Fault:
    """A node that kept an old version of a key, from and to seconds before `now`."""

    key: str
    layer: str
    node: str
    from_s: int
    to_s: int | None
    cause: Cause
    because: str
    ruled_out: tuple[Cause, ...] = ()


FAULTS: Final = (
    Fault(STALE_KEY, "regional", "redis-eu", 1_150, 1_010, Cause.LOST_INVALIDATION,
          FILLED_BEFORE, (Cause.PARTITIONED_NODE, Cause.REFILL_RACE)),
    Fault("sku-1012", "edge", "edge-us-1", 2_400, 2_310, Cause.PARTITIONED_NODE,
          OTHERS_BEHIND, (Cause.REFILL_RACE,)),
    Fault(STALE_KEY, "edge", "edge-eu-2", 95, None, Cause.REFILL_RACE,
          FILLED_AFTER, (Cause.PARTITIONED_NODE, Cause.LOST_INVALIDATION)),
    Fault("a/b c?d#e&f=g%2F", "in-process", "shop-us-1", 40, None, Cause.UNDECIDED, NOT_TOLD),
    Fault("sku-1031", "edge", "edge-us-1", 640, 575, Cause.LOST_INVALIDATION,
          FILLED_BEFORE, (Cause.REFILL_RACE,)),
)  # fmt: skip


@dataclass
class Seed:
    """Collects one batch; `now` is the wall time in Unix nanoseconds that the hour ends at."""

    now: int
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    runs: list[RunRow] = field(default_factory=list)
    reads: list[ReadRow] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    rollups: dict[RollupKey, Rollup] = field(default_factory=dict)

    def stamp(self, ago_s: float) -> int:
        """A stamp on the only clock, whose zero is an hour and a day before now."""
        return 25 * HOUR - round(ago_s * SECOND)

    def batch(self) -> Batch:
        """All of it."""
        keys = [f"sku-{1_000 + number}" for number in range(60 - len(STRANGE_KEYS))]
        for number, key in enumerate([*keys, *STRANGE_KEYS]):
            self._tell_key(key, number)
        for number, fault in enumerate(FAULTS):
            self._tell_fault(fault, number)
        self._count_reads()
        clock = Clock(CLOCK, self.now - 25 * HOUR, self.now - HOUR)
        return Batch(
            clocks=[clock],
            runs=self.runs,
            reads=self.reads,
            findings=self.findings,
            nodes=self._nodes(),
            rollups=self.rollups,
        )

    def _nodes(self) -> list[NodeRow]:
        rows = [NodeRow(ORIGIN, "shop-db", "eu", "postgresql", "127.0.0.1:5432", "", 0, "up", "",
                        "", self.now - HOUR, self.now)]  # fmt: skip
        for layer, node, region, kind, mechanism, limit in NODES:
            is_dead = node == DEAD
            rows.append(
                NodeRow(
                    layer, node, region, kind, "127.0.0.1:6379", mechanism, limit,
                    "unknown" if is_dead else "up",
                    "connection refused" if is_dead else "", f"id-{node}",
                    self.now - (900 * SECOND if is_dead else HOUR),
                    self.now - (900 * SECOND if is_dead else SECOND),
                )
            )  # fmt: skip
        return rows

    def _changes(self, number: int) -> list[int]:
        """Seconds before now at which the origin's version changed, the oldest first."""
        return [
            3_600,
            *sorted(self.dice.sample(range(60, 3_500, 7), 3 + number % 5), reverse=True),
        ]

    def _tell_key(self, key: str, number: int) -> None:
        faults = [fault for fault in FAULTS if fault.key == key]
        changes = sorted({*self._changes(number), *(f.from_s + 2 for f in faults)}, reverse=True)
        self._run(key, ORIGIN, "shop-db", changes, 0)
        for layer, node, *_ in NODES:
            late = {fault.from_s + 2: fault for fault in faults if fault.node == node}
            self._tell_node(key, layer, node, changes, late)

    def _tell_node(
        self, key: str, layer: str, node: str, changes: list[int], late: dict[int, Fault]
    ) -> None:
        seen = [self._seen_at(change, late.get(change)) for change in changes]
        until = 900 if node == DEAD else 0
        for at, since in enumerate(seen):
            before = seen[at + 1] if at + 1 < len(seen) else until
            last = max(before + 0.8, until)
            if since > last + 0.2 and since >= 0:
                self._add_run(key, layer, node, Result.VALUE, Value(1 + at), since, last)
        if node == DEAD:
            self._add_run(key, layer, node, Result.UNKNOWN, None, 899, 0)
        elif key.endswith("5") and layer == "in-process":
            self._add_run(key, layer, node, Result.MISS, None, 55, 0)

    def _seen_at(self, change: int, fault: Fault | None) -> float:
        """When a node first held the version of a change; -1 where it does not yet."""
        if fault is None:
            return change - 1 - self.dice.random()
        return -1.0 if fault.to_s is None else float(fault.to_s)

    def _run(self, key: str, layer: str, node: str, changes: list[int], until: int) -> None:
        for at, change in enumerate(changes):
            last = changes[at + 1] + 1 if at + 1 < len(changes) else until
            self._add_run(key, layer, node, Result.VALUE, Value(1 + at), change, last)

    def _add_run(
        self, key: str, layer: str, node: str, result: Result, value: Value | None,
        since: float, last: float,
    ) -> None:  # fmt: skip
        first, end = self.stamp(since), self.stamp(last)
        self.runs.append(
            RunRow(
                len(self.runs) + 1, KEYSPACE, key, layer, node, result, value, CLOCK,
                first, first + SECOND // 200, end, end + SECOND // 200,
                max(1, int(since - last)), layer == ORIGIN, "change" if last else "",
            )
        )  # fmt: skip

    def _tell_fault(self, fault: Fault, number: int) -> None:
        ended = fault.to_s if fault.to_s is not None else 0
        name = f"f-{number:04d}"
        region = next(row[2] for row in NODES if row[1] == fault.node)
        lower = 0
        held = self._held(fault)
        for ago in range(fault.from_s - 1, ended, -5):
            lower = self._tell_stale_read(fault, name, held, ago)
        state: FindingState = "confirmed" if fault.to_s is None else "healed"
        self.findings.append(
            FindingRow(
                name, KEYSPACE, fault.key, fault.layer, fault.node, region, state,
                Value(held), Value(held + 1), LIMIT, lower, lower + 2 * SECOND // 5,
                self.now - fault.from_s * SECOND, self.now - (fault.from_s - 1) * SECOND,
                None if fault.to_s is None else self.now - fault.to_s * SECOND,
                fault.cause, fault.because, fault.ruled_out,
            )
        )  # fmt: skip

    def _held(self, fault: Fault) -> int:
        at = self.stamp(fault.from_s - 1)
        copies = [
            run for run in self.runs
            if (run.key, run.node) == (fault.key, fault.node) and run.result is Result.VALUE
            and run.first_start_ns <= at <= run.last_start_ns
        ]  # fmt: skip
        assert copies
        value = copies[0].value
        assert value is not None
        assert value.version is not None
        return value.version

    def _tell_stale_read(self, fault: Fault, finding: str, held: int, ago: int) -> int:
        start = self.stamp(ago)
        lower = max((fault.from_s - ago) * SECOND, SECOND // 10)
        bounds = Bounds(lower, lower + 2 * SECOND // 5, 1, 1)
        is_stale = lower > LIMIT
        origin = start - lower
        lines = [
            {"type": "origin_read", "key": fault.key, "version": held, "linearizable": True,
             "start": (origin - SECOND) / SECOND, "end": (origin - SECOND * 0.99) / SECOND},
            {"type": "origin_read", "key": fault.key, "version": held + 1, "linearizable": True,
             "start": (origin - SECOND // 100) / SECOND, "end": origin / SECOND},
            {"type": "cache_read", "id": str(len(self.reads) + 1), "key": fault.key,
             "node": fault.node, "version": held, "start": start / SECOND,
             "end": (start + SECOND // 200) / SECOND},
        ]  # fmt: skip
        self.reads.append(
            ReadRow(
                len(self.reads) + 1, KEYSPACE, fault.key, fault.layer, fault.node, CLOCK,
                start, start + SECOND // 200, Result.VALUE, Value(held), "", "recent",
                Verdict.STALE if is_stale else Verdict.INDETERMINATE,
                Reason.SUPERSEDED if is_stale else Reason.BETWEEN, LIMIT, bounds,
                ttl_s=42.0, evidence="\n".join(json.dumps(line) for line in lines),
                finding=finding,
            )
        )  # fmt: skip
        return lower

    def _count_reads(self) -> None:
        """Minute cells of each node and stratum, as the faults and the dead node have them."""
        minute = self.now // SECOND // 60 * 60
        for layer, node, _, _, _, limit in NODES:
            for back in range(60):
                if layer == "in-process" and 31 <= back <= 33:
                    continue  # the collector was down: no data
                cell = self._cell(node, back)
                for stratum in ("recent", "walk"):
                    key = RollupKey(minute - 60 * back, KEYSPACE, layer, node, stratum, limit, "d1")
                    is_healthy = stratum == "recent" and not (node == DEAD and back <= 15)
                    self.rollups[key] = self._healthy(30) if is_healthy else cell

    def _healthy(self, reads: int) -> Rollup:
        cell = Rollup()
        cell.add(Reads(Verdict.FRESH, 0, SECOND // 3, n=reads))
        cell.add(Reads(Verdict.FRESH, 0, None, Result.MISS, n=2))
        return cell

    def _cell(self, node: str, back: int) -> Rollup:
        cell = Rollup()
        if node == DEAD and back <= 15:
            cell.add(Reads(Verdict.UNKNOWN, result=Result.UNKNOWN, n=40))
            return cell
        cell = self._healthy(38)
        if node == "edge-us-1" and back == 20:
            cell.add(Reads(Verdict.UNKNOWN, result=Result.UNKNOWN, n=6))
        cell.add(Reads(Verdict.INDETERMINATE, 0, 3 * SECOND, n=self.dice.randrange(3)))
        for fault in FAULTS:
            ended = fault.to_s or 0
            if fault.node == node and ended // 60 <= back <= fault.from_s // 60:
                lower = max(fault.from_s - back * 60, 3) * SECOND
                cell.add(Reads(Verdict.STALE, lower, lower + SECOND, n=4))
        return cell


def seed(store: Store, now: int) -> Seed:
    """Write the hour that ends at `now` (Unix nanoseconds)."""
    made = Seed(now)
    store.write(made.batch())
    store.fold(now)
    return made


def new_finding(now: int, key: str = "sku-1044", id: str = "f-live") -> Batch:
    """A finding that opens now, for a page that is open."""
    row = FindingRow(
        id, KEYSPACE, key, "regional", "redis-us", "us", "confirmed", Value(3), Value(4), LIMIT,
        3 * SECOND, 4 * SECOND, now - 4 * SECOND, now - SECOND, None,
        Cause.LOST_INVALIDATION, FILLED_BEFORE,
    )  # fmt: skip
    return Batch(findings=[row])


if __name__ == "__main__":
    from store.sqlite import SqliteStore

    written = SqliteStore(sys.argv[1])
    seed(written, time.time_ns())
    written.close()
