"""Stale-key-seconds: one stuck key is one, however often it is sampled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.model import Bounds
from freshness.stale_time import Copy, Interval, Seen, count_time, part_time, stale_seconds, unite
from freshness.window import Cumulative, Window
from tests.freshness.budgets import N1, N2

NS = 10**9


def seconds(*pairs: tuple[float, float]) -> list[Interval]:
    return [Interval(round(since * NS), round(until * NS)) for since, until in pairs]


@pytest.mark.parametrize(
    ("given_spans", "united"),
    [
        pytest.param([], [], id="none"),
        pytest.param([(3, 3)], [], id="an instant lasts for no time"),
        pytest.param([(5, 9), (0, 6)], [(0, 9)], id="overlapping"),
        pytest.param([(0, 5), (5, 9)], [(0, 9)], id="touching"),
        pytest.param([(0, 9), (2, 3)], [(0, 9)], id="one inside another"),
        pytest.param([(6, 9), (0, 5)], [(0, 5), (6, 9)], id="apart"),
    ],
)
def test_union(given_spans: list[tuple[float, float]], united: list[tuple[float, float]]) -> None:
    assert unite(seconds(*given_spans)) == seconds(*united)


@pytest.mark.parametrize(
    ("bounds", "maximum", "expected"),
    [
        pytest.param((0, None), 0, (10, 10, 90), id="nothing is known"),
        pytest.param((0, 9), 20, (10, 90, 90), id="fresh by then, and so it was before"),
        pytest.param((85, 95), 0, (10, 10, 10), id="superseded before: stale from there on"),
        pytest.param((50, 60), 0, (10, 35, 40), id="superseded while it was held"),
        pytest.param((50, 60), 20, (10, 55, 60), id="and allowed for a while"),
        pytest.param((50, None), 20, (10, 10, 60), id="nobody knows since when it is current"),
        pytest.param((0, 60), 20, (10, 55, 90), id="between the bounds"),
        pytest.param((10, 30), 20, (10, 85, 90), id="allowed for longer than it is stale"),
    ],
)
def test_what_a_read_says_of_the_time_before_it(
    bounds: tuple[int, int | None], maximum: int, expected: tuple[int, int, int]
) -> None:
    lower, upper = bounds
    good, open_, bad = part_time(10, 90, 95, Bounds(lower, upper, 0, None), maximum)
    assert (good.since_ns, good.until_ns, open_.until_ns) == expected
    assert (open_.since_ns, bad) == (good.until_ns, (open_.until_ns, 90))


def test_a_single_read_proves_an_instant() -> None:
    for part in part_time(90, 90, 95, Bounds(50, 60, 0, None), 0):
        assert part == Interval(90, 90)


def test_one_stuck_key_of_ten_sampled_a_hundred_times() -> None:
    """Ten keys watched for two minutes, one stale for 30 s of it: 30 of 1,200 seconds."""
    watched = seconds((0, 120))
    copies = {Copy(N1, str(key)): Seen(fresh=watched) for key in range(9)}
    samples = seconds(*((40 + at * 0.3, 40 + at * 0.3 + 0.3) for at in range(100)))
    copies[Copy(N1, "9")] = Seen(stale=samples, fresh=seconds((0, 40)), watched=watched)
    whole = Cumulative(count_time(copies)[N1]).window(Window(0, 120))
    assert (whole.bad_weight, whole.judged_weight, whole.good_weight) == (30.0, 1_200.0, 1_120.0)
    assert (whole.good, whole.bad, whole.indeterminate, whole.clusters) == (18, 2, 0, 2)
    assert stale_seconds(copies) == {Copy(N1, "9"): 30.0}
    assert stale_seconds(copies, 50 * NS, 60 * NS) == {Copy(N1, "9"): 10.0}


def test_seconds_go_where_they_lie() -> None:
    copies = {Copy(N1, "k"): Seen(stale=seconds((50, 130)), watched=seconds((0, 180)))}
    cells = count_time(copies)[N1]
    assert [cell.bad_weight for _, cell in sorted(cells.items())] == [10.0, 60.0, 10.0]
    assert [cell.judged_weight for _, cell in sorted(cells.items())] == [60.0, 60.0, 60.0]
    assert all(cell.bad == cell.judged == 1 for cell in cells.values())


def test_stale_is_proven_and_wins_over_what_else_is_said() -> None:
    copies = {Copy(N1, "k"): Seen(seconds((10, 20)), seconds((0, 15)), seconds((0, 60)))}
    cell = count_time(copies)[N1][0]
    assert (cell.good_weight, cell.bad_weight, cell.judged_weight) == (10.0, 10.0, 60.0)


def test_places_are_apart() -> None:
    seen = Seen(stale=seconds((0, 60)))
    series = count_time({Copy(N1, "k"): seen, Copy(N2, "k"): seen, Copy(N2, "l"): seen})
    assert (series[N1][0].bad, series[N2][0].bad, series[N2][0].clusters) == (1, 2, 1)


spans = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 300)).map(
        lambda pair: Interval(min(pair) * NS, max(pair) * NS)
    ),
    max_size=6,
)


def inside(intervals: list[Interval], second: int) -> bool:
    return any(each.since_ns <= second * NS < each.until_ns for each in intervals)


@given(stale=spans, fresh=spans, watched=spans)
def test_each_second_counts_once(
    stale: list[Interval], fresh: list[Interval], watched: list[Interval]
) -> None:
    cells = count_time({Copy(N1, "k"): Seen(stale, fresh, watched)}).get(N1, {})
    whole = Cumulative(cells).window(Window(0, 600))
    bad = {second for second in range(300) if inside(stale, second)}
    good = {second for second in range(300) if inside(fresh, second)} - bad
    other = {second for second in range(300) if inside(watched, second)} - bad - good
    assert whole.bad_weight == len(bad)
    assert whole.good_weight == len(good)
    assert whole.judged_weight == len(bad | good | other)
