"""A file and its connections: what every part of the engine shares."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from store.retention import Retention
from store.sqlite import (
    cells,
    retain,
)
from store.sqlite.backup import copy_database
from store.sqlite.connections import MEMORY, Connections
from store.sqlite.schema import migrate


class Engine:
    """A store in one file, or in memory under the path `:memory:`.

    Opening creates or migrates the file. Safe from any thread: writes queue for one connection,
    reads take their own and never wait for a write. Raises StoreError, from any method, with what
    went wrong, where, and what to do.
    """

    def __init__(
        self, path: str = MEMORY, *, retention: Retention | None = None, app_version: str = ""
    ) -> None:
        self._retention = retention or Retention()
        self._connections = Connections(path)
        try:
            with self._connections.opening():
                migrate(self._connections)
                self._connections.use_wal()
            with self._transaction() as db:
                db.conn.execute("UPDATE meta SET app_version = ?", (app_version,))
        except BaseException:
            self._connections.close()
            raise

    def revision(self) -> int:
        """A number that grows with each write, of this process or of another."""
        with self._connections.reader() as connection:
            return int(connection.execute("SELECT revision FROM meta").fetchone()[0])

    def retain(self, now_ns: int) -> int:
        """Drop some of what is past its retention, a bounded piece a call; the rows dropped."""
        with self._transaction() as db:
            cells.fold_minutes(db.conn)
            return retain.drop_old(db.conn, self._retention, now_ns)

    def backup(self, path: str) -> None:
        """Copy the store to a new file while it is in use."""
        copy_database(self._connections, path)

    def close(self) -> None:
        """Release the file; later calls raise StoreError."""
        self._connections.close()

    @contextmanager
    def _transaction(self) -> Iterator[Database]:
        """All or nothing, and a new revision.

        The first statement writes, so the transaction waits for the write lock before it has read
        anything: it cannot find later that what it read is out of date, and fail.
        """
        with self._connections.writer() as db, db.atomic():
            db.conn.execute("UPDATE meta SET revision = revision + 1")
            yield db
