"""What an objective counts: events good, proven bad, left open, and unknown, as sums.

`Counts` is the part of a roll-up that a budget needs, and the same for every indicator: reads,
resident entries, (invalidation, node) pairs, seconds of keys. Sums are exact while weights are
whole (each is 1 where no traffic is known) and below 2**53, else to the rounding of a double.
"""

from itertools import repeat
from operator import add, mul, sub
from typing import Final, NamedTuple

from freshness.histogram import Histogram, bucket_index, bucket_span
from freshness.rollup import Rollup


class Counts(NamedTuple):
    """A vector that adds and subtracts. `judged` is n, the total of an indicator.

    `indeterminate` events are in n, `unknown` ones are not: these are coverage that was lost.
    `clusters` are distinct (node, slice) pairs with judged events. Weights are of judged events;
    `bad_squares` sums the squares of those proven bad. `observed` are the pairs that were measured:
    where a node tells that it holds no copy, nothing is judged, and nothing is unknown.
    """

    good: int = 0
    bad: int = 0
    indeterminate: int = 0
    unknown: int = 0
    clusters: int = 0
    good_weight: float = 0.0
    bad_weight: float = 0.0
    judged_weight: float = 0.0
    weight_squares: float = 0.0
    bad_squares: float = 0.0
    observed: int = 0

    @property
    def judged(self) -> int:
        """How many events were judged, whatever their weights."""
        return self.good + self.bad + self.indeterminate

    @property
    def is_judged(self) -> bool:
        """Whether there is anything to take a share of."""
        return self.judged > 0 and self.judged_weight > 0.0

    @property
    def proven_weight(self) -> float:
        """The weight proven bad: where no event is left, what float deltas left over is none."""
        return self.bad_weight if self.bad > 0 else 0.0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*map(add, self, other))

    def minus(self, other: "Counts") -> "Counts":
        """What to add to `other` to get this."""
        return Counts(*map(sub, self, other))

    def capped(self, most: int) -> "Counts":
        """Of one place, which has no more than so many slices."""
        return self._replace(clusters=min(self.clusters, most), observed=min(self.observed, most))

    def times(self, copies: int) -> "Counts":
        """So many that are alike."""
        return Counts(*map(mul, self, repeat(copies)))


NOTHING: Final = Counts()


def count_events(
    good: int = 0, bad: int = 0, indeterminate: int = 0, unknown: int = 0, clusters: int = 1
) -> Counts:
    """Events that weigh the same; by default of one cluster, of none where nothing was judged."""
    judged = good + bad + indeterminate
    seen = clusters if judged else 0
    return Counts(
        good, bad, indeterminate, unknown, seen, good, bad, judged, judged, bad, observed=seen
    )


def count_reads(cell: Rollup, judged_at_ns: int = 0, asked_ns: int | None = None) -> Counts:
    """The reads of a cell that was judged at one maximum staleness, for an objective at another.

    At the cell's own (`asked_ns` None or equal) these are its verdicts. At another, a read is bad
    where the whole bucket of its S_lo lies above, good where that of its S_hi does not, else
    indeterminate. The histograms carry no weights: of reads that weigh differently only what
    follows from their verdicts is taken (fresh at less is fresh at more, stale likewise).
    """
    judged = cell.judged
    fresh, stale = cell.fresh, cell.stale
    good, bad, good_weight, bad_weight = fresh.n, stale.n, fresh.weight, stale.weight
    bad_squares = stale.weight_squares
    if asked_ns is not None and asked_ns != judged_at_ns:
        if judged.weight == judged.n == judged.weight_squares:
            good, bad = _rejudge(cell, judged_at_ns, asked_ns)
            good_weight, bad_weight, bad_squares = float(good), float(bad), float(bad)
        elif asked_ns > judged_at_ns:
            bad, bad_weight, bad_squares = 0, 0.0, 0.0
        else:
            good, good_weight = 0, 0.0
    return Counts(
        good,
        bad,
        judged.n - good - bad,
        cell.unknown.n,
        cell.minutes_with_reads,
        good_weight,
        bad_weight,
        judged.weight,
        judged.weight_squares,
        bad_squares,
        cell.minutes_observed,
    )


def _rejudge(cell: Rollup, judged_at_ns: int, asked_ns: int) -> tuple[int, int]:
    good, bad = _count_up_to(cell.s_hi, asked_ns), _count_above(cell.s_lo, asked_ns)
    if asked_ns > judged_at_ns:
        return max(good, cell.fresh.n), bad
    return good, max(bad, cell.stale.n)


def _count_above(histogram: Histogram, value_ns: int) -> int:
    """How many surely exceed a value: those of the buckets after its own."""
    return histogram.total - histogram.zero - _count_buckets(histogram, value_ns, of_its_own=True)


def _count_up_to(histogram: Histogram, value_ns: int) -> int:
    """How many surely do not exceed it: zeros, and the buckets that end at or before it."""
    if value_ns < histogram.zero_threshold_ns:
        return 0
    return histogram.zero + _count_buckets(histogram, value_ns, of_its_own=False)


def _count_buckets(histogram: Histogram, value_ns: int, of_its_own: bool) -> int:
    """The counts of the buckets below that of a value; its own goes in if asked, or at its end."""
    if value_ns <= 0:
        return 0
    own = bucket_index(value_ns, histogram.scale)
    is_in = of_its_own or bucket_span(own, histogram.scale).high_ns == value_ns
    last = own if is_in else own - 1
    return sum(count for index, count in histogram.buckets.items() if index <= last)
