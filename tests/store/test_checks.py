"""What every engine does with event-triggered checks. Engines are in `conftest.py`."""

from freshness.check import CheckCell, CheckKey, Seen
from store.base import Batch, Store
from store.retention import Retention
from tests.store.conftest import OpenStore
from tests.store.rows import S, invalidation

KEY = CheckKey(60, "product", "regional", "r1", 10 * S)


def cell(*seen: Seen, late_ns: int = 5) -> CheckCell:
    made = CheckCell()
    for each in seen:
        made.add(each, 2.0, late_ns)
    return made


def test_checks_add_up_and_come_back_in_order(store: Store) -> None:
    later, other = KEY._replace(start_s=120), KEY._replace(node="r2")
    store.write(Batch(checks={KEY: cell(Seen.VISIBLE), later: cell(Seen.GONE)}))
    store.write(Batch(checks={KEY: cell(Seen.VISIBLE, Seen.SKIPPED), other: cell(Seen.BEHIND)}))
    assert store.checks(0, 121 * S) == [
        (KEY, cell(Seen.VISIBLE, Seen.VISIBLE, Seen.SKIPPED)),
        (other, cell(Seen.BEHIND)),
        (later, cell(Seen.GONE)),
    ]


def test_a_window_is_half_open_and_of_one_keyspace(store: Store) -> None:
    others = KEY._replace(keyspace="price")
    store.write(Batch(checks={KEY: cell(Seen.VISIBLE), others: cell(Seen.VISIBLE)}))
    assert store.checks(0, 60 * S) == []
    assert [key for key, _ in store.checks(60 * S, 61 * S, "price")] == [others]


def test_checks_go_with_the_minutes(open_store: OpenStore) -> None:
    store = open_store(Retention(minutes_s=3_600))
    young = KEY._replace(start_s=7_200)
    store.write(Batch(checks={KEY: cell(Seen.VISIBLE), young: cell(Seen.VISIBLE)}))
    store.retain(7_260 * S)
    assert [key for key, _ in store.checks(0, 10**18)] == [young]


def test_the_newest_invalidations_of_a_keyspace_oldest_first(store: Store) -> None:
    rows = [invalidation(n) for n in range(1, 5)]
    store.write_messages([*rows, invalidation(9, keyspace="price")], [])
    assert store.newest_invalidations("product", 20, 10) == rows[1:]
    assert store.newest_invalidations("product", 0, 2) == rows[2:]
    assert store.newest_invalidations("nothing", 0, 2) == []
