"""Windows from cumulative sums equal sums of their cells, late deltas included."""

from collections.abc import Mapping
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.counts import NOTHING, Counts, count_events
from freshness.window import Cumulative, Window
from tests.freshness.budgets import weighted

starts = st.integers(0, 20).map(lambda index: index * 60)
minutes = st.dictionaries(starts, weighted, max_size=12)


def summed(cells: Mapping[int, Counts], window: Window) -> Counts:
    """The slow way."""
    inside = [each for start, each in cells.items() if window.since_s <= start < window.until_s]
    return reduce(Counts.plus, inside, NOTHING)


@given(cells=minutes, since_s=st.integers(-60, 1_300), until_s=st.integers(-60, 1_300))
def test_a_window_is_the_sum_of_its_cells(
    cells: dict[int, Counts], since_s: int, until_s: int
) -> None:
    window = Window(since_s, until_s)
    assert Cumulative(cells).window(window) == summed(cells, window)
    assert Cumulative(cells).observed(window) == summed(cells, window).observed


@given(cells=minutes, late=st.lists(st.tuples(starts, weighted)), since_s=starts, until_s=starts)
def test_late_deltas_update_the_suffix(
    cells: dict[int, Counts], late: list[tuple[int, Counts]], since_s: int, until_s: int
) -> None:
    series, together = Cumulative(cells), dict(cells)
    for start_s, delta in late:
        series.add(start_s, delta)
        together[start_s] = together.get(start_s, NOTHING).plus(delta)
    window = Window(since_s, until_s)
    assert series.window(window) == summed(together, window)


@given(cells=minutes, later=st.lists(st.tuples(starts, weighted)), until_s=starts)
def test_a_cell_is_replaced_by_what_it_is_now(
    cells: dict[int, Counts], later: list[tuple[int, Counts]], until_s: int
) -> None:
    series = Cumulative(cells)
    for start_s, cell in later:
        before = series.cell(start_s)
        assert series.put(start_s, cell) == cell.minus(before)
    now = cells | dict(later)
    assert all(series.cell(start_s) == cell for start_s, cell in now.items())
    assert series.window(Window(0, until_s)) == summed(now, Window(0, until_s))
    assert list(series.starts) == sorted(now)


@given(cells=minutes)
def test_sums_of_a_field(cells: dict[int, Counts]) -> None:
    series = Cumulative(cells)
    assert len(series.sums("bad")) == len(cells) + 1
    for at, start_s in enumerate(series.starts):
        assert series.sums("bad")[at] == summed(cells, Window(-1, start_s)).bad


@pytest.mark.parametrize(
    ("window", "good"),
    [
        pytest.param(Window(0, 60), 1, id="the end is not in it"),
        pytest.param(Window(0, 61), 3, id="a bucket counts by its start"),
        pytest.param(Window(30, 61), 2, id="and not by what overlaps"),
        pytest.param(Window(60, 60), 0, id="nothing in no time"),
        pytest.param(Window(60, 0), 0, id="nothing backwards"),
    ],
)
def test_edges(window: Window, good: int) -> None:
    series = Cumulative({0: count_events(good=1), 60: count_events(good=2)})
    assert series.window(window).good == good


def test_what_windows_have_in_common() -> None:
    assert Window(0, 100).within(Window(40, 200)) == Window(40, 100)
    assert Window(0, 100).within(Window(150, 200)).length_s == 0
