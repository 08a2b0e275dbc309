"""The error budget of counts, exactly: SLI = g/n, EB = 1 − T, BR = (b/n)/EB, remaining = 1 − BR.

b is what was proven bad, and n includes indeterminate events. Nothing is clamped or rounded: a
remaining budget of −2.5 is one that was spent three and a half times.
Source: Site Reliability Workbook, ch. 5.
"""

from fractions import Fraction
from math import isclose
from typing import NamedTuple

from freshness.counts import Counts
from freshness.indicator import sampling_of
from freshness.intervals import Interval, Sample, claimed_floor, hajek, independent
from freshness.nines import supported_nines


class Sli(NamedTuple):
    """One cautious number, the pair around what indeterminate events leave open, and an interval.

    `good` is 1 − b/n; `at_least` has indeterminate events as bad, `at_most` as good. `sampling` is
    the Wilson interval of `good` over `n_effective` independent equally weighted events.
    """

    good: Fraction
    at_least: Fraction
    at_most: Fraction
    sampling: Interval
    n_effective: float


def measure_sli(counts: Counts, confidence: float = 0.95, rho: float | None = None) -> Sli | None:
    """None where nothing was judged: unknown is no share."""
    bad = bad_share(counts)
    if bad is None:
        return None
    sampling, n = sampling_of(counts, confidence, rho)
    at_least = _ratio(counts.good_weight, counts.judged_weight)
    return Sli(1 - bad, min(at_least, 1 - bad), 1 - bad, sampling, n)


def bad_share(counts: Counts) -> Fraction | None:
    """b/n; None where n is 0."""
    if not counts.is_judged:
        return None
    return _ratio(counts.proven_weight, counts.judged_weight)


def burn_rate(counts: Counts, error_budget: Fraction) -> Fraction | None:
    """How many times as fast as allowed the budget goes; None where nothing was judged."""
    share = bad_share(counts)
    return None if share is None else share / error_budget


def spend(counts: Counts, total: Fraction, error_budget: Fraction) -> Fraction:
    """The share of the budget of `total` events that the bad ones of `counts` took.

    Linear in `counts`: what days spent adds up to what their week spent, of the same total.
    """
    return Fraction(counts.proven_weight) / (total * error_budget)


def burn_floor(
    counts: Counts, error_budget: Fraction, confidence: float = 0.95, rho: float | None = None
) -> float:
    """The one-sided lower confidence bound of the burn rate; 0 where nothing was judged.

    Without `rho` the events of one (node, slice) are worth one: nothing measures how alike they
    are, and a page is not to rest on a guess.
    """
    sample = _sample(counts)
    floor = claimed_floor(sample.bad, sample.n, counts.clusters, confidence, rho)
    return floor / float(error_budget)


def count_nines(counts: Counts, confidence: float = 0.95, rho: float | None = None) -> int:
    """The nines that the events support; never more than clean ones of as many clusters would."""
    sample = _sample(counts)
    seen = independent(sample.bad, sample.n, counts.clusters, rho)
    clean = independent(0.0, sample.n, counts.clusters, rho)
    return min(supported_nines(*seen, confidence), supported_nines(*clean, confidence))


def _sample(counts: Counts) -> Sample:
    """Bad of equally weighted events, not yet independent."""
    share = bad_share(counts)
    if share is None or counts.weight_squares <= 0.0:
        return Sample(0.0, 0.0)
    weighed = hajek(
        counts.proven_weight, counts.judged_weight, counts.weight_squares, counts.bad_squares
    )
    # Exactly: one bad event of 68 that comes out as 0.9999999999999998 would be none to a bound.
    all_alike = isclose(weighed.n_effective, counts.judged, rel_tol=1e-9)
    n = float(counts.judged) if all_alike else min(float(counts.judged), weighed.n_effective)
    return Sample(min(n, max(0.0, float(share * Fraction(n)))), n)


def _ratio(part: float, whole: float) -> Fraction:
    """Exactly; of whole numbers in one step, which is several times as fast."""
    if part == int(part) and whole == int(whole):
        return Fraction(int(part), int(whole))
    return Fraction(part) / Fraction(whole)
