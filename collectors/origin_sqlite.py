"""The origin kind `sqlite`: a file on this machine; see docs/collectors/origin-sqlite.md."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator

from collectors.base import Health, Keyspace, NowNs, Reply, SourceError, unanswered
from collectors.options import BatchOptions, shown
from collectors.replies import joined
from collectors.sql_value import Rows, SqlValues
from collectors.traffic import traffic_of_rows
from settings import Duration, FilePath, Section

SECOND: Final = Duration.parse("1s")
STEPS: Final = 10_000


def _asks_by_keys(query: str) -> str:
    if ":keys" not in query:
        raise ValueError(
            "expected a query with :keys, a JSON array:"
            " WHERE id IN (SELECT value FROM json_each(:keys))"
        )
    return query


class SqliteOptions(Section):
    """A SQLite database that is the source of truth."""

    path: FilePath
    """The database file; it is opened read-only."""
    linearizable: bool = False
    """Whether this is the database that is written to, not a copy of it."""
    read_timeout: Duration = SECOND
    """How long a query may take, waiting for a writer included."""
    batch: BatchOptions = BatchOptions()
    """How much one batch asks for."""


class SqliteBinding(SqlValues):
    """How a keyspace is asked for in SQLite."""

    query: Annotated[str, AfterValidator(_asks_by_keys)]
    """`SELECT id, version FROM product WHERE id IN (SELECT value FROM json_each(:keys))`."""


class SqliteServer:
    """One database file. Queries run in a thread, each over a connection of its own."""

    def __init__(self, options: SqliteOptions, now_ns: NowNs) -> None:
        self.options = options
        self.now_ns = now_ns

    def open(self, binding: SqliteBinding, keyspace: Keyspace) -> "SqliteOrigin":
        """The database as one keyspace sees it."""
        return SqliteOrigin(self, binding, keyspace)

    async def query(
        self, query: str, keys: Sequence[str] = ()
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Columns and rows of a query. Raises SourceError."""
        try:
            return await asyncio.to_thread(self._query, query, keys)
        except (sqlite3.Error, sqlite3.Warning, TypeError, OverflowError) as error:
            is_late = "interrupted" in str(error)
            raise SourceError("timed out" if is_late else shown(str(error))) from None

    def _query(self, query: str, keys: Sequence[str]) -> tuple[list[str], list[tuple[Any, ...]]]:
        limit = self.options.read_timeout
        until_ns = self.now_ns() + limit.ns
        where = f"{self.options.path.as_uri()}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=limit.seconds)) as connection:
            connection.set_progress_handler(lambda: self.now_ns() > until_ns, STEPS)
            cursor = connection.execute(query, {"keys": orjson.dumps(list(keys)).decode()})
            rows = cursor.fetchall()
            return [column[0] for column in cursor.description or ()], rows

    async def check(self) -> Health:
        """Read the schema."""
        try:
            await self.query("SELECT count(*) FROM sqlite_schema")
        except SourceError as error:
            return Health(False, "SQLite", f"{self.options.path}: {error}")
        return Health(True, f"SQLite {sqlite3.sqlite_version}")

    async def close(self) -> None:
        """Nothing is held open."""


class SqliteOrigin:
    """One keyspace of a SQLite database."""

    def __init__(self, server: SqliteServer, binding: SqliteBinding, keyspace: Keyspace) -> None:
        self._server = server
        self._binding = binding
        self._rows = Rows(binding, keyspace.version)
        self.batch_keys = server.options.batch.keys
        self.linearizable = server.options.linearizable

    async def read(self, keys: Sequence[str]) -> Reply:
        """One query for each batch of keys; a key without a row is absent."""
        starts = range(0, len(keys), self.batch_keys) or (0,)
        return joined([await self._read_part(keys[i : i + self.batch_keys]) for i in starts])

    async def list_keys(self) -> Sequence[str]:
        """Every key of `keys_query`. Raises SourceError."""
        if self._binding.keys_query is None:
            raise SourceError("the origin lists no keys: set keys_query")
        _, rows = await self._server.query(self._binding.keys_query)
        return [str(row[0]) for row in rows]

    async def list_traffic(self) -> Mapping[str, float]:
        """Keys and their traffic, of `traffic_query`. Raises SourceError."""
        if self._binding.traffic_query is None:
            raise SourceError("the origin tells no traffic: set traffic_query")
        _, rows = await self._server.query(self._binding.traffic_query)
        return traffic_of_rows(rows)

    async def _read_part(self, keys: Sequence[str]) -> Reply:
        start_ns = self._server.now_ns()
        try:
            columns, rows = await self._server.query(self._binding.query, keys)
        except SourceError as error:
            return unanswered(keys, start_ns, self._server.now_ns(), str(error))
        end_ns = self._server.now_ns()
        return Reply(start_ns, end_ns, self._rows.readings(keys, columns, rows))


def grants(options: SqliteOptions, bindings: Mapping[str, SqliteBinding]) -> str:
    """What the file system must let us do."""
    names = ", ".join(sorted(bindings))
    return f"read access to {options.path}, its -wal and -shm files and their folder, for: {names}"
