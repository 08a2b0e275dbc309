"""What every engine does with gaps and places. Engines are in `conftest.py`."""

import pytest

from store.base import Store
from store.gaps import GapRow, PlaceRow
from store.retention import Retention
from tests.store.conftest import OpenStore

OLD = GapRow("bus", 10, 20, "connection closed")
OPEN = GapRow("bus", 30, None, "timed out")
OTHER = GapRow("wal", 15, 35, "connection closed")


def test_an_empty_store_has_none(store: Store) -> None:
    assert store.gaps(0, 2**62) == []
    assert store.place("bus") is None


@pytest.mark.parametrize(
    ("since_ns", "until_ns", "found"),
    [
        pytest.param(0, 100, [OPEN, OTHER, OLD], id="all, newest first"),
        pytest.param(0, 10, [], id="until is not in it"),
        pytest.param(20, 25, [OTHER], id="an end is not in the gap"),
        pytest.param(34, 35, [OPEN, OTHER], id="an open one goes on"),
        pytest.param(1000, 1001, [OPEN], id="for ever"),
    ],
)
def test_those_that_overlap(
    store: Store, since_ns: int, until_ns: int, found: list[GapRow]
) -> None:
    store.write_gaps([OLD, OPEN, OTHER])
    assert list(store.gaps(since_ns, until_ns)) == found
    assert list(store.gaps(since_ns, until_ns, "bus")) == [g for g in found if g.source == "bus"]
    assert len(store.gaps(since_ns, until_ns, limit=1)) == min(1, len(found))


def test_a_gap_ends_or_is_taken_back(store: Store) -> None:
    store.write_gaps([OPEN, OTHER])
    ended = GapRow("bus", 30, 40, "timed out")
    store.write_gaps([ended])
    assert list(store.gaps(0, 100)) == [ended, OTHER]
    store.write_gaps(withdrawn=[ended])
    assert list(store.gaps(0, 100)) == [OTHER]


def test_a_place_replaces_the_one_before(store: Store) -> None:
    store.write_gaps(places=[PlaceRow("bus", "redis", "1-1", 5), PlaceRow("wal", "pg", "", 6)])
    store.write_gaps(places=[PlaceRow("bus", "redis", "2-1", 7)])
    assert store.place("bus") == PlaceRow("bus", "redis", "2-1", 7)
    assert store.place("wal") == PlaceRow("wal", "pg", "", 6)


def test_old_gaps_go_and_open_ones_stay(open_store: OpenStore) -> None:
    store = open_store(Retention(findings_s=100))
    store.write_gaps([OLD, OPEN])
    store.retain(99 * 10**9)
    assert len(store.gaps(0, 100)) == 2
    store.retain(101 * 10**9)
    assert list(store.gaps(0, 100)) == [OPEN]
