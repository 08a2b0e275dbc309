"""The writer's thread: it outlives what it meets, loses nothing, and is stopped by no one batch."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from freshness.model import Result, Value
from stalewatch.writer import StoreWriter
from store.base import Batch, Clock, RunRow
from store.sqlite import SqliteStore
from tests.servers import wait_until

CLOCK = Clock("c", 0, 0)


def batch(id: int, key: str = "k") -> Batch:
    run = RunRow(id, "ks", key, "l", "n", Result.VALUE, Value(1), "c", 1, 2, 3, 4, 1)
    return Batch(clocks=(CLOCK,), runs=(run,))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(str(tmp_path / "sw.db"))
    yield opened
    opened.close()


def test_everything_is_written_in_order_before_it_closes(store: SqliteStore) -> None:
    writer = StoreWriter(store, lambda *_: None)
    for id in range(1, 50):
        writer.put(batch(id, f"k{id}"))
    writer.start()
    writer.close()
    assert store.last_ids()[0] == 49


def test_a_batch_that_the_store_can_never_take_holds_nothing_up(store: SqliteStore) -> None:
    refused = threading.Event()
    writer = StoreWriter(store, lambda *_: None, refused.set)
    writer.start()
    writer.put(batch(1, "\ud800"))
    writer.put(batch(2))
    assert writer.drain(10)
    assert refused.is_set()
    assert store.keys("ks") == ["k"]
    assert writer.problem == ""
    writer.close()


def test_a_store_that_takes_nothing_is_told_and_tried_again(
    store: SqliteStore, tmp_path: Path
) -> None:
    writer = StoreWriter(store, lambda *_: None)
    writer.start()
    store.close()
    writer.put(batch(1))
    wait_until(lambda: writer.problem, "a problem")
    assert writer.depth == 1
    writer.close(timeout_s=0.2)


def test_what_cannot_be_counted_is_written_all_the_same(store: SqliteStore) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no metrics today")

    writer = StoreWriter(store, broken)
    writer.start()
    writer.put(batch(1))
    writer.put(batch(2))
    assert writer.drain(10)
    assert store.last_ids()[0] == 2
    writer.close()
