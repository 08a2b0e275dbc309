"""Event-triggered checks: what a reading says of a version, for which horizon, and for how many."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.check import Admission, CheckCell, Checked, Seen, is_timely, judge_check
from freshness.model import ABSENT, MISS, Reading, Result, Value

S = 10**9


def holding(version: int | None, **more: object) -> Reading:
    return Reading(Result.VALUE, Value(version), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "reading", "seen"),
    [
        pytest.param(3, holding(3), Seen.VISIBLE, id="the version itself"),
        pytest.param(3, holding(4), Seen.VISIBLE, id="a newer one is as good"),
        pytest.param(3, holding(2), Seen.BEHIND, id="an older one"),
        pytest.param(3, Reading(Result.VALUE, Value(3, absent=True)), Seen.VISIBLE, id="deleted"),
        pytest.param(3, MISS, Seen.GONE, id="no copy, so no old copy"),
        pytest.param(3, holding(3, filled=True), Seen.GONE, id="one that our own read put there"),
        pytest.param(3, Reading(Result.UNKNOWN), Seen.UNANSWERED, id="no answer"),
        pytest.param(3, Reading(Result.UNREADABLE), Seen.AMBIGUOUS, id="nothing to be read"),
        pytest.param(3, Reading(Result.VALUE, ABSENT), Seen.AMBIGUOUS, id="unversioned absence"),
        pytest.param(None, holding(3), Seen.AMBIGUOUS, id="a message without a version"),
    ],
)
def test_a_reading_says(version: int | None, reading: Reading, seen: Seen) -> None:
    assert judge_check(version, reading) is seen


@pytest.mark.parametrize(
    ("late_ns", "horizon_ns", "is_it"),
    [
        pytest.param(S // 2, 0, True, id="half a second is as good as at once"),
        pytest.param(S // 2 + 1, S, False, id="more is not"),
        pytest.param(6 * S, 60 * S, True, id="a tenth of a minute"),
        pytest.param(6 * S + 1, 60 * S, False, id="more than a tenth of it"),
    ],
)
def test_a_late_read_is_not_counted_under_its_label(
    late_ns: int, horizon_ns: int, is_it: bool
) -> None:
    assert is_timely(late_ns, horizon_ns) is is_it


def test_shares_are_of_what_an_order_decided() -> None:
    cell = CheckCell()
    assert cell.shares == {}
    cell.add(Seen.VISIBLE, 3.0, 5)
    cell.add(Seen.BEHIND, 1.0, 7)
    cell.add(Seen.SKIPPED, 100.0)
    assert cell.shares == {Seen.VISIBLE: 0.75, Seen.GONE: 0.0, Seen.BEHIND: 0.25}
    assert cell.late.total == 2


def test_cells_add_up() -> None:
    one, other = CheckCell(), CheckCell()
    one.add(Seen.VISIBLE, 2.0, 5)
    other.add(Seen.VISIBLE, 1.0, 6)
    other.add(Seen.GONE, 1.0, 6)
    both = one + other
    assert both.seen == {Seen.VISIBLE: Checked(2, 3.0), Seen.GONE: Checked(1, 1.0)}
    assert both.late.total == 3
    assert one.seen == {Seen.VISIBLE: Checked(1, 2.0)}


@pytest.mark.parametrize(
    ("events_per_s", "rate_per_s"),
    [
        pytest.param(50, 100, id="all of them, where they are few"),
        pytest.param(1_000, 100, id="a tenth"),
        pytest.param(20_000, 100, id="one in two hundred"),
    ],
)
def test_what_is_drawn_stands_for_what_came(events_per_s: int, rate_per_s: int) -> None:
    admission, seconds = Admission(), 20
    drawn = [
        admission.weigh(n * 7919, rate_per_s, n * S // events_per_s)
        for n in range(seconds * events_per_s)
    ]
    weights = [weight for weight in drawn if weight is not None]
    came = seconds * events_per_s
    expected = min(events_per_s, rate_per_s) * seconds
    # The first second of a burst is drawn more thinly by and by, so a little more is drawn there.
    assert 0.8 * expected <= len(weights) <= 1.6 * expected
    assert 0.8 * came <= sum(weights) <= 1.2 * came


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=1, max_size=300))
def test_an_event_is_drawn_alike_again(names: list[int]) -> None:
    instants = [n * S // 100 for n in range(len(names))]

    def draw() -> list[float | None]:
        admission = Admission()
        return [admission.weigh(n, 10, at) for n, at in zip(names, instants, strict=True)]

    first = draw()
    assert first == draw()
    assert all(weight is None or weight >= 1.0 for weight in first)


def test_a_quiet_second_is_forgotten() -> None:
    admission = Admission()
    for n in range(1_000):
        admission.weigh(n, 10, n * S // 1_000)
    assert [admission.weigh(n, 10, 5 * S + n) for n in range(10)] == [1.0] * 10


def test_horizons_of_one_event_follow_each_other() -> None:
    horizons = [0, S, 10 * S, 60 * S, 300 * S, 600 * S]
    # No read may speak for two horizons: each label ends before the next begins.
    for one, next_one in pairwise(horizons):
        assert not is_timely(next_one - one, one)
