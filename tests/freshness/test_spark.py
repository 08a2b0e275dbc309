"""Bars of small series: unknown is not zero, and a little is not nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.spark import BLOCKS, UNKNOWN, fill_grid, heights, pixels, scale, text_bars

VALUES = st.lists(st.none() | st.floats(0, 1e12), max_size=60)


@pytest.mark.parametrize(
    ("values", "limit", "top"),
    [
        pytest.param([1.0, None, 4.0], None, 4.0, id="the most that is known"),
        pytest.param([1.0, 4.0], 10.0, 10.0, id="a limit above all"),
        pytest.param([12.0, 4.0], 10.0, 12.0, id="a limit below the most"),
        pytest.param([0.0, None], None, 1.0, id="zeros alone"),
        pytest.param([], None, 1.0, id="nothing"),
    ],
)
def test_the_top_of_a_chart(values: list[float | None], limit: float | None, top: float) -> None:
    assert scale(values, limit) == top


def test_bars_are_shares_of_the_top() -> None:
    assert heights([0.0, 5.0, 20.0, -1.0, None], 10.0) == [0.0, 0.5, 1.0, 0.0, None]
    assert pixels([0.0, 0.001, 5.0, 20.0, None], 10.0, 40) == [0, 1, 20, 40, None]


def test_a_line_of_characters() -> None:
    assert text_bars([0.0, 0.001, 3.5, 7.0, None]) == "▁▂▅█·"
    assert text_bars([3.5, 7.0], 14.0) == "▃▅"
    assert text_bars([]) == ""


def test_cells_on_a_grid_leave_holes_unknown() -> None:
    cells = [(60, 1.0), (180, 0.0), (0, 9.0), (300, 9.0)]
    assert fill_grid(cells, 60, 60, 4) == [1.0, None, 0.0, None]


@given(VALUES)
def test_unknown_zero_and_little_look_different(values: list[float | None]) -> None:
    line = text_bars(values)
    assert len(line) == len(values)
    for value, character in zip(values, line, strict=True):
        assert (character == UNKNOWN) is (value is None)
        assert (character == BLOCKS[0]) is (value == 0)
