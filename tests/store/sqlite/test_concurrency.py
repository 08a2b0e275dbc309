"""One writer, many readers, in one process and in two."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from store.base import Batch
from store.sqlite import SqliteStore
from tests.store.rows import CLOCK, finding, read, run
from tests.store.sqlite.conftest import Ask


def test_a_reader_goes_on_while_a_batch_is_being_written(store: SqliteStore) -> None:
    store.write(Batch(reads=[read(1)]))
    with store._transaction() as db:
        db.execute("DELETE FROM reads")
        assert [row.id for row, _ in store.reads()] == [1]
    assert store.reads() == []


def test_the_revision_tells_of_other_processes(store: SqliteStore, path: str) -> None:
    before = store.revision()
    with closing(SqliteStore(path)) as other:
        other.write(Batch(findings=[finding("f")]))
    assert store.revision() > before
    assert store.finding("f") == finding("f")


def test_two_writers_take_turns(store: SqliteStore, path: str) -> None:
    with closing(SqliteStore(path)) as other:
        for n in range(1, 21):
            (store, other)[n % 2].write(Batch(runs=[run(n)]))
        assert store.last_ids() == other.last_ids() == (20, 0)


def test_a_backup_sees_whole_batches_while_writes_go_on(
    store: SqliteStore, path: str, ask: Ask
) -> None:
    store.write(Batch(reads=[read(1), read(2)]))
    with store._transaction() as db:
        db.execute("DELETE FROM reads WHERE id = 1")
        store.backup(f"{path}.copy")
    with closing(SqliteStore(f"{path}.copy")) as copy:
        assert [row.id for row, _ in copy.reads()] == [2, 1]


def test_readers_are_reused_and_few(store: SqliteStore) -> None:
    with store._connections.reader() as first, store._connections.reader() as second:
        assert first is not second
    with store._connections.reader() as again:
        assert again in (first, second)


def test_a_reader_in_use_outlives_the_close(store: SqliteStore) -> None:
    with store._connections.reader() as connection:
        store.close()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_reopened_store_knows_its_clocks(path: str) -> None:
    with closing(SqliteStore(path)) as store:
        store.write(Batch(clocks=[CLOCK]))
    with closing(SqliteStore(path)) as store:
        store.write(Batch(runs=[run(1)]))
        assert store.last_ids() == (1, 0)


def test_many_open_a_new_file_at_once(path: str) -> None:
    barrier = threading.Barrier(6)

    def open_it(n: int) -> None:
        barrier.wait()
        with closing(SqliteStore(path)) as store:
            store.write(Batch(findings=[finding(f"f{n}")]))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_it, range(6)))
    with closing(SqliteStore(path)) as store:
        assert len(store.findings().items) == 6
