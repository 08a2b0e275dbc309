"""What the buckets of a window came to: for charts, and for days of a report."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from freshness.budget import bad_share, spend
from freshness.budget_coverage import Coverage, Gap, find_gap
from freshness.counts import Counts
from freshness.status import ErrorBudget
from freshness.window import Window


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


def _cut(budget: ErrorBudget, window: Window, buckets: int) -> Iterator[Window]:
    least_s = max(3_600, budget.objective.slice_s)
    width_s = -(-max(1, window.length_s) // buckets)
    width_s = -(-width_s // least_s) * least_s
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
