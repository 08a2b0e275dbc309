"""Lifetimes against the documented one, clocks against the observer's, and torn values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.clock_skew import Shift, Skew, bound_skew, find_shift
from freshness.fill import Fill
from freshness.model import Value
from freshness.offset import Exchange, bounds_of
from freshness.torn import is_torn
from freshness.ttl_drift import Drift, Fit, Lifetime, lifetime_of, survey

S = 10**9
FITS = [
    ("within the jitter", Lifetime(58, 61), Fit.WITHIN, False),
    ("more remains than it may", Lifetime(66, None), Fit.LONGER, True),
    ("never expires", Lifetime(math.inf, None), Fit.ENDLESS, True),
    ("gone too soon", Lifetime(20, 40), Fit.SHORTER, False),
    ("what remains is less", Lifetime(20, None), Fit.UNKNOWN, None),
    ("the bounds hold both", Lifetime(50, 70), Fit.UNKNOWN, None),
    ("at the edge of the jitter", Lifetime(55, 65), Fit.WITHIN, False),
]


@pytest.mark.parametrize(("about", "lifetime", "fit", "longer"), FITS, ids=[f[0] for f in FITS])
def test_a_lifetime_beside_the_documented_one(
    about: str, lifetime: Lifetime, fit: Fit, longer: bool | None
) -> None:
    del about
    drift = Drift(lifetime, 60, 5)
    assert (drift.fit, drift.is_longer) == (fit, longer)


@given(
    given_s=st.floats(1, 10_000),
    filled=st.integers(0, 1_000 * S),
    lived=st.integers(0, 1_000 * S),
    slack=st.integers(0, S),
)
def test_a_lifetime_lies_within_its_bounds(
    given_s: float, filled: int, lived: int, slack: int
) -> None:
    start, remaining = filled + lived, given_s - lived / S
    if remaining < 0:
        return
    alone = lifetime_of(start, start + slack, remaining)
    dated = lifetime_of(start, start + slack, remaining, Fill(filled - slack, filled + slack))
    assert alone is not None
    assert dated is not None
    assert alone.lower_s <= given_s
    assert dated.lower_s <= given_s <= (dated.upper_s or 0)


@pytest.mark.parametrize("ttl_s", [math.nan, -1.0])
def test_what_is_no_remaining_time_tells_no_lifetime(ttl_s: float) -> None:
    assert lifetime_of(0, 1, ttl_s) is None


def test_a_survey_counts_what_is_proven_to_be_outside() -> None:
    found = survey([lifetime for _, lifetime, *_ in FITS], 60, 5)
    assert (found.n, found.outside) == (7, 3)
    assert found.counts == {
        Fit.WITHIN: 2, Fit.LONGER: 1, Fit.ENDLESS: 1, Fit.SHORTER: 1, Fit.UNKNOWN: 2
    }  # fmt: skip
    assert (found.lower_s, found.upper_s) == (20, 70)
    assert survey([], 60, 5)[1:] == (None, None)


SKEWS = [
    ("far ahead", Skew(3 * S, 4 * S), True),
    ("far behind", Skew(-4 * S, -3 * S), True),
    ("right", Skew(-S // 10, S // 10), False),
    ("the bounds hold both", Skew(-S, 4 * S), None),
    ("off, within the tolerance", Skew(S // 5, S // 4), False),
]


@pytest.mark.parametrize(("about", "skew", "is_off"), SKEWS, ids=[s[0] for s in SKEWS])
def test_a_clock_is_off_only_where_its_bounds_prove_it(
    about: str, skew: Skew, is_off: bool | None
) -> None:
    del about
    assert skew.is_off is is_off


def test_a_skew_is_bounded_by_exchanges_with_both_clocks() -> None:
    host = bounds_of(Exchange(100 * S, 205 * S, 101 * S))
    wall = bounds_of(Exchange(100 * S, 200 * S, 100 * S + 1000))
    skew = bound_skew(host, wall, 101 * S)
    assert skew.lower <= 5 * S <= skew.upper
    assert skew.is_off
    assert skew.say().endswith("ahead")


def test_a_shift_is_what_all_copies_of_a_node_share() -> None:
    proven = [Fill(at * S, at * S + S) for at in (100, 140, 180)]
    claimed = [Fill(fill.lower - 7 * S, fill.upper - 7 * S) for fill in proven]
    shift = find_shift(zip(claimed, proven, strict=True))
    assert shift == Shift(6 * S, 8 * S, 3)
    assert Skew(7 * S, 7 * S, shift).explains_shift
    assert not Skew(-7 * S, -7 * S, shift).explains_shift
    assert not Skew(9 * S, 9 * S, shift).explains_shift
    assert find_shift(list(zip(claimed, proven, strict=True))[:2]) is None
    assert find_shift([*zip(claimed, proven, strict=True), (proven[0], proven[0])]) is None


TORN = [
    ("another projection of one version", Value(5, "a"), Value(5, "b"), True),
    ("a not-found of one version", Value(5, absent=True), Value(5, "b"), True),
    ("the same", Value(5, "a"), Value(5, "a"), False),
    ("an older version is stale, not torn", Value(4, "a"), Value(5, "b"), False),
    ("a projection is unknown", Value(5), Value(5, "b"), None),
    ("no version", Value(projection="a"), Value(projection="b"), None),
    ("nothing there", None, Value(5, "b"), None),
]


@pytest.mark.parametrize(("about", "copy", "origin", "torn"), TORN, ids=[t[0] for t in TORN])
def test_torn_values(
    about: str, copy: Value | None, origin: Value | None, torn: bool | None
) -> None:
    del about
    assert is_torn(copy, origin) is torn
