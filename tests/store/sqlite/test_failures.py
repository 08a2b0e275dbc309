"""What a person is told when the disk, the file or another process is in the way."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.base import Batch, StoreError
from store.sqlite import SqliteStore, connections
from tests.store.rows import finding, read, run
from tests.store.sqlite.conftest import Ask

NOBODY = 65_534


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that others than its owner may enter, unlike `tmp_path`."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write everything, so a test as root becomes somebody else for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/sw\.db: its directory does not exist; create"):
        SqliteStore(str(tmp_path / "nowhere" / "sw.db"))


def test_a_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(str(tmp_path))


@pytest.fixture
def read_only(open_directory: Path) -> str:
    path = open_directory / "sw.db"
    SqliteStore(str(path)).close()
    path.chmod(0o444)
    open_directory.chmod(0o555)
    return str(path)


def test_a_read_only_file(read_only: str, unprivileged: None) -> None:
    with pytest.raises(StoreError, match="cannot be"):
        SqliteStore(read_only)


def test_a_full_disk(store: SqliteStore, ask: Ask) -> None:
    """The file may not grow by a page more, which SQLite reports as a full disk."""
    store.write(Batch(runs=[run(1)], reads=[read(1)]))
    with store._connections.writer() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"sw\.db: the disk is full; free some space"):
        store.write(Batch(runs=[run(2)], findings=[finding("f", evidence="e" * 10**6)]))
    assert store.last_ids() == (1, 1)
    assert ask("PRAGMA integrity_check") == [("ok",)]
    with store._connections.writer() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    store.write(Batch(runs=[run(2)]))
    assert store.last_ids() == (2, 1)


def test_a_locked_file(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_S", 0.05)
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds the file locked"):
            store.write(Batch(findings=[finding("f")]))
        assert store.finding("f") is None
        other.rollback()
        store.write(Batch(findings=[finding("f")]))
        assert store.finding("f") is not None


def test_a_damaged_file(path: str, store: SqliteStore) -> None:
    store.write(Batch(runs=[run(n) for n in range(2_000)]))
    store.close()
    content = bytearray(Path(path).read_bytes())
    content[4_096:] = b"\xff" * (len(content) - 4_096)
    Path(path).write_bytes(content)
    with pytest.raises(StoreError, match="damaged; restore a backup"):
        SqliteStore(path)


def test_a_backup_that_fails_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        store.backup(str(tmp_path / "nowhere" / "copy.db"))
    blocked = tmp_path / "copy.db.part"
    blocked.mkdir()
    with pytest.raises(StoreError, match="directory"):
        store.backup(str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()
