"""The freshness of a cell as shares: one cautious number, and what indeterminate reads leave open.

Bad is proven bad, and the total includes indeterminate reads; unknown reads are coverage that was
lost, not reads, so they lower no share and are shown beside it.
Source: Site Reliability Workbook, ch. 2 and 5, for the indicator as good events over total.
"""

from typing import NamedTuple

from freshness.counts import Counts, count_reads
from freshness.intervals import NOTHING_SAID, Interval, hajek, independent, wilson
from freshness.rollup import Rollup


class Indicator(NamedTuple):
    """Weighted shares of judged reads.

    `good` is 1 less the share proven bad. The pair is the same share with indeterminate reads as
    bad (`at_least`) and as good (`at_most`). `sampling` is the 95 % (or so) Wilson interval of
    `good` from sampling alone, over `n_effective` equally weighted independent reads.
    """

    good: float
    at_least: float
    at_most: float
    sampling: Interval
    n_effective: float


def indicator(cell: Rollup, confidence: float = 0.95, rho: float | None = None) -> Indicator | None:
    """The indicator of a cell; None where nothing was judged: unknown is no share."""
    counts = count_reads(cell)
    if not counts.is_judged:
        return None
    good = 1.0 - _clamped(counts.proven_weight / counts.judged_weight)
    at_least = _clamped(counts.good_weight / counts.judged_weight)
    return Indicator(good, at_least, good, *sampling_of(counts, confidence, rho))


def sampling_of(counts: Counts, confidence: float, rho: float | None) -> tuple[Interval, float]:
    """The interval of the share of good events from sampling alone, and its effective size."""
    # Taking reads back leaves rounding errors in summed weights; the count says if any is bad.
    bad = hajek(
        counts.proven_weight, counts.judged_weight, counts.weight_squares, counts.bad_squares
    )
    if not counts.is_judged or bad.share is None:
        return NOTHING_SAID, 0.0
    n = min(bad.n_effective, float(counts.judged))
    sample = independent(_clamped(bad.share) * n, n, counts.clusters, rho)
    interval = wilson(min(sample.bad, sample.n), sample.n, confidence)
    return Interval(1.0 - interval.high, 1.0 - interval.low), sample.n


def unknown_share(cell: Rollup) -> float | None:
    """The weighted share of reads that could not be judged, misses left out; None for no reads."""
    whole = cell.judged.weight + cell.unknown.weight
    return _clamped(cell.unknown.weight / whole) if whole > 0.0 else None


def _clamped(share: float) -> float:
    """Sums of floats that took deltas may leave [0, 1] by a rounding error."""
    return min(1.0, max(0.0, share))
