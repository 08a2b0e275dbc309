"""Connections to one file: a single writer under a lock, and as many readers as threads read."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from store.base import StoreError
from store.sqlite.errors import told_as_store_error

MEMORY: Final = ":memory:"
BUSY_S: Final = 5.0
IDLE_READERS: Final = 4
WRITER_CACHE_KIB: Final = 32 * 1024
CHECKPOINT_PAGES: Final = 8_000
"""So much of the log, 31 MiB, is read again by who opens the file after a crash."""
_OLDEST: Final = (3, 37)  # STRICT tables


class Connections:
    """Hands out the writer and readers; safe from any thread.

    A `:memory:` store has one connection, which readers share under the writer's lock.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._pooling = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        _refuse_old_sqlite()
        if path != MEMORY and not Path(path).absolute().parent.is_dir():
            raise StoreError(f"{path}: its directory does not exist; create it")
        with told_as_store_error(path):
            self._writer = Database(_connect(path), recursive_triggers=False, execute_plugins=False)

    def use_wal(self) -> None:
        """Let readers and the writer work side by side, and make each commit durable.

        FULL syncs the log at every commit; under NORMAL a power cut could take back a batch that
        was acknowledged. The file stays consistent either way.
        """
        with told_as_store_error(self.path):
            mode = self._writer.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if self.path != MEMORY and mode != "wal":
                raise StoreError(f"{self.path}: its file system cannot share memory; use a local")
            self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("PRAGMA foreign_keys = ON")
            # Spans come with random ids, and so touch pages all over: they are kept at hand, and a
            # page that many batches touch goes back to the file once for all of them.
            self._writer.execute(f"PRAGMA cache_size = {-WRITER_CACHE_KIB}")
            self._writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            # A checkpoint that a long read delayed leaves a long log; this gives its space back.
            self._writer.execute(f"PRAGMA journal_size_limit = {64 * 2**20}")

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Lets one process at a time look at the file, create it, migrate it and switch it to WAL.

        SQLite does not wait for others when it switches. The lock is on the directory: a second
        descriptor of the file itself would drop SQLite's own locks as it is closed.
        """
        if self.path == MEMORY:
            yield
            return
        with told_as_store_error(self.path):
            directory = os.open(Path(self.path).absolute().parent, os.O_RDONLY)
            try:
                fcntl.flock(directory, fcntl.LOCK_EX)
                yield
            finally:
                os.close(directory)

    @contextmanager
    def writer(self) -> Iterator[Database]:
        """The one writer, with errors told; the caller opens a transaction."""
        with self._writing, told_as_store_error(self.path):
            self._refuse_closed()
            yield self._writer

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with, given back afterwards."""
        if self.path == MEMORY:
            with self.writer() as database:
                yield database.conn
            return
        with told_as_store_error(self.path):
            connection = self._borrow()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close what is idle and the writer; readers in use close as they are given back."""
        with self._writing, self._pooling:
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            self._writer.close()

    def _borrow(self) -> sqlite3.Connection:
        with self._pooling:
            self._refuse_closed()
            if self._idle:
                return self._idle.pop()
        connection = _connect(self.path)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pooling:
            if not self._closed and len(self._idle) < IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError(f"{self.path}: the store is closed")


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)


def _refuse_old_sqlite() -> None:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or later is needed")
