"""Slices by each way of budgeting; sums kept true equal sums made anew."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.counts import NOTHING, Counts, count_events
from freshness.objective import OCCURRENCES, Budgeting, RatioTimeslices, Timeslices
from freshness.series import Place
from freshness.track import Track, budget_slice
from freshness.window import Window
from tests.freshness.budgets import N1, N2, events, objective, weighted

GOAL = Timeslices(Fraction("0.95"))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(count_events(95, 5), count_events(good=1), id="95 of 100 reach 95 %"),
        pytest.param(count_events(94, 6), count_events(bad=1), id="94 do not"),
        pytest.param(count_events(94, 5, 1), count_events(indeterminate=1), id="one decides"),
        pytest.param(count_events(0, 0, 9), count_events(indeterminate=1), id="all open"),
        pytest.param(count_events(unknown=9), count_events(unknown=1), id="unknown: no slice"),
        pytest.param(NOTHING, NOTHING, id="nothing is no good slice"),
    ],
)
def test_a_slice_is_good_bad_or_open(cell: Counts, expected: Counts) -> None:
    assert budget_slice(cell, GOAL) == expected


def test_a_ratio_counts_slices_alike_whatever_their_events() -> None:
    """100 % of 1,000 events and 50 % of 2 are 75 % on average."""
    made = objective(budgeting=RatioTimeslices())
    track = Track(made, {N1: {0: count_events(1_000), 60: count_events(1, 1)}})
    whole = track.budgeted.window(Window(0, 120))
    assert whole.bad_weight / whole.judged_weight == 0.25
    assert (whole.good, whole.bad, whole.clusters) == (1, 1, 2)


def test_places_of_a_slice_are_judged_together() -> None:
    made = objective(budgeting=GOAL)
    track = Track(made, {N1: {0: count_events(90)}, N2: {0: count_events(6, 4)}})
    assert track.budgeted.window(Window(0, 60)) == count_events(good=1)
    assert track.by_place(Window(0, 60))[N2].bad == 4


def test_slices_cannot_be_told_from_hours() -> None:
    with pytest.raises(ValueError, match="Timeslices needs cells no wider than a slice"):
        Track(objective(budgeting=GOAL), {}, widest_s=3_600)
    Track(objective(), {}, widest_s=3_600)


places = st.sampled_from([N1, N2])
starts = st.integers(0, 15).map(lambda at: at * 60)
puts = st.lists(st.tuples(places, starts, weighted), max_size=25)
budgetings = st.sampled_from([OCCURRENCES, GOAL])


@given(first=puts, later=puts, budgeting=budgetings, slice_s=st.sampled_from([60, 300]))
def test_kept_up_equals_made_anew(
    first: list[tuple[Place, int, Counts]],
    later: list[tuple[Place, int, Counts]],
    budgeting: Budgeting,
    slice_s: int,
) -> None:
    made = objective(budgeting=budgeting, slice_s=slice_s)

    def series(changes: list[tuple[Place, int, Counts]]) -> dict[Place, dict[int, Counts]]:
        cells: dict[Place, dict[int, Counts]] = {}
        for place, start_s, cell in changes:
            cells.setdefault(place, {})[start_s - start_s % slice_s] = cell
        return cells

    kept = Track(made, series(first))
    for place, start_s, cell in later:
        kept.put(place, start_s - start_s % slice_s, cell)
    anew = Track(made, series(first + later))
    for since_s in range(0, 960, 300):
        window = Window(since_s, 960)
        assert kept.budgeted.window(window) == anew.budgeted.window(window)
        assert kept.events.window(window) == anew.events.window(window)
        assert kept.by_place(window) == anew.by_place(window)


@given(changes=st.lists(st.tuples(starts, events), min_size=1, max_size=25))
def test_ratios_kept_up_equal_ratios_made_anew(changes: list[tuple[int, Counts]]) -> None:
    """Shares of slices are no whole numbers: equal to the rounding of a double."""
    made = objective(budgeting=RatioTimeslices())
    kept = Track(made, {})
    for start_s, cell in changes:
        kept.put(N1, start_s, cell)
    anew = Track(made, {N1: dict(changes)})
    window = Window(0, 960)
    assert kept.budgeted.window(window) == pytest.approx(anew.budgeted.window(window), abs=1e-12)
