"""A chart as cells, a line and words: the numbers of the series, and gaps that are not zero."""

from dataclasses import replace

import pytest

from alerts.chart import Chart, freeze
from alerts.drawing import HEIGHT, Cell, Drawing, draw
from tests.alerts.letters import START, S

HOUR = 3_600 * S


def chart(*values: float | None, limit: float | None = None, **changes: object) -> Chart:
    made = Chart("lag", "seconds", START - HOUR, START, values, limit)
    return replace(made, **changes)  # type: ignore[arg-type]


def drawn(*values: float | None, limit: float | None = None, **changes: object) -> Drawing:
    found = draw(chart(*values, limit=limit, **changes))
    assert found is not None
    return found


def test_bars_without_a_limit_are_one_row() -> None:
    found = drawn(0.0, 2.0, None, 4.0)
    assert found.above is None
    assert found.below.height == HEIGHT
    half = Cell("ok", HEIGHT // 2)
    assert found.below.cells == [Cell("ok", 0), half, Cell("none", 0), Cell("ok", HEIGHT)]
    assert (found.line, found.top, found.limit) == ("▁▅·█", "4 s", "")


def test_a_limit_parts_a_bar_in_two() -> None:
    found = drawn(2.0, 0.5, 1.0, limit=1.0)
    assert found.above is not None
    assert found.above.height + found.below.height == HEIGHT
    half = HEIGHT // 2
    assert found.above.cells == [Cell("bad", half), Cell("ok", 0, 2)]
    assert found.below.cells == [Cell("bad", half), Cell("ok", half // 2), Cell("ok", half)]


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        pytest.param((0.1, 0.2), 10.0, id="far above all"),
        pytest.param((1e9, 0.0), 1e-9, id="far below all"),
        pytest.param((0.0, 0.0), 0.0, id="at zero"),
        pytest.param((5.0, 5.0), 5.0, id="at the top"),
    ],
)
def test_the_line_of_a_limit_is_always_within(values: tuple[float, ...], limit: float) -> None:
    found = drawn(*values, limit=limit)
    assert found.above is not None
    assert found.above.height > 0
    assert found.below.height > 0


def test_neighbours_without_a_bar_are_one_cell_and_unknown_ones_another() -> None:
    found = drawn(0.0, 0.0, None, None, None, 0.0, 1.0)
    assert found.below.cells == [
        Cell("ok", 0, 2),
        Cell("none", 0, 3),
        Cell("ok", 0),
        Cell("ok", HEIGHT),
    ]
    assert sum(cell.span for cell in found.below.cells) == 7


def test_below_a_floor_is_bad_and_a_share_is_drawn_of_all() -> None:
    found = drawn(0.9, 0.5, None, limit=0.8, unit="share", is_floor=True)
    assert [cell.kind for cell in found.below.cells] == ["ok", "bad", "none"]
    assert (found.most, found.limit, found.top) == ("from 50% to 90%", "80%", "100%")
    assert found.line == "▇▅·"


def test_words_tell_what_bars_do() -> None:
    found = drawn(0.0, None, 16.2, limit=6.0, unit="times")
    assert found.in_words == (
        "Bars from 2027-01-15 07:00 to 2027-01-15 08:00 UTC, highest 16.2×, limit 6×,"
        " 1 of 3 without data"
    )
    odd = drawn(1.0, until_ns=START + 7 * S)
    assert (odd.since, odd.until) == ("2027-01-15 07:00:00", "2027-01-15 08:00:07 UTC")


def test_a_title_from_outside_does_nothing() -> None:
    found = drawn(1.0, title="a\r\nhttps://evil.test/\u202e")
    assert found.title == r"a\x0d\x0ahttps[:]//evil[.]test/\u202e"


def test_where_nothing_is_known_there_is_no_chart() -> None:
    assert draw(chart(None, None)) is None
    assert draw(chart()) is None
    assert freeze("lag", "seconds", (0, 1), [None]) is None


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        draw(chart("<b>"))  # type: ignore[arg-type]
