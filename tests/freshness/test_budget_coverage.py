"""Whether a window was measured: against the grid, not against what was found."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.budget_coverage import Coverage, Gap, Grid, Listing, cover_events, find_gap
from freshness.counts import NOTHING, Counts, count_events
from freshness.series import Place
from freshness.window import Cumulative, Window
from tests.freshness.budgets import HOUR, N1, N2, always, steady

ONE = count_events(good=10)
WEIGHTLESS = ONE._replace(good_weight=0.0, judged_weight=0.0, weight_squares=0.0)
HOUR_LONG = Window(0, HOUR)


def cover_listed(
    series: Mapping[Place, Cumulative], listing: Listing, window: Window, slice_s: int
) -> Coverage:
    whole = Cumulative({})
    for cells in series.values():
        for start_s in cells.starts:
            whole.add(start_s, cells.cell(start_s))
    return Grid(listing, slice_s).cover(series, whole, window)


def test_a_dead_collector_finds_nothing_and_is_missed_nevertheless() -> None:
    assert cover_listed({}, always(N1), HOUR_LONG, 60) == Coverage(0, 60, (N1,))


def test_a_dead_node_of_two() -> None:
    series = {N1: Cumulative(steady(ONE, 0, HOUR)), N2: Cumulative({})}
    coverage = cover_listed(series, always(N1, N2), HOUR_LONG, 60)
    assert coverage == Coverage(60, 120, (N2,))
    assert coverage.share == Fraction(1, 2)


def test_minutes_of_unknown_reads_alone_are_not_covered() -> None:
    cells = {**steady(ONE, 0, 1_800), **steady(count_events(unknown=9), 1_800, HOUR)}
    assert cover_listed({N1: Cumulative(cells)}, always(N1), HOUR_LONG, 60).observed == 30


def test_a_node_that_holds_no_copy_is_covered() -> None:
    cold = Cumulative(steady(Counts(observed=1), 0, HOUR))
    coverage = cover_listed({N1: cold}, always(N1), HOUR_LONG, 60)
    assert coverage == Coverage(60, 60)
    assert find_gap(coverage, cold.window(HOUR_LONG), False) is Gap.NO_EVENTS
    warm = count_events(good=10)
    assert find_gap(coverage, warm.plus(cold.window(HOUR_LONG)), False) is None


def test_nothing_is_expected_before_a_node_was_listed_and_after_it_left() -> None:
    series = {N1: Cumulative(steady(ONE, 600, 1_200))}
    listing = {N1: [Window(600, 1_200), Window(5_000, 9_000)]}
    assert cover_listed(series, listing, HOUR_LONG, 60) == Coverage(10, 10)


def test_a_place_that_is_not_listed_covers_for_nobody() -> None:
    series = {N1: Cumulative(steady(ONE, 0, HOUR))}
    assert cover_listed(series, always(N2), HOUR_LONG, 60) == Coverage(0, 60, (N2,))


def test_a_grid_of_wider_slices() -> None:
    series = {N1: Cumulative(steady(ONE, 0, HOUR, 300))}
    assert cover_listed(series, always(N1), HOUR_LONG, 300) == Coverage(12, 12)


stays = st.sampled_from([Window(0, HOUR), Window(-HOUR, 2 * HOUR), Window(600, HOUR)])
gaps = st.sets(st.integers(0, 59), max_size=30)


@given(
    missing=st.tuples(gaps, gaps),
    listed=st.tuples(stays, stays),
    names=st.sampled_from([(N1,), (N1, N2)]),
    since_s=st.integers(0, 59).map(lambda at: at * 60),
)
def test_the_quick_way_is_the_long_one(
    missing: tuple[set[int], set[int]],
    listed: tuple[Window, Window],
    names: tuple[Place, ...],
    since_s: int,
) -> None:
    series = {
        place: Cumulative({at * 60: ONE for at in range(60) if at not in lost})
        for place, lost in zip((N1, N2), missing, strict=True)
    }
    whole_stay = dict(zip((N1, N2), ([stay] for stay in listed), strict=True))
    listing = {place: whole_stay[place] for place in names}
    # The same listing in two pieces is looked at place by place.
    halves = {
        place: [Window(stay.since_s, 1_200), Window(1_200, stay.until_s)]
        for place, (stay,) in listing.items()
    }
    window = Window(since_s, HOUR)
    quick = cover_listed(series, listing, window, 60)
    assert quick == cover_listed(series, halves, window, 60)


def test_pairs_are_covered_by_what_is_known_of_them() -> None:
    series = {
        N1: Cumulative({0: count_events(good=8, bad=1, indeterminate=1)}),
        N2: Cumulative({60: count_events(good=1, unknown=9)}),
    }
    assert cover_events(series, HOUR_LONG) == Coverage(11, 20, (N2,))
    assert cover_events({}, HOUR_LONG).share is None


@pytest.mark.parametrize(
    ("coverage", "counts", "is_stale", "gap"),
    [
        pytest.param(Coverage(54, 60), ONE, False, None, id="nine tenths are enough"),
        pytest.param(Coverage(53, 60), ONE, False, Gap.LOW_COVERAGE, id="less are not"),
        pytest.param(Coverage(60, 60), ONE, True, Gap.STALE_WATERMARK, id="whatever it shows"),
        pytest.param(Coverage(60, 60), NOTHING, False, Gap.NO_EVENTS, id="nothing judged"),
        pytest.param(Coverage(60, 60), WEIGHTLESS, False, Gap.NO_EVENTS, id="of no weight"),
        pytest.param(Coverage(0, 0), ONE, False, Gap.NOT_LISTED, id="found where none is listed"),
        pytest.param(Coverage(0, 0), NOTHING, False, Gap.NO_EVENTS, id="nothing at all"),
    ],
)
def test_gaps(coverage: Coverage, counts: Counts, is_stale: bool, gap: Gap | None) -> None:
    assert find_gap(coverage, counts, is_stale) is gap
