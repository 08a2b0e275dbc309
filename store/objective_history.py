"""What the buckets of a window came to: for charts, and for days of a report."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from freshness.budget import bad_share, spend
from freshness.budget_coverage import Coverage, Gap, find_gap
from freshness.counts import Counts
from freshness.status import ErrorBudget
from freshness.window import Window

HOUR_S: Final = 3_600


class Bucket(NamedTuple):
    """One stretch of a window. `bad` (b/n), and `rate` (how fast it burnt) are None in a gap.

    `spent` is what it took of the whole window's budget, whatever its coverage: what was proven
    bad was bad. It is None where the window has no budget.
    """

    window: Window
    counts: Counts
    coverage: Coverage
    gap: Gap | None
    bad: Fraction | None
    rate: Fraction | None
    spent: Fraction | None


def read_history(
    budget: ErrorBudget, window: Window, total: Fraction, buckets: int
) -> list[Bucket]:
    """About so many buckets of a window, of one width but at its ends.

    `total` is how many events, or slices, its budget is a share of. Buckets begin at
    whole slices, and no bucket is narrower than an hour.
    """
    return [_bucket(budget, each, total) for each in _cut(budget, window, buckets)]


def read_recent(
    budget: ErrorBudget, window: Window, total: Fraction, buckets: int, minutes_from_s: int
) -> list[Bucket]:
    """No more than so many buckets that end with a window and are all of one width but the last.

    As narrow as is known: a slice where all of them begin at or after `minutes_from_s`, else whole
    hours. The first one may begin before the window does.
    """
    slice_s = budget.objective.slice_s
    width_s = _width(window, buckets, slice_s)
    if _edge(window, width_s, buckets) < minutes_from_s:
        width_s = _width(window, buckets, max(HOUR_S, slice_s))
    since_s = max(_edge(window, width_s, buckets), window.since_s - window.since_s % width_s)
    starts = range(since_s, window.until_s, width_s)
    cut = [Window(start_s, min(start_s + width_s, window.until_s)) for start_s in starts]
    return [_bucket(budget, each, total) for each in cut]


def _edge(window: Window, width_s: int, buckets: int) -> int:
    """Where the first of so many buckets begins, of which the last holds the window's end."""
    return (window.until_s - 1) // width_s * width_s - (buckets - 1) * width_s


def _width(window: Window, buckets: int, least_s: int) -> int:
    width_s = -(-max(1, window.length_s) // buckets)
    return -(-width_s // least_s) * least_s


def _cut(budget: ErrorBudget, window: Window, buckets: int) -> Iterator[Window]:
    width_s = _width(window, buckets, max(HOUR_S, budget.objective.slice_s))
    start_s = window.since_s
    while start_s < window.until_s:
        # The first one is cut short, so that all edges are whole.
        end_s = min(start_s - start_s % width_s + width_s, window.until_s)
        yield Window(start_s, end_s)
        start_s = end_s


def _bucket(budget: ErrorBudget, window: Window, total: Fraction) -> Bucket:
    counts, coverage = budget.track.budgeted.window(window), budget.cover(window)
    gap = find_gap(coverage, counts, False, budget.rules.coverage_floor)
    error_budget = budget.objective.error_budget
    bad = bad_share(counts) if gap is None else None
    return Bucket(
        window,
        counts,
        coverage,
        gap,
        bad,
        None if bad is None else bad / error_budget,
        spend(counts, total, error_budget) if total > 0 else None,
    )
