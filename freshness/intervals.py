"""What a sample of reads says about the share of bad ones, as intervals.

Wilson for charts, Clopper-Pearson for claims. Counts may be fractional: an effective sample size
is seldom whole. No samples say nothing: the interval is then `NOTHING_SAID`, all of [0, 1].

Sources: Wilson (1927); Clopper and Pearson (1934); Kish, "Survey Sampling" (1965), for the design
effect and the effective sample size; Hajek (1971) for the ratio estimate.
"""

from collections.abc import Sequence
from math import expm1, log, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from freshness.beta import quantile


class Interval(NamedTuple):
    """Bounds of a share, 0 <= low <= high <= 1."""

    low: float
    high: float

    @property
    def says_nothing(self) -> bool:
        """Whether any share at all is compatible with what was seen: unknown, not "half"."""
        return self.low <= 0.0 and self.high >= 1.0


NOTHING_SAID: Final = Interval(0.0, 1.0)


class Estimate(NamedTuple):
    """A weighted share and the number of equally weighted reads that would say as much.

    `share` is None where nothing was sampled.
    """

    share: float | None
    n_effective: float


class Stratum(NamedTuple):
    """`bad` of `n` independent reads of a part that makes up `weight` of the whole."""

    weight: float
    bad: float
    n: float


class StratifiedBound(NamedTuple):
    """The weighted share, None where a stratum has no sample, and its upper confidence bound."""

    estimate: float | None
    upper: float


class Sample(NamedTuple):
    """Bad reads among independent reads, as an interval wants them."""

    bad: float
    n: float


def wilson(bad: float, n: float, confidence: float) -> Interval:
    """The two-sided score interval, without continuity correction."""
    _check(bad, n, confidence)
    if n == 0:
        return NOTHING_SAID
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    share, shrink = bad / n, 1.0 + z * z / n
    centre = (share + z * z / (2.0 * n)) / shrink
    half = z / shrink * sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n))
    low = 0.0 if bad == 0 else max(0.0, centre - half)
    high = 1.0 if bad == n else min(1.0, centre + half)
    return Interval(low, high)


def clopper_pearson(bad: float, n: float, confidence: float) -> Interval:
    """The two-sided exact interval: both one-sided bounds at half the error."""
    _check(bad, n, confidence)
    one_sided = (1.0 + confidence) / 2.0
    return Interval(lower_bound(bad, n, one_sided), upper_bound(bad, n, one_sided))


def upper_bound(bad: float, n: float, confidence: float) -> float:
    """The one-sided exact upper bound; 1 - alpha**(1/n), about 3/n, where nothing was bad."""
    _check(bad, n, confidence)
    if bad == n:
        return 1.0
    if bad == 0:
        return -expm1(log(1.0 - confidence) / n)
    return quantile(1.0 - confidence, bad + 1.0, n - bad, "upper") if n - bad >= 1.0 else 1.0


def lower_bound(bad: float, n: float, confidence: float) -> float:
    """The one-sided exact lower bound; alpha**(1/n) where everything was bad."""
    _check(bad, n, confidence)
    if bad == 0:
        return 0.0
    if bad == n:
        return float((1.0 - confidence) ** (1.0 / n))
    return quantile(1.0 - confidence, bad, n - bad + 1.0, "lower") if bad >= 1.0 else 0.0


def stratified(strata: Sequence[Stratum], confidence: float) -> StratifiedBound:
    """Sum of W p and the conservative bound, sum of W CP_up at alpha/H, over H strata.

    Weights are scaled to sum to one. A stratum without a sample counts as wholly bad in the bound.
    """
    whole = sum(stratum.weight for stratum in strata)
    if whole <= 0.0 or any(stratum.weight < 0.0 for stratum in strata):
        raise ValueError("strata need weights that are not negative and not all zero")
    each = 1.0 - (1.0 - confidence) / len(strata)
    upper = sum(part.weight * upper_bound(part.bad, part.n, each) for part in strata) / whole
    if any(part.weight > 0.0 and part.n == 0 for part in strata):
        return StratifiedBound(None, upper)
    shares = (part.weight * part.bad / part.n for part in strata if part.weight > 0.0)
    return StratifiedBound(sum(shares) / whole, upper)


def hajek(
    bad_weight: float, weight: float, weight_squares: float, bad_squares: float | None = None
) -> Estimate:
    """The importance-weighted share of bad reads from sums of w over bad, w and w**2 over all.

    `bad_squares` is the sum of w**2 over bad. The effective size is Kish's, which takes it that bad
    reads weigh as others do; where they weigh more, it is what the variance of the ratio leaves.
    """
    if weight <= 0.0 or weight_squares <= 0.0:
        return Estimate(None, 0.0)
    share = bad_weight / weight
    by_kish = weight * weight / weight_squares
    if bad_squares is None or not 0.0 < share < 1.0:
        return Estimate(share, by_kish)
    deviation = (1 - share) ** 2 * bad_squares + share**2 * max(0.0, weight_squares - bad_squares)
    if deviation <= 0.0:
        return Estimate(share, by_kish)
    return Estimate(share, min(by_kish, share * (1 - share) * weight * weight / deviation))


def design_effect(cluster_size: float, rho: float) -> float:
    """1 + (m - 1) rho: how many reads in clusters of m say as much as one independent read."""
    if not 0.0 <= rho <= 1.0:
        raise ValueError(f"a correlation within clusters lies in [0, 1], not at {rho}")
    return 1.0 + (max(cluster_size, 1.0) - 1.0) * rho


def independent(bad: float, n: float, clusters: int, rho: float | None = None) -> Sample:
    """The sample left when reads of one (node, minute) are not independent.

    Divided by the design effect where `rho` is configured. Without it nothing measures how alike
    the reads of a cluster are, and a clean sample is worth one read for each distinct cluster.
    """
    if n == 0 or clusters == 0:
        return Sample(0.0, 0.0)
    if rho is not None:
        effect = design_effect(n / clusters, rho)
        return Sample(bad / effect, n / effect)
    return Sample(bad, n) if bad else Sample(0.0, float(min(n, clusters)))


def claimed_bound(
    bad: float, n: float, clusters: int, confidence: float, rho: float | None = None
) -> float:
    """The upper bound that may be claimed of clustered reads, never better than a clean sample's.

    Without the last clause a first bad read would *lower* the bound: it switches the sample from
    clusters to reads.
    """
    seen = upper_bound(*independent(bad, n, clusters, rho), confidence)
    return max(seen, upper_bound(*independent(0.0, n, clusters, rho), confidence))


def claimed_floor(
    bad: float, n: float, clusters: int, confidence: float, rho: float | None = None
) -> float:
    """The lower bound that may be claimed of clustered reads; 0 where there are none.

    Without `rho` each cluster is worth one read, bad in the share that its reads were: a node that
    fails a hundred reads of one minute failed once.
    """
    if n == 0 or clusters == 0:
        return 0.0
    if rho is not None:
        return lower_bound(*independent(bad, n, clusters, rho), confidence)
    worth = min(n, float(clusters))
    return lower_bound(bad if worth == n else min(worth, bad / n * worth), worth, confidence)


def _check(bad: float, n: float, confidence: float) -> None:
    if not 0 <= bad <= n:
        raise ValueError(f"{bad} bad of {n} is no sample")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"a confidence lies between 0 and 1, not at {confidence}")
