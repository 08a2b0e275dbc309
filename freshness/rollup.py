"""Roll-ups: what all the reads of a bucket of time came to, as sums that add and subtract.

A `Rollup` is a vector: cells of different minutes add up to hours and days, a late correction is
the difference of two cells, and a window is the difference of two cumulative sums. Nothing in it
is a ratio; shares are taken when they are read (`freshness.indicator`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from operator import add, sub
from typing import Any, Final, NamedTuple

from freshness.histogram import Histogram
from freshness.model import Result, Verdict

SAMPLED: Final = "walk"
"""The stratum of the walk over all keys; `freshness.strata` says of which the share (R) is made."""

SWEPT: Final = "sweep"
"""The stratum of entries that sweeps went through: the share of right entries (E) is of these."""


class Grain(IntEnum):
    """Widths of buckets, in seconds; buckets begin at whole multiples of Unix time, so in UTC."""

    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400

    def floor(self, instant_s: int) -> int:
        """The start of the bucket that holds an instant."""
        return instant_s - instant_s % self


class RollupKey(NamedTuple):
    """What a cell is about; `start_s` is the Unix second at which its bucket of time begins.

    A read belongs to the minute of its qs. `stratum` keeps event-triggered probes apart from
    sampled ones, `definition` reads judged under one configuration from those under the next.
    """

    start_s: int
    keyspace: str
    layer: str
    node: str
    stratum: str
    max_staleness_ns: int
    definition: str

    def folded(self, grain: Grain) -> "RollupKey":
        """The key of the coarser cell that this one goes into."""
        return self._replace(start_s=grain.floor(self.start_s))


class Reads(NamedTuple):
    """`n` reads that came out alike, with their bounds [s_lo_ns, s_hi_ns]; None is unbounded.

    `weight` is the traffic that each of them stands for; where they differ, the mean of it, and
    `mean_square` the mean of its squares. `negative` marks a cached not-found.
    """

    verdict: Verdict
    s_lo_ns: int = 0
    s_hi_ns: int | None = None
    result: Result = Result.VALUE
    negative: bool = False
    weight: float = 1.0
    n: int = 1
    mean_square: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Reads of one verdict: how many, the sum of their weights and of the squares of these."""

    n: int = 0
    weight: float = 0.0
    weight_squares: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.n + other.n,
            self.weight + other.weight,
            self.weight_squares + other.weight_squares,
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return self + Tally(-other.n, -other.weight, -other.weight_squares)


@dataclass(slots=True)
class Rollup:
    """One cell. Verdicts, then results of all reads (disjoint), then histograms of both bounds.

    A miss is a result only: there was no copy to judge. Reads of unknown verdict are in no
    histogram: they bounded nothing. `clusters` counts the minute cells that were folded in, and is
    0 in a minute cell that takes reads; read it as `minutes_with_reads`. `observed` is likewise of
    minutes in which a copy was judged or the node told that it held none: `minutes_observed`.
    """

    fresh: Tally = Tally()
    stale: Tally = Tally()
    indeterminate: Tally = Tally()
    unknown: Tally = Tally()
    hits: int = 0
    negatives: int = 0
    misses: int = 0
    unreadable: int = 0
    unanswered: int = 0
    clusters: int = 0
    observed: int = 0
    s_lo: Histogram = field(default_factory=Histogram)
    s_hi: Histogram = field(default_factory=Histogram)

    def add(self, reads: Reads) -> None:
        """Count reads; a negative count takes them back."""
        self._count_result(reads)
        if reads.result is Result.MISS:
            return
        square = reads.weight**2 if reads.mean_square is None else reads.mean_square
        tally = Tally(reads.n, reads.n * reads.weight, reads.n * square)
        setattr(self, reads.verdict, getattr(self, reads.verdict) + tally)
        if reads.verdict is not Verdict.UNKNOWN:
            self.s_lo.add(reads.s_lo_ns, reads.n)
            self.s_hi.add(reads.s_hi_ns, reads.n)

    def revise(self, old: Reads, new: Reads) -> None:
        """Late evidence judged these reads anew: they move from `old` to `new`."""
        self.add(old._replace(n=-old.n))
        self.add(new)

    def __add__(self, other: "Rollup") -> "Rollup":
        return self._combined(other, add)

    def __sub__(self, other: "Rollup") -> "Rollup":
        return self._combined(other, sub)

    @property
    def judged(self) -> Tally:
        """Reads that count in an indicator: indeterminate ones do, unknown ones do not."""
        return self.fresh + self.stale + self.indeterminate

    @property
    def minutes_with_reads(self) -> int:
        """How many distinct (node, minute) clusters the judged reads fall into."""
        return self.clusters or int(self.judged.n > 0)

    @property
    def minutes_observed(self) -> int:
        """How many distinct (node, minute) pairs the evidence speaks for, be it of no copy."""
        return self.observed or int(self.judged.n > 0 or self.misses > 0)

    def _count_result(self, reads: Reads) -> None:
        name = "negatives" if reads.negative else _COUNTED_AS[reads.result]
        setattr(self, name, getattr(self, name) + reads.n)

    def _combined(self, other: "Rollup", operation: Callable[[Any, Any], Any]) -> "Rollup":
        names = (each.name for each in fields(self))
        return Rollup(*(operation(getattr(self, name), getattr(other, name)) for name in names))


_COUNTED_AS = {
    Result.VALUE: "hits",
    Result.MISS: "misses",
    Result.UNREADABLE: "unreadable",
    Result.UNKNOWN: "unanswered",
}


def fold(cells: Mapping[RollupKey, Rollup], grain: Grain) -> dict[RollupKey, Rollup]:
    """Whole cells of minutes (or hours) as cells of a coarser grain.

    Linear but for `clusters` and `observed`, which need each minute whole. So what a late delta
    changes in a folded cell is the fold of the minute after it less the fold of the minute before.
    """
    folded: dict[RollupKey, Rollup] = {}
    for key, cell in cells.items():
        counted = cell + Rollup(
            clusters=cell.minutes_with_reads - cell.clusters,
            observed=cell.minutes_observed - cell.observed,
        )
        coarse = key.folded(grain)
        folded[coarse] = folded[coarse] + counted if coarse in folded else counted
    return folded


def merge(
    left: Mapping[RollupKey, Rollup], right: Mapping[RollupKey, Rollup]
) -> dict[RollupKey, Rollup]:
    """Cells of both, added where a key is in both: two processes, or a store and its deltas."""
    merged = dict(left)
    for key, cell in right.items():
        merged[key] = merged[key] + cell if key in merged else cell
    return merged


def changes(
    old: Mapping[RollupKey, Rollup], new: Mapping[RollupKey, Rollup]
) -> dict[RollupKey, Rollup]:
    """What to merge into `old` to get `new`, without the cells that stay."""
    deltas = {key: new.get(key, Rollup()) - old.get(key, Rollup()) for key in {*old, *new}}
    return {key: delta for key, delta in deltas.items() if delta != Rollup()}
