"""Objectives, counts and series to test budgets with."""

from fractions import Fraction

from hypothesis import strategies as st

from freshness.counts import Counts, count_events
from freshness.objective import OCCURRENCES, Budgeting, Calendar, Measure, Objective, Rolling
from freshness.series import Place
from freshness.window import Window

HOUR, DAY = 3_600, 86_400
N1, N2 = Place("product", "edge", "n1"), Place("product", "edge", "n2")

few = st.integers(0, 50)
events = st.builds(count_events, few, few, few, few)
"""Events that weigh 1 each, as one cell of one place."""


def weigh(counts: Counts, weight: int) -> Counts:
    """The same events, each standing for so much traffic: still sums without a rounding."""
    return counts._replace(
        good_weight=counts.good * weight,
        bad_weight=counts.bad * weight,
        judged_weight=counts.judged * weight,
        weight_squares=counts.judged * weight**2,
    )


weighted = st.builds(weigh, events, st.integers(1, 9))


def objective(
    target: str = "0.999",
    length_s: int = 28 * DAY,
    budgeting: Budgeting = OCCURRENCES,
    slice_s: int = 60,
    measure: Measure = Measure.READS,
) -> Objective:
    """A rolling objective."""
    return Objective(measure, Fraction(target), Rolling(length_s), budgeting, slice_s)


def calendar(budgeting: Budgeting = OCCURRENCES, target: str = "0.999") -> Objective:
    """One of a calendar month."""
    return Objective(Measure.READS, Fraction(target), Calendar.MONTH, budgeting)


def steady(cell: Counts, since_s: int, until_s: int, step_s: int = 60) -> dict[int, Counts]:
    """The same cell over and over."""
    return dict.fromkeys(range(since_s, until_s, step_s), cell)


def always(*places: Place) -> dict[Place, list[Window]]:
    """Places that were listed for all time."""
    return {place: [Window(-(10**9), 10**12)] for place in places}
