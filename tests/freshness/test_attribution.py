"""Shares of what was bad add up to the whole, and what nobody is named for has a name."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.attribution import Attribution, attribute, regroup

SPENT = Fraction(1, 2)
parts_of = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 100))


@given(parts=parts_of, more=st.integers(-5, 50), most=st.integers(0, 5))
def test_shares_add_up_to_the_whole(parts: dict[str, float], more: int, most: int) -> None:
    whole = sum(parts.values()) + more
    told = attribute(SPENT, whole, parts, most)
    amounts = [amount for _, amount in told.worst] + [told.others, told.unattributed]
    assert sum(amount.bad for amount in amounts) == whole
    if whole:
        assert sum(amount.share for amount in amounts) == 1
        assert sum(amount.spent for amount in amounts) == SPENT
    assert told.unattributed.bad == more


def test_worst_first_and_ties_by_name() -> None:
    told = attribute(SPENT, 20, {"b": 5, "a": 5, "c": 8, "d": 0, "e": 1}, most=3)
    assert [name for name, _ in told.worst] == ["c", "a", "b"]
    assert told.worst[0][1].share == Fraction(8, 20)
    assert told.worst[0][1].spent == Fraction(8, 40)
    assert told.others.bad == 1
    assert told.unattributed.bad == 1


def test_more_parts_than_the_whole_are_not_hidden() -> None:
    assert attribute(SPENT, 4, {"a": 5}).unattributed.share == Fraction(-1, 4)


@pytest.mark.parametrize(
    "bad", [pytest.param(0, id="nothing bad"), pytest.param(3, id="all of it nobody's")]
)
def test_no_parts(bad: int) -> None:
    told: Attribution[str] = attribute(SPENT, bad, {})
    assert told.worst == ()
    assert told.unattributed.bad == bad


def test_places_by_layer() -> None:
    bad = {("edge", "n1"): 3.0, ("edge", "n2"): 1.0, ("regional", "r1"): 2.0}
    assert regroup(bad, lambda place: place[0]) == {"edge": 4.0, "regional": 2.0}
