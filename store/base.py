"""What every store engine does: narrow protocols, and the rows that pass through them.

Stamps of facts are (clock id, nanoseconds); `Clock.wall_offset_ns` turns them into wall time for
people. Rows that people read carry wall time already (`*_at_ns`, Unix nanoseconds).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from freshness.check import CheckCell, CheckKey
from freshness.counts import Counts
from freshness.model import Bounds, Reason, Result, Value, Verdict
from freshness.rollup import Rollup, RollupKey
from freshness.ttl_sample import TtlCell, TtlKey
from store.alert_book import AlertBook
from store.catalogue_history import CatalogueHistory
from store.copy_times import CopyTimeKey, CopyTimes, StaleKey
from store.counters import CounterLog
from store.diagnoses import Diagnoses
from store.gaps import Gaps
from store.messages import Messages
from store.page import Page
from store.pair_counts import PairCounts
from store.report_runs import ReportRuns
from store.silences import Silences
from store.sweeps import SweepRow, Sweeps
from store.ttl_samples import TtlSamples
from store.weekly import Weekly

ORIGIN = ""
"""The layer name under which the runs of an origin are kept."""

FindingState = Literal["opened", "confirmed", "healed-on-read", "healed", "gone"]
Grain = Literal["minute", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Clock:
    """One machine, one boot, one epoch, one process. wall time = stamp + `wall_offset_ns`."""

    id: str
    wall_offset_ns: int
    opened_at_ns: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """Consecutive equal readings of one key at one node, or at its origin (`layer` is ORIGIN).

    `first_*` and `last_*` are the stamps of the first and of the last read. `ended_by` is empty
    while the run is open. An id is unique in the file; writing it again extends that run: its key,
    node, clock and first start stay, or it is a StoreError.
    """

    id: int
    keyspace: str
    key: str
    layer: str
    node: str
    result: Result
    value: Value | None
    clock: str
    first_start_ns: int
    first_end_ns: int
    last_start_ns: int
    last_end_ns: int
    count: int
    linearizable: bool = False
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A read that was not fresh, with what it was judged on.

    `evidence` is JSON lines for `judge`. Writing an id again replaces the row.
    """

    id: int
    keyspace: str
    key: str
    layer: str
    node: str
    clock: str
    start_ns: int
    end_ns: int
    result: Result
    value: Value | None
    why: str
    stratum: str
    verdict: Verdict
    reason: Reason
    max_staleness_ns: int
    bounds: Bounds
    ttl_s: float | None = None
    age_s: float | None = None
    filled: bool = False
    evidence: str = ""
    finding: str | None = None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A fault with its evidence. Writing an id again replaces the row.

    `lower_ns`/`upper_ns` bound the longest staleness proven so far; `because` says in words what
    decided the cause class, `ruled_out` which classes it excludes. Its reads carry its id.
    """

    id: str
    keyspace: str
    key: str
    layer: str
    node: str
    region: str
    state: FindingState
    held: Value
    latest: Value
    max_staleness_ns: int
    lower_ns: int
    upper_ns: int | None
    opened_at_ns: int
    confirmed_at_ns: int | None = None
    healed_at_ns: int | None = None
    cause: str = "undecided"
    because: str = ""
    ruled_out: Sequence[str] = ()
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One cache node (or origin, `layer` ORIGIN) of the catalogue and how it last answered.

    A node that holds a share of the keys need not hear every message (`hears_all` is false), so
    that what it did not hear proves nothing. Of a pool nobody knows which cache answers.
    """

    layer: str
    node: str
    region: str
    kind: str
    address: str
    mechanism: str
    max_staleness_ns: int
    state: Literal["up", "unknown", "gone"]
    why: str
    identity: str
    since_at_ns: int
    answered_at_ns: int | None
    hears_all: bool = True
    is_pool: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction makes durable: all of it or nothing."""

    clocks: Sequence[Clock] = ()
    runs: Sequence[RunRow] = ()
    reads: Sequence[ReadRow] = ()
    cleared: Sequence[int] = ()
    """Ids of reads that late evidence certified fresh: they are taken back from `reads`."""
    findings: Sequence[FindingRow] = ()
    nodes: Sequence[NodeRow] = ()
    rollups: Mapping[RollupKey, Rollup] = field(default_factory=dict)
    """Minute deltas, added to what the store holds (negative counts where a read was re-judged)."""
    sweeps: Sequence[SweepRow] = ()
    checks: Mapping[CheckKey, CheckCell] = field(default_factory=dict)
    """Event-triggered checks, added to what the store holds."""
    ttls: Mapping[TtlKey, TtlCell] = field(default_factory=dict)
    """Times to live that were found, added to what the store holds."""
    copy_times: Mapping[CopyTimeKey, Counts] = field(default_factory=dict)
    """Seconds of copies by the minute, added to what the store holds; `clusters` are not read."""
    stale_keys: Mapping[StaleKey, float] = field(default_factory=dict)
    """Those of single copies that were proven stale, added to what the store holds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run in wall time: the start of its first read, the end of its last, and what lies between.

    `linearizable` is of an origin's run: whether it was the leader's word.
    """

    layer: str
    node: str
    result: Result
    value: Value | None
    first_at_ns: int
    last_at_ns: int
    count: int
    ended_by: str
    first_ended_at_ns: int
    last_started_at_ns: int
    linearizable: bool = False
    clock: str = ""
    """The clock of its stamps; those of different clocks are never subtracted."""


class Facts(Protocol):
    """The log of what probes saw."""

    def write(self, batch: Batch) -> None:
        """Make a batch durable in one transaction.

        Raises StoreError, and then nothing is written. Clocks that rows name are written with
        them, or before.
        """
        ...

    def last_ids(self) -> tuple[int, int]:
        """The highest run id and read id in the store (0 where empty)."""
        ...

    def newest_origin_runs(self, keyspace: str) -> Iterator[RunRow]:
        """The newest origin run (by id) of each key: what a restart may still use, for U only."""
        ...

    def spans(self, keyspace: str, key: str, since_ns: int, until_ns: int) -> Sequence[Span]:
        """The runs of a key, at its origin and all nodes, that overlap [since, until], by time.

        Runs of one key at one node end one after the other; those of slow reads may overlap.
        """
        ...

    def reads(
        self,
        keyspace: str | None = None,
        key: str | None = None,
        finding: str | None = None,
        since_ns: int = 0,
        until_ns: int | None = None,
        limit: int = 500,
    ) -> Sequence[tuple[ReadRow, int]]:
        """Reads that were not fresh, newest first, each with the wall time of its start.

        The start lies in [since, until). The wall time is by the clock as it was when it was
        written.
        """
        ...

    def keys(self, keyspace: str, prefix: str = "", limit: int = 50) -> Sequence[str]:
        """Known keys that begin with `prefix`, in order."""
        ...

    def stale_reads(
        self, keyspace: str, since_ns: int, until_ns: int, stratum: str, limit_ns: int | None
    ) -> Sequence[tuple[str, str, str, int]]:
        """(key, layer, node, reads proven stale) of those that started in [since, until).

        Of one stratum; stale beyond `limit_ns`, or as they were judged where it is None.
        """
        ...


class Findings(Protocol):
    """Confirmed faults and those on their way to be.

    Their cause is that of the diagnosis on all evidence, where there is one.
    """

    def finding(self, id: str) -> FindingRow | None:
        """One finding, or None."""
        ...

    def findings(
        self,
        open_only: bool = False,
        keyspace: str | None = None,
        key: str | None = None,
        since_ns: int = 0,
        limit: int = 100,
        cursor: str | None = None,
        *,
        until_ns: int | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Page[FindingRow]:
        """Those opened in [since, until), newest first; open are `opened` and `confirmed`.

        Raises CursorError for a cursor that is none.
        """
        ...

    def findings_open_in(
        self, since_ns: int, until_ns: int, limit: int = 10_000
    ) -> Sequence[FindingRow]:
        """Those that were open at some instant of [since, until), newest first, as they are now."""
        ...


class Rollups(Protocol):
    """Counts and histograms a bucket of time."""

    def rollups(
        self,
        grain: Grain,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[tuple[RollupKey, Rollup]]:
        """Buckets whose start lies in [since, until), in order of time."""
        ...

    def fold(self, now_ns: int) -> None:
        """Bring hours and days up to date with the minutes, late deltas included."""
        ...


class Checks(Protocol):
    """Event-triggered checks, counted by minute, node and horizon."""

    def checks(
        self, since_ns: int, until_ns: int, keyspace: str | None = None
    ) -> Sequence[tuple[CheckKey, CheckCell]]:
        """Minutes whose start lies in [since, until), in order of time, node and horizon."""
        ...


class Catalogue(Protocol):
    """The nodes that are watched."""

    def nodes(self) -> Sequence[NodeRow]:
        """Every node, by layer and name, origins first."""
        ...


class Store(
    Facts,
    Findings,
    Diagnoses,
    Rollups,
    Checks,
    Catalogue,
    CatalogueHistory,
    TtlSamples,
    Messages,
    Sweeps,
    AlertBook,
    Silences,
    CounterLog,
    Gaps,
    PairCounts,
    CopyTimes,
    ReportRuns,
    Weekly,
    Protocol,
):
    """A whole engine. Safe to call from any thread."""

    def revision(self) -> int:
        """A number that grows with each write: what a live page watches."""
        ...

    def retain(self, now_ns: int) -> int:
        """Drop what is past its retention, a bounded piece a call; the number of rows dropped."""
        ...

    def backup(self, path: str) -> None:
        """Copy the store to a new file while it is in use."""
        ...

    def close(self) -> None:
        """Release the engine; later calls raise StoreError."""
        ...


class StoreError(Exception):
    """The store cannot do what was asked; the message says what, where and what to do."""


class BatchError(StoreError):
    """A batch that the store can never take, however often it is offered."""


class CursorError(StoreError):
    """A cursor that no page of this list has given."""
