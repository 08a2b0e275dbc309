"""Which files are opened, which are refused, and what a migration leaves behind."""

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from alerts.notices import group_id
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup
from store.alert_book import ToldRow
from store.base import Batch, StoreError
from store.messages import Told
from store.sqlite import SqliteStore, cells, engine, schema
from store.sqlite.connections import Connections
from tests.store.rows import (
    CLOCK,
    S,
    alert,
    finding,
    invalidation,
    node,
    notification,
    origin_run,
    read,
    receipt,
    run,
    transition,
)
from tests.store.sqlite.conftest import Ask

STEPS = {
    int(name[1:]): getattr(schema, name) for name in vars(schema) if re.fullmatch(r"v\d+", name)
}
NEWEST = len(STEPS)
NEXT = NEWEST + 1
OLD_TABLES = (
    "meta", "clocks", "keyspaces", "places", "keys", "series", "runs", "newest_origin_runs",
    "reads", "findings", "nodes", "cells", "horizons",
)  # fmt: skip


def test_a_new_file_says_what_it_is(store: SqliteStore, ask: Ask) -> None:
    assert ask("PRAGMA application_id") == [(schema.APPLICATION_ID,)]
    assert ask("PRAGMA user_version") == [(NEWEST,)]
    assert ask("PRAGMA journal_mode") == [("wal",)]
    assert ask("SELECT app_version FROM meta") == [("1.2.3",)]


def test_every_table_is_strict(store: SqliteStore, ask: Ask) -> None:
    loose = ask(
        "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' "
        "AND NOT strict AND name NOT LIKE 'sqlite_%'"
    )
    assert loose == [("_sqlite_migrations",)]


def test_an_empty_file_becomes_a_store(path: str) -> None:
    Path(path).touch()
    with closing(SqliteStore(path)) as store:
        assert store.last_ids() == (0, 0)


def test_opening_again_keeps_everything_and_copies_nothing(path: str, tmp_path: Path) -> None:
    for id_ in (1, 2):
        with closing(SqliteStore(path)) as store:
            store.write(Batch(clocks=[CLOCK], runs=[run(id_)]))
            assert store.last_ids() == (id_, 0)
    assert [file.name for file in tmp_path.iterdir()] == ["sw.db"]


def test_a_file_that_is_no_database_is_refused(path: str) -> None:
    Path(path).write_text("stalewatch: yes\n" * 100)
    with pytest.raises(StoreError, match=r"sw\.db: it is not an SQLite database"):
        SqliteStore(path)
    assert Path(path).read_text() == "stalewatch: yes\n" * 100


