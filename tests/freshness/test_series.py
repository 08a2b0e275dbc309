"""Cells of a store as series, of one grain and of two, and put together in groups."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.counts import Counts, count_events
from freshness.model import Result, Verdict
from freshness.rollup import SAMPLED, SWEPT, Grain, Reads, Rollup, RollupKey, fold
from freshness.series import (
    Place,
    by_keyspace,
    by_layer,
    by_owner,
    by_region,
    group,
    join,
    read_series,
)
from freshness.window import Cumulative, Window
from tests.freshness.budgets import HOUR, N1, N2

MS = 10**6


def key(start_s: int, node: str = "n1", stratum: str = SAMPLED, at: int = 0) -> RollupKey:
    """Where a cell is of."""
    return RollupKey(start_s, "product", "edge", node, stratum, at, "d1")


def minute(*reads: Reads) -> Rollup:
    """A minute cell as a process counts it."""
    cell = Rollup()
    for each in reads:
        cell.add(each)
    return cell


FRESH, STALE = Reads(Verdict.FRESH, 0, 0), Reads(Verdict.STALE, 9 * MS, 9 * MS)
UNKNOWN = Reads(Verdict.UNKNOWN)
MISS = Reads(Verdict.UNKNOWN, result=Result.MISS)


def test_one_stratum_alone() -> None:
    rows = [(key(0), minute(FRESH, STALE)), (key(0, stratum="recheck"), minute(STALE))]
    assert read_series(rows) == {N1: {0: count_events(good=1, bad=1)}}
    assert read_series(rows, "recheck") == {N1: {0: count_events(bad=1)}}


def test_two_definitions_of_one_minute_are_one_cluster() -> None:
    rows = [(key(60, at=5), minute(FRESH)), (key(60, at=6), minute(FRESH, STALE))]
    assert read_series(rows) == {N1: {60: count_events(good=2, bad=1)}}


def test_a_minute_of_misses_alone_was_observed() -> None:
    rows = [(key(0), minute(MISS, UNKNOWN)), (key(60), minute(UNKNOWN)), (key(120), minute(MISS))]
    series = read_series(rows)[N1]
    assert [cell.observed for cell in series.values()] == [1, 0, 1]
    assert [cell.clusters for cell in series.values()] == [0, 0, 0]
    assert read_series(rows, slice_s=300) == {N1: {0: Counts(unknown=2, observed=1)}}
    hours = fold(dict(rows), Grain.HOUR)
    assert read_series(hours.items(), grain_s=HOUR) == {N1: {0: Counts(unknown=2, observed=2)}}


def test_each_cell_is_asked_at_one_maximum() -> None:
    rows = [(key(0, at=5 * MS), minute(STALE)), (key(0, "n2", at=1 * MS), minute(STALE))]
    asked = read_series(rows, max_staleness_ns=15 * MS)
    assert asked == {N1: {0: count_events(good=1)}, N2: {0: count_events(good=1)}}


def test_minutes_become_wider_slices_with_one_cluster_each() -> None:
    rows = [(key(at), minute(FRESH)) for at in (0, 60, 240, 300)]
    rows.append((key(600), minute(UNKNOWN)))
    assert read_series(rows, slice_s=300) == {
        N1: {0: count_events(good=3), 300: count_events(good=1), 600: count_events(unknown=1)}
    }


def test_an_hour_has_no_more_slices_than_it_holds() -> None:
    hour = Rollup(clusters=40)
    hour.add(FRESH)
    rows = [(key(HOUR), hour)]
    wide = read_series(rows, slice_s=300, grain_s=HOUR)
    assert wide[N1][HOUR].clusters == 12
    assert read_series(rows, grain_s=HOUR)[N1][HOUR].clusters == 40


def test_hours_become_days_of_one_sweep_each() -> None:
    hour = Rollup(clusters=2)
    hour.add(FRESH)
    rows = [(key(at * HOUR, stratum=SWEPT), hour) for at in (3, 4, 30)]
    swept = read_series(rows, SWEPT, slice_s=24 * HOUR, grain_s=HOUR)
    assert swept == {N1: {0: count_events(good=2), 24 * HOUR: count_events(good=1)}}


reads = st.lists(st.sampled_from([FRESH, STALE, UNKNOWN, MISS]), min_size=1, max_size=5)
cells = st.dictionaries(st.integers(0, 71).map(lambda at: at * 600), reads, max_size=30)


@given(found=cells, edges=st.tuples(st.integers(0, 12), st.integers(0, 12)))
@pytest.mark.parametrize("grain", [Grain.HOUR, Grain.DAY])
def test_folded_cells_give_the_windows_that_minutes_give(
    grain: Grain, found: Mapping[int, list[Reads]], edges: tuple[int, int]
) -> None:
    rows = {key(start_s): minute(*each) for start_s, each in found.items()}
    fine = read_series(rows.items()).get(N1, {})
    coarse = read_series(fold(rows, grain).items(), grain_s=grain).get(N1, {})
    window = Window(edges[0] * grain, edges[1] * grain)
    assert Cumulative(coarse).window(window) == Cumulative(fine).window(window)


@given(found=cells, split=st.integers(0, 12).map(lambda at: at * HOUR))
def test_old_hours_and_new_minutes_make_one_series(
    found: Mapping[int, list[Reads]], split: int
) -> None:
    rows = {key(start_s): minute(*each) for start_s, each in found.items()}
    fine = read_series(rows.items())
    hours = read_series(fold(rows, Grain.HOUR).items(), grain_s=HOUR)
    both = join(hours, fine, split).get(N1, {})
    assert all(start_s % HOUR == 0 for start_s in both if start_s < split)
    for since_s in range(0, 12 * HOUR, HOUR):
        window = Window(since_s, 12 * HOUR)
        assert Cumulative(both).window(window) == Cumulative(fine.get(N1, {})).window(window)


def test_groups() -> None:
    far = Place("price", "regional", "r1")
    series = {place: {0: count_events(good=1)} for place in (N1, N2, far)}
    assert {name: set(each) for name, each in group(series, by_keyspace).items()} == {
        "product": {N1, N2},
        "price": {far},
    }
    assert set(group(series, by_layer)) == {"edge", "regional"}
    regions = {("edge", "n1"): "eu", ("regional", "r1"): "eu", ("edge", "n2"): "us"}
    assert set(group(series, by_region(regions))["eu"]) == {N1, far}
    assert set(group(series, by_owner({"price": "team-a"}))) == {"team-a"}
