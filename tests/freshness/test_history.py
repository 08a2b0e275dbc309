"""Bounds on one life of a key, by hand."""

import pytest

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.history import History
from freshness.model import NOTHING_KNOWN, Bounds, Order, Reason, Value


def leader(version: int, start: int, end: int, projection: str | None = None) -> OriginRead:
    return OriginRead(Value(version, projection), start, end, linearizable=True)


def replica(version: int, start: int, end: int) -> OriginRead:
    return OriginRead(Value(version), start, end)


def write(version: int, start: int, end: int | None) -> Write:
    return Write(Value(version), start, end)


CASES: list[tuple[str, list[Evidence], tuple[int, int, int], Bounds]] = [
    (
        "a write, its message and a later look: the acknowledged write bounds best",
        [write(3, 100, 102), Invalidation(3, 104), leader(3, 110, 111)],
        (2, 120, 121),
        Bounds(18, 21, 1, None),
    ),
    (
        "an unacknowledged write bounds from below alone",
        [write(3, 100, None), leader(2, 90, 91)],
        (2, 120, 121),
        Bounds(0, 21, 0, None),
    ),
    (
        "a look that still finds the value certifies it to its own start",
        [leader(2, 100, 101)],
        (2, 110, 112),
        Bounds(0, 12, 0, None),
    ),
    (
        "a look after the read closes both bounds",
        [leader(2, 100, 101), leader(2, 115, 116)],
        (2, 110, 112),
        Bounds(0, 0, 0, 0),
    ),
    (
        "a look after the read that returns more leaves what may have come between",
        [leader(2, 100, 101), leader(5, 115, 116)],
        (2, 110, 112),
        Bounds(0, 12, 0, 3),
    ),
    (
        "a replica proves superseded, and certifies nothing",
        [replica(3, 100, 101), replica(2, 90, 91)],
        (2, 110, 112),
        Bounds(9, None, 1, None),
    ),
    (
        "messages out of order: the earliest of any newer version counts",
        [Invalidation(5, 103), Invalidation(3, 108)],
        (2, 110, 112),
        Bounds(7, None, 3, None),
    ),
    (
        "evidence that ends when the read starts proves no positive staleness",
        [leader(3, 100, 110), leader(2, 90, 91)],
        (2, 110, 112),
        Bounds(0, 22, 1, None),
    ),
    (
        "a retried write: the first start and the first acknowledgement count",
        [write(3, 100, None), write(3, 105, 106), leader(2, 90, 91)],
        (2, 110, 112),
        Bounds(4, 12, 1, None),
    ),
]


@pytest.mark.parametrize(
    ("about", "evidence", "read", "expected"), CASES, ids=lambda c: str(c)[:50]
)
def test_bounds(
    about: str, evidence: list[Evidence], read: tuple[int, int, int], expected: Bounds
) -> None:
    del about
    history = History(Order.COUNTER)
    for one in evidence:
        history.add(one)
    version, start, end = read
    if not any(isinstance(e, OriginRead | Write) and e.value.version == version for e in evidence):
        # The version itself is vouched for by something that bounds nothing else.
        history.add(Invalidation(version, 10**6))
    assert history.bounds(Value(version), start, end)[0] == expected


DOUBTS: list[tuple[str, list[Evidence], Value, Reason]] = [
    ("nothing is known", [], Value(2), Reason.NO_EVIDENCE),
    ("no evidence names the version", [leader(2, 100, 101)], Value(3), Reason.AHEAD),
    ("the leader lacks it after the read", [leader(2, 120, 121)], Value(3), Reason.PHANTOM),
    (
        "the leader lost what had been acknowledged",
        [write(5, 90, 95), leader(3, 100, 101)],
        Value(4),
        Reason.CONTRADICTION,
    ),
    (
        "the version is the leader's, the projection is not",
        [leader(2, 100, 101, "aa")],
        Value(2, "bb"),
        Reason.TORN,
    ),
]


@pytest.mark.parametrize(("about", "evidence", "value", "doubt"), DOUBTS, ids=lambda c: str(c)[:40])
def test_doubts_withhold_the_upper_bound(
    about: str, evidence: list[Evidence], value: Value, doubt: Reason
) -> None:
    del about
    history = History(Order.COUNTER)
    for one in evidence:
        history.add(one)
    bounds, found = history.bounds(value, 110, 112)
    assert (bounds, found) == (NOTHING_KNOWN, doubt)


def test_versions_that_do_not_count_by_one_may_have_unseen_successors() -> None:
    counter, monotone = History(Order.COUNTER), History(Order.MONOTONE)
    for history in (counter, monotone):
        history.add(leader(10, 100, 101))
        history.add(write(11, 105, 106))
    assert counter.bounds(Value(10), 110, 112)[0].upper == 112 - 105
    assert monotone.bounds(Value(10), 110, 112)[0].upper == 112 - 100


def test_versions_behind_of_a_monotone_order_are_those_seen_or_unbounded() -> None:
    history = History(Order.MONOTONE)
    for one in (leader(10, 90, 91), leader(20, 100, 101), leader(30, 104, 105)):
        history.add(one)
    assert history.bounds(Value(10), 110, 112)[0][2:] == (2, None)
    history.add(leader(30, 120, 121))
    assert history.bounds(Value(30), 110, 112)[0][2:] == (0, 0)
    assert history.bounds(Value(10), 110, 112)[0][2:] == (2, None)


def test_forgetting_old_versions_only_widens_bounds() -> None:
    full, trimmed = History(Order.COUNTER), History(Order.COUNTER)
    for version in range(1, 40):
        for history in (full, trimmed):
            history.add(leader(version, 10 * version, 10 * version + 1))
    trimmed.trim(8)
    for version in range(1, 40):
        tight = full.bounds(Value(version), 1000, 1001)[0]
        wide = trimmed.bounds(Value(version), 1000, 1001)[0]
        assert wide.lower <= tight.lower
        assert wide.upper is None or (tight.upper is not None and wide.upper >= tight.upper)