def test_another_applications_database_is_refused(path: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE accounts (id INTEGER)")
    before = Path(path).read_bytes()
    with pytest.raises(StoreError, match="another application's"):
        SqliteStore(path)
    assert Path(path).read_bytes() == before


def test_a_newer_schema_is_refused(path: str) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version = 70")
    before = Path(path).read_bytes()
    with pytest.raises(StoreError, match=f"version 70, newer than the {NEWEST} of this Stalewatch"):
        SqliteStore(path)
    assert Path(path).read_bytes() == before


def up_to(version: int) -> Migrations:
    """The versions that were known once."""
    known = Migrations("stalewatch")
    for number in range(1, version + 1):
        known(name=f"v{number}")(STEPS[number])
    return known


def one_more(statement: str) -> Migrations:
    """What is known today, and a version more that runs this SQL after it added a column."""
    known = up_to(NEWEST)

    @known(name=f"v{NEXT}")
    def add(db: Database) -> None:
        db.execute("ALTER TABLE nodes ADD COLUMN rack TEXT")
        db.execute(statement)

    return known


def migrate(path: str, known: Migrations) -> None:
    connections = Connections(path)
    with closing(connections):
        schema.migrate(connections, known)


def test_a_migration_copies_the_file_first(path: str, store: SqliteStore, ask: Ask) -> None:
    store.write(Batch(runs=[run(1)]))
    migrate(path, one_more("UPDATE meta SET app_version = 'four'"))
    assert ask("PRAGMA user_version") == [(NEXT,)]
    assert ask("SELECT rack FROM nodes") == []
    with closing(SqliteStore(f"{path}.before-v{NEXT}")) as before:
        assert before.last_ids() == (1, 0)


@pytest.fixture
def old_path(path: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of version 1 that a crash left, with a row or more in each of its tables."""
    cell = Rollup(clusters=1)
    cell.add(Reads(Verdict.STALE, 5, 7))
    with monkeypatch.context() as once:
        once.setattr(engine, "migrate", lambda opened: schema.migrate(opened, up_to(1)))
        with closing(SqliteStore(path, app_version="0.1.0")) as old:
            facts = Batch([CLOCK], [run(1), origin_run(2)], [read(1, finding="f")])
            old.write(replace(facts, findings=[finding("f")]))
            with closing(sqlite3.connect(path)) as connection:
                # Written as they were then: their rows had fewer columns.
                row = astuple(node("r1"))[:12]
                connection.execute(f"INSERT INTO nodes VALUES ({', '.join('?' * 12)})", row)
                series = (1, "product", "regional", "r1", "random", 2 * S, "d1")
                connection.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?)", series)
                for grain_s in (60, 3_600):
                    packed = (grain_s, 0, 1, *cells.pack(cell)[:-1])
                    marks = ", ".join("?" * len(packed))
                    connection.execute(f"INSERT INTO cells VALUES ({marks})", packed)
                connection.commit()
            for name in ("sw.db", "sw.db-wal"):
                shutil.copy(Path(path).with_name(name), Path(path).with_name(f"crashed-{name}"))
    return str(Path(path).with_name("crashed-sw.db"))


def test_a_file_of_version_1_is_copied_and_keeps_its_data(old_path: str) -> None:
    copy = f"{old_path}.before-v{NEWEST}"
    with closing(SqliteStore(old_path)) as store:
        assert list(store.newest_origin_runs("product")) == [origin_run(2)]
        assert [row for row, _ in store.reads()] == [read(1, finding="f")]
        assert store.findings().items == [finding("f")]
        ((_, minute),), ((_, hour),) = (
            store.rollups(grain, 0, 10**12) for grain in ("minute", "hour")
        )
        assert (minute.minutes_observed, hour.observed) == (1, 1)
        store.write(Batch(runs=[run(1, last_end_ns=99)]))
        store.write_messages([invalidation(1)], [receipt(1)])
        store.write_alerts([alert("a1")], [transition("a1", 100)], [notification("n1")])
        assert store.invalidation("i1") == Told(invalidation(1), [receipt(1)])
        assert store.lease(200, 300) == list(store.notifications(state="leased"))
    with closing(sqlite3.connect(copy)) as before, closing(sqlite3.connect(old_path)) as after:
        versions = [each.execute("PRAGMA user_version").fetchone()[0] for each in (before, after)]
        assert versions == [1, NEWEST]
        for table in OLD_TABLES:
            rows = [each.execute(f"SELECT * FROM {table}").fetchall() for each in (before, after)]
            assert rows[0], table
            if table not in ("runs", "meta"):  # those that were written to since
                kept = [row[: len(old)] for row, old in zip(rows[1], rows[0], strict=True)]
                assert rows[0] == kept, table  # a later version may have added columns


def test_what_was_told_before_there_were_groups_goes_on(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as once:
        once.setattr(engine, "migrate", lambda opened: schema.migrate(opened, up_to(7)))
        SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as old, old:
        row = "(?, 'lag', '{}', ?, '', 0, NULL, '', '[]', '', NULL, ?, NULL, NULL, 110)"
        alerts = [("a1", "firing", 100), ("a2", "firing", 105), ("a3", "resolved", 100)]
        old.executemany(f"INSERT INTO alerts VALUES {row}", alerts)
        row = "(?, 'sre', ?, 'firing', ?, ?, '[]', 'owed', 0, ?, 0, NULL, NULL, '')"
        told = [
            ("n0", "a1", "n0", "before", 50), ("n1", "a1", "n1", "one", 101),
            ("n2", "a2", "n2", "two", 106), ("n3", "a3", "n3", "three", 101),
        ]  # fmt: skip
        old.executemany(f"INSERT INTO notifications VALUES {row}", told)
    with closing(SqliteStore(path)) as store:
        (group,) = store.groups()
        assert group.id == group_id("sre", {"rule": "lag"})
        assert group.told == {"a1": ToldRow(100, "one"), "a2": ToldRow(105, "two")}
        assert (group.began_at_ns, group.told_at_ns, group.thread) == (101, 106, "n1")
        assert [row.alerts for row in store.notifications("a1")] == [("a1",), ("a1",)]
        assert [row.payload for row in store.lease(200, 300)] == ["before", "one", "three", "two"]


def test_the_newest_version_opens_again_without_another_copy(old_path: str) -> None:
    for _ in range(2):
        SqliteStore(old_path).close()
    copies = [path.name for path in Path(old_path).parent.glob("crashed-sw.db.*")]
    assert copies == [f"crashed-sw.db.before-v{NEWEST}"]


def test_a_failed_migration_leaves_the_version_before(
    path: str, store: SqliteStore, ask: Ask
) -> None:
    for _ in range(2):
        with pytest.raises(StoreError, match="no such table: nowhere"):
            migrate(path, one_more("DELETE FROM nowhere"))
    assert ask("PRAGMA user_version") == [(NEWEST,)]
    assert ask("SELECT count(*) FROM pragma_table_info('nodes') WHERE name = 'rack'") == [(0,)]
    assert Path(f"{path}.before-v{NEXT}").exists()
    assert Path(f"{path}.before-v{NEXT}.2").exists()
    store.write(Batch(runs=[run(1)]))


def test_a_new_file_gets_all_versions_without_a_copy(path: str, ask: Ask, tmp_path: Path) -> None:
    migrate(path, one_more("SELECT 1"))
    assert ask("PRAGMA user_version") == [(NEXT,)]
    assert [file.name for file in tmp_path.iterdir()] == ["sw.db"]
