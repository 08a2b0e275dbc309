"""The freshness of a cell as shares: one cautious number, and what indeterminate reads leave open.

Bad is proven bad, and the total includes indeterminate reads; unknown reads are coverage that was
lost, not reads, so they lower no share and are shown beside it.
Source: Site Reliability Workbook, ch. 2 and 5, for the indicator as good events over total.
"""

from typing import NamedTuple

from freshness.intervals import Interval, hajek, independent, wilson
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
    judged = cell.judged
    # Taking reads back leaves rounding errors in summed weights; the count says if any is bad.
    stale = cell.stale.weight if cell.stale.n > 0 else 0.0
    bad = hajek(stale, judged.weight, judged.weight_squares)
    if judged.n <= 0 or bad.share is None:
        return None
    share = _clamped(bad.share)
    n = min(bad.n_effective, float(judged.n))
    sample = independent(share * n, n, cell.minutes_with_reads, rho)
    bad_interval = wilson(min(sample.bad, sample.n), sample.n, confidence)
    return Indicator(
        good=1.0 - share,
        at_least=_clamped(cell.fresh.weight / judged.weight),
        at_most=1.0 - share,
        sampling=Interval(1.0 - bad_interval.high, 1.0 - bad_interval.low),
        n_effective=sample.n,
    )


def unknown_share(cell: Rollup) -> float | None:
    """The weighted share of reads that could not be judged, misses left out; None for no reads."""
    whole = cell.judged.weight + cell.unknown.weight
    return _clamped(cell.unknown.weight / whole) if whole > 0.0 else None


def _clamped(share: float) -> float:
    """Sums of floats that took deltas may leave [0, 1] by a rounding error."""
    return min(1.0, max(0.0, share))
