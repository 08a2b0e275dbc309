"""Stale-key-seconds: one stuck key is one, however often it is sampled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.stale_time import Copy, Interval, Seen, count_time, stale_seconds, stale_span, unite
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
    ("superseded_by", "maximum", "expected"),
    [
        pytest.param(None, 0, None, id="nothing newer is known"),
        pytest.param(5, 0, (10, 90), id="stale at its first read: from there on"),
        pytest.param(40, 0, (40, 90), id="superseded while it was held"),
        pytest.param(40, 20, (60, 90), id="and allowed for a while"),
        pytest.param(80, 20, None, id="allowed for longer than it was seen"),
    ],
)
def test_when_a_run_was_stale(
    superseded_by: int | None, maximum: int, expected: tuple[int, int] | None
) -> None:
    span = stale_span(10, 90, superseded_by, maximum)
    assert span == (None if expected is None else Interval(*expected))


def test_a_single_read_proves_an_instant() -> None:
    assert stale_span(10, 10, 5, 0) is None


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
