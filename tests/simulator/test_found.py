"""Histories in which the simulator once broke a judge, cut down to what mattered."""

import pytest

from freshness.epochs import Epochs
from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import Bounds, Order, Value, Verdict


def _leader(value: Value | int, start: int, end: int) -> OriginRead:
    return OriginRead(value if isinstance(value, Value) else Value(value), start, end, True)


D4, D5 = Value(projection="d4"), Value(projection="d5")
COUNTER, MONOTONE = Order.COUNTER, Order.MONOTONE


def test_equal_stamps_do_not_order_digests() -> None:
    evidence: list[Evidence] = [_leader(D5, 17, 18), Write(D4, 18, 20)]
    assert Epochs(COUNTER, evidence, recurs=False).judge(D5, 23, 25, 0).bounds.lower == 0


def test_a_later_write_leaves_room_for_versions_nobody_saw() -> None:
    evidence: list[Evidence] = [
        Write(Value(5), 740, 914),
        Write(Value(6), 982, 1064),
        _leader(2, 650, 827),
    ]
    assert Epochs(MONOTONE, evidence).judge(Value(5), 756, 860, 0).bounds.behind_upper is None


STRADDLING: list[Evidence] = [_leader(2, 508, 577), _leader(1, 565, 602), _leader(1, 731, 829)]


def test_a_read_that_may_follow_a_restore_certifies_nothing_before_it() -> None:
    """Version 2 committed at 381, unseen, and was undone at 590: the read is 41 late."""
    assert Epochs(COUNTER, STRADDLING).judge(Value(1), 377, 422, 0).verdict is Verdict.INDETERMINATE


def test_a_read_at_the_edge_of_a_life_is_of_either() -> None:
    evidence: list[Evidence] = [
        Invalidation(2, 27),
        _leader(1, 27, 27),
        _leader(1, 28, 28),
        _leader(1, 29, 29),
    ]
    assert Epochs(COUNTER, evidence).judge(Value(1), 27, 27, 0).bounds.behind_lower == 0


def test_a_version_is_not_judged_by_its_digest() -> None:
    """Version 3 and version 6 share their content: the read of 3 is stale."""
    both = Value(3, "r")
    few: list[Evidence] = [_leader(Value(projection="r"), 10, 10)]
    more: list[Evidence] = [*few, Write(Value(5, "r"), 8, 8), Write(Value(6, "r"), 9, 9)]
    assert Epochs(COUNTER, few).judge(both, 10, 10, 0).verdict is not Verdict.FRESH
    assert Epochs(COUNTER, more).judge(both, 10, 10, 0).verdict is not Verdict.FRESH


def test_an_unacknowledged_write_does_not_tell_what_a_version_holds() -> None:
    evidence: list[Evidence] = [
        Write(Value(2), 5, None),
        Invalidation(2, 10),
        _leader(Value(3, absent=True), 12, 13),
    ]
    judgement = Epochs(COUNTER, evidence).judge(Value(2, absent=True), 10, 10, 0)
    assert judgement.bounds == Bounds(0, 5, 0, 1)


def test_a_regression_seen_once_is_not_forgotten_when_the_next_life_opens() -> None:
    """Deleted at 30, recreated as 1 at 32, read from a coherent cache, deleted again at 64."""
    evidence: list[Evidence] = [
        Invalidation(4, 19),
        Invalidation(3, 27),
        _leader(1, 43, 55),
        *(_leader(Value(absent=True), start, start + 12) for start in (60, 86, 98)),
    ]
    judgement = Epochs(COUNTER, evidence).judge(Value(1), 30, 39, 0)
    assert judgement.verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("swapped", [False, True], ids=["as found", "swapped"])
def test_pieces_that_end_together_are_taken_in_one_order(swapped: bool) -> None:
    tied = [_leader(Value(absent=True), -50, -49), _leader(4, -51, -49)]
    evidence = [_leader(4, -52, -50), _leader(3, -56, -56), *(tied[::-1] if swapped else tied)]
    expected = Epochs(COUNTER, [*evidence[:2], *tied]).judge(Value(3), -55, -52, 0)
    assert Epochs(COUNTER, evidence).judge(Value(3), -55, -52, 0) == expected
