"""A rule folded over looks: what fired, from when to when, and what could not be seen."""

from collections.abc import Sequence

import pytest

from alerts.look import Condition, Look
from alerts.replay import Looked, Replayed, replay
from alerts.state import Timing
from tests.store.rows import S

MIN = 60 * S
R1, R2 = {"node": "r1"}, {"node": "r2"}
SEEN = {
    "h": Condition.HOLDS,
    ".": Condition.CLEAR,
    "?": Condition.UNKNOWN,
    "e": Condition.EASED,
}


def looked(*rows: str) -> list[Looked]:
    """A look a minute: each row is a node, `-` where it is not watched; `!` where all is lost."""
    names = [R1, R2]
    found = []
    for at, column in enumerate(zip(*rows, strict=True)):
        looks = [
            Look(names[n], SEEN[each], f"it {SEEN[each]}")
            for n, each in enumerate(column)
            if each not in "-!"
        ]
        found.append(Looked(at * MIN, looks, "not kept" if "!" in column else ""))
    return found


def run(*rows: str, for_min: int = 0, keep_min: int = 0) -> Replayed:
    return replay(Timing(for_min * MIN, keep_min * MIN), looked(*rows))


def spans(done: Replayed) -> Sequence[tuple[int, int | None]]:
    return [
        (each.since_ns // MIN, None if each.until_ns is None else each.until_ns // MIN)
        for each in done.firings
    ]


@pytest.mark.parametrize(
    ("row", "for_min", "keep_min", "wants"),
    [
        pytest.param("......", 0, 0, [], id="never"),
        pytest.param("..hh..", 0, 0, [(2, 4)], id="once"),
        pytest.param("h.h.hh", 0, 0, [(0, 1), (2, 3), (4, None)], id="thrice, and it goes on"),
        pytest.param(".hhh.h", 2, 0, [(3, 4)], id="once for long enough"),
        pytest.param(".hh.h.", 0, 2, [(1, None)], id="kept firing over a short end"),
        pytest.param(".hh?h.", 0, 0, [(1, 5)], id="frozen, it goes on"),
        pytest.param(".h?hh.", 2, 0, [], id="time that nobody saw does not count"),
        pytest.param(".hhe..", 0, 0, [(1, 4)], id="eased is not clear"),
        pytest.param(".hh---", 0, 0, [(1, 3)], id="no longer watched"),
        pytest.param(".hh!h.", 0, 0, [(1, 5)], id="nothing of the past is kept for a while"),
    ],
)
def test_one_alert(
    row: str, for_min: int, keep_min: int, wants: list[tuple[int, int | None]]
) -> None:
    assert spans(run(row, for_min=for_min, keep_min=keep_min)) == wants


def test_what_it_comes_to() -> None:
    done = run("hh..hhhh", ".hhh....")
    assert [(each.labels, each.is_older) for each in done.firings] == [
        (R1, True),
        (R2, False),
        (R1, False),
    ]
    assert done.longest_ns == 3 * MIN
    # [0, 2) and [1, 4) are [0, 4), and [4, 7].
    assert done.fired_ns == 7 * MIN
    assert done.share == 1.0
    assert (done.looks, done.unknown_looks, done.is_blind) == (16, 0, False)


def test_unknown_looks_are_counted_by_their_reason() -> None:
    done = run("??.!", "?..!")
    assert done.unknown == {"it unknown": 3, "not kept": 2}
    assert (done.looks, done.unknown_looks, done.is_blind) == (8, 5, False)


@pytest.mark.parametrize("row", ["????", "!!!!"])
def test_where_nothing_is_seen_silence_means_nothing(row: str) -> None:
    done = run(row)
    assert (done.firings, done.is_blind) == ([], True)


def test_a_wait_that_began_before_is_told() -> None:
    assert run("hhhh", for_min=2).firings[0].is_older
    assert not run(".hhh", for_min=2).firings[0].is_older


def test_nothing_is_looked_at() -> None:
    done = replay(Timing(), [])
    assert (done.looks, done.share, done.longest_ns, done.firings) == (0, 0.0, 0, [])
