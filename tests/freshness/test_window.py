"""Windows from cumulative sums equal sums of their cells, late deltas included."""

from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.model import Verdict
from freshness.rollup import Reads, Rollup
from freshness.window import Cumulative


def cell(verdict: Verdict, n: int) -> Rollup:
    """A minute of one verdict, as folding leaves it."""
    made = Rollup(clusters=1)
    made.add(Reads(verdict, 3, None, n=n))
    return made


starts = st.integers(0, 20).map(lambda index: index * 60)
minutes = st.dictionaries(
    starts, st.builds(cell, st.sampled_from(Verdict), st.integers(1, 99)), max_size=12
)


def summed(cells: dict[int, Rollup], since_s: int, until_s: int) -> Rollup:
    """The slow way."""
    inside = [each for start, each in cells.items() if since_s <= start < until_s]
    return reduce(add, inside, Rollup())


@given(cells=minutes, since_s=st.integers(-60, 1_300), until_s=st.integers(-60, 1_300))
def test_a_window_is_the_sum_of_its_cells(
    cells: dict[int, Rollup], since_s: int, until_s: int
) -> None:
    assert Cumulative(cells).window(since_s, until_s) == summed(cells, since_s, until_s)


@given(cells=minutes, late=minutes, since_s=starts, until_s=starts)
def test_late_deltas_update_the_suffix(
    cells: dict[int, Rollup], late: dict[int, Rollup], since_s: int, until_s: int
) -> None:
    series = Cumulative(cells)
    for start_s, delta in late.items():
        series.add(start_s, delta)
    together = {
        start: cells.get(start, Rollup()) + late.get(start, Rollup()) for start in {*cells, *late}
    }
    assert series.window(since_s, until_s) == summed(together, since_s, until_s)


@pytest.mark.parametrize(
    ("since_s", "until_s", "fresh"),
    [
        pytest.param(0, 60, 1, id="the end is not in it"),
        pytest.param(0, 61, 3, id="a bucket counts by its start"),
        pytest.param(30, 61, 2, id="and not by what overlaps"),
        pytest.param(60, 60, 0, id="nothing in no time"),
        pytest.param(60, 0, 0, id="nothing backwards"),
    ],
)
def test_edges(since_s: int, until_s: int, fresh: int) -> None:
    series = Cumulative({0: cell(Verdict.FRESH, 1), 60: cell(Verdict.FRESH, 2)})
    assert series.window(since_s, until_s).fresh.n == fresh
