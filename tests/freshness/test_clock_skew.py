"""A host's clock from the stamps of its receipts: bounds that hold whatever is late, or set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.clock_skew import (
    LONG_AGO,
    TOLERANCE_NS,
    Skew,
    Stamp,
    claim_from_age,
    claim_from_ttl,
    find_shift,
    skew_around,
)
from freshness.fill import Fill

S = 10**9
AT = 1_000 * S
offsets = st.integers(-20 * S, 20 * S)
delays = st.integers(0, 30 * S)
Told = tuple[int, int, int | None]
told = st.lists(
    # The true instant of a stamp, how late it arrived, and how long before it its message began.
    st.tuples(st.integers(900 * S, 1_100 * S), delays, st.none() | delays),
    max_size=30,
)


def stamps(offset: int, each: list[Told]) -> list[Stamp]:
    """What a clock that is off by so much stamps."""
    return [
        Stamp(at + offset, at + late, None if since is None else at - since)
        for at, late, since in each
    ]


@given(offset=offsets, each=told)
def test_a_clock_lies_within_its_bounds_however_late_it_is_heard_of(
    offset: int, each: list[Told]
) -> None:
    skew = skew_around(stamps(offset, each), AT)
    if skew is not None:
        assert skew.lower <= offset <= skew.upper
        assert skew.is_off in (None, abs(offset) > TOLERANCE_NS)


@given(offset=st.integers(-TOLERANCE_NS, TOLERANCE_NS), each=told)
def test_a_clock_within_the_tolerance_is_never_called_off(offset: int, each: list[Told]) -> None:
    skew = skew_around(stamps(offset, each), AT)
    assert skew is None or not skew.is_off


@given(before=offsets, after=offsets, early=told, late=told)
def test_a_clock_that_was_set_is_off_only_where_it_was_off_either_way(
    before: int, after: int, early: list[Told], late: list[Told]
) -> None:
    heard = [stamp for stamp in stamps(before, early) if stamp.latest <= AT]
    later = [stamp for stamp in stamps(after, late) if stamp.latest > AT]
    skew = skew_around([*heard, *later], AT)
    if skew is not None:
        assert skew.lower <= min(before, after)
        assert max(before, after) <= skew.upper
    if skew is not None and skew.is_off:
        assert before * after > 0
        assert min(abs(before), abs(after)) > TOLERANCE_NS


@given(offset=st.integers(0, 20 * S), filled=st.integers(0, 900 * S), lives=st.integers(0, 90 * S))
def test_the_claims_of_a_copy_are_off_by_the_clock(offset: int, filled: int, lives: int) -> None:
    start = filled + lives
    claims = [
        claim_from_age(start, start + 1000, (lives + offset) / S),
        claim_from_ttl(start, start + 1000, 200 - (lives + offset) / S, 200, 0.01),
    ]
    for claim in claims:
        if claim is not None:
            assert claim.lower <= filled - offset <= claim.upper + 1000  # a float's rounding


@given(each=st.lists(st.tuples(st.integers(0, 90 * S), st.integers(0, 90 * S)), max_size=8))
def test_copies_of_a_right_clock_show_no_shift(each: list[tuple[int, int]]) -> None:
    copies = []
    for lacked, lives in each:
        start = AT + lives
        claim = claim_from_age(start, start + 1000, lives / S)
        if claim is not None:
            copies.append((claim, Fill(AT - lacked, start + 1000)))
    shift = find_shift(copies)
    assert not Skew(3 * S, 4 * S, shift).explains_shift
    assert not Skew(-4 * S, -3 * S, shift).explains_shift


HEARD = (Stamp(AT - 3 * S, AT - 9 * S, AT - 11 * S), Stamp(AT + 13 * S, AT + 7 * S, AT + 5 * S))
UNKNOWN = [
    pytest.param([], id="nothing was heard"),
    pytest.param(HEARD[:1], id="nothing after"),
    pytest.param(HEARD[1:], id="nothing before"),
    pytest.param([HEARD[0], HEARD[1]._replace(earliest=None)], id="no later bound from above"),
]


@pytest.mark.parametrize("heard", UNKNOWN)
def test_a_clock_is_unknown_unless_it_is_bounded_on_both_sides(heard: list[Stamp]) -> None:
    assert skew_around(HEARD, AT) is not None
    assert skew_around(heard, AT) is None


def test_what_nearer_stamps_exclude_says_nothing_any_more() -> None:
    long_before = Stamp(AT - 100 * S, AT - 99 * S, AT - 101 * S)
    skew = skew_around([long_before, *HEARD], AT)
    assert skew == skew_around(HEARD, AT)
    assert skew is not None
    assert skew.say() == "between 6 s and 8 s ahead"


def test_a_lifetime_beyond_the_documented_one_claims_a_fill_to_come() -> None:
    claim = claim_from_ttl(AT, AT + 1000, 67.0, 60.0, 1.0)
    assert claim == Fill(AT + 6 * S, AT + 8 * S + 1000)
    shift = find_shift([(claim, Fill(LONG_AGO, AT + 1000))] * 3)
    assert Skew(-8 * S, -6 * S, shift).explains_shift
    assert not Skew(6 * S, 8 * S, shift).explains_shift


@pytest.mark.parametrize("told", [0.0, float("inf")])
def test_a_time_that_may_have_been_cut_off_claims_nothing(told: float) -> None:
    assert claim_from_ttl(AT, AT, told, 60.0, 0.1) is None
    assert claim_from_age(AT, AT, told) is None


def test_one_copy_alone_does_not_shift_those_that_show_nothing() -> None:
    shifted, open_ended = (Fill(0, S), Fill(5 * S, 9 * S)), (Fill(0, S), Fill(LONG_AGO, 9 * S))
    assert find_shift([shifted, open_ended, open_ended, open_ended]) is None
    assert find_shift([shifted, shifted, shifted, open_ended]) is not None
