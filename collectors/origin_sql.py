"""The origin kind `postgresql`: one query for many keys; see docs/collectors/origin-postgresql.md.

A server in recovery is a replica, and its answers are never linearizable, whatever the config
declares.
"""

import asyncio
import contextlib
import re
from collections.abc import Coroutine, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import AfterValidator

from collectors.base import Health, Keyspace, NowNs, Reply, SourceError, unanswered
from collectors.options import BatchOptions, ServerProblem
from collectors.pause import Pause
from collectors.postgres_link import (
    FAILURES,
    Connection,
    Row,
    cut,
    has_no_password,
    tls_parameters,
    why_failed,
)
from collectors.replies import joined
from collectors.sql_value import Rows, SqlValues
from collectors.traffic import traffic_of_rows
from settings import Duration, Secret, Section, Tls

T = TypeVar("T")
SECOND: Final = Duration.parse("1s")


def _asks_by_keys(query: str) -> str:
    if "%(keys)s" not in query:
        raise ValueError("expected a query with %(keys)s, an array: WHERE id = ANY(%(keys)s)")
    return query


class PostgresOptions(Section):
    """A PostgreSQL that is the source of truth."""

    url: Annotated[str, AfterValidator(has_no_password)]
    """Address, user and database: `postgresql://stalewatch@db.internal/shop`."""
    password: Secret | None = None
    """Password of that user."""
    tls: Tls | None = None
    """How the connection is secured: the server's name and authority are always verified."""
    linearizable: bool = False
    """Whether this is the leader, whose answers hold every acknowledged commit."""
    connect_timeout: Duration = SECOND
    """How long connecting may take."""
    read_timeout: Duration = SECOND
    """How long a query may take; the server is told so too."""
    batch: BatchOptions = BatchOptions()
    """How much one batch asks for."""


class PostgresBinding(SqlValues):
    """How a keyspace is asked for in PostgreSQL."""

    query: Annotated[str, AfterValidator(_asks_by_keys)]
    """`SELECT id, version FROM product WHERE id = ANY(%(keys)s)`: key first, version second."""


class PostgresServer:
    """One connection to one PostgreSQL, made when needed, and again after it broke."""

    def __init__(self, options: PostgresOptions, now_ns: NowNs) -> None:
        self.options = options
        self.now_ns = now_ns
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._pause = Pause()
        self._is_leader = False

    def open(self, binding: PostgresBinding, keyspace: Keyspace) -> "PostgresOrigin":
        """The database as one keyspace sees it."""
        return PostgresOrigin(self, binding, keyspace)

    async def query(
        self, query: str, keys: Sequence[str] | None = None
    ) -> tuple[int, list[str], list[Row], bool]:
        """Run a query: its start stamp, its columns and rows, and whether the leader answered.

        Raises SourceError.
        """
        async with self._turn:
            connection = await self._connected()
            start_ns = self.now_ns()
            try:
                columns, rows, is_leader = await self._bounded(
                    connection, self._ask(connection, query, keys)
                )
            except FAILURES as error:
                raise SourceError(why_failed(error)) from None
            return start_ns, columns, rows, is_leader

    async def _ask(
        self, connection: Connection, query: str, keys: Sequence[str] | None
    ) -> tuple[list[str], list[Row], bool]:
        is_leader = await self._leads(connection)
        parameters = None if keys is None else {"keys": list(keys)}
        cursor = await connection.execute(query.encode(), parameters)
        return [one.name for one in cursor.description or ()], await cursor.fetchall(), is_leader

    async def _bounded(self, connection: Connection, asking: Coroutine[Any, Any, T]) -> T:
        """What `asking` brings in time. Late or cancelled, the connection is cut.

        psycopg would answer a cancellation by asking the server, for 10 s where that hangs.
        """
        task = asyncio.ensure_future(asking)
        try:
            done, _ = await asyncio.wait({task}, timeout=self.options.read_timeout.seconds)
            if not done:
                raise SourceError("timed out")
            return task.result()
        finally:
            if not task.done():
                cut(connection)
                self._connection = None
                await asyncio.wait({task})
                task.exception()

    async def check(self) -> Health:
        """Ask for the version, and whether it is a replica."""
        try:
            _, _, rows, is_leader = await self.query("SHOW server_version")
        except SourceError as error:
            return Health(False, "PostgreSQL", str(error))
        is_mistaken = self.options.linearizable and not is_leader
        note = "a replica: its answers are not linearizable" if is_mistaken else ""
        return Health(True, f"PostgreSQL {rows[0][0]}", note)

    async def close(self) -> None:
        """Drop the connection."""
        await self._drop()

    async def _leads(self, connection: Connection) -> bool:
        """A leader stays one for the life of a connection; a replica may be promoted."""
        if not self._is_leader:
            row = await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone()
            self._is_leader = row == (False,)
        return self._is_leader

    async def _connected(self) -> Connection:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if why := self._pause.why_not_now(self.now_ns()):
            raise SourceError(why)
        try:
            async with asyncio.timeout(self.options.connect_timeout.seconds):
                self._connection = connection = await self._open()
            await self._bounded(connection, self._set_up(connection))
        except TimeoutError:
            raise SourceError(self._pause.fail(self.now_ns(), "connecting timed out")) from None
        except (*FAILURES, *ServerProblem) as error:
            await self._drop()
            raise SourceError(self._pause.fail(self.now_ns(), why_failed(error))) from None
        self._pause.succeed()
        self._is_leader = False
        return connection

    async def _open(self) -> Connection:
        password = self.options.password
        return await psycopg.AsyncConnection.connect(
            make_conninfo(
                self.options.url,
                application_name="stalewatch",
                **({"password": password.reveal()} if password else {}),
                **tls_parameters(self.options.tls, self.options.url),
            ),
            autocommit=True,
            prepare_threshold=None,  # a pooler in between may give each query another session
        )

    async def _set_up(self, connection: Connection) -> None:
        """Nothing but reads, and none that outlives its use."""
        timeout_ms = max(1, self.options.read_timeout.ns // 1_000_000)
        await connection.execute("SET default_transaction_read_only = on")
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, false)", [str(timeout_ms)]
        )

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()


class PostgresOrigin:
    """One keyspace of a PostgreSQL."""

    def __init__(
        self, server: PostgresServer, binding: PostgresBinding, keyspace: Keyspace
    ) -> None:
        self._server = server
        self._binding = binding
        self._rows = Rows(binding, keyspace.version)
        self.batch_keys = server.options.batch.keys
        self.linearizable = False

    async def read(self, keys: Sequence[str]) -> Reply:
        """One query for each batch of keys; a key without a row is absent."""
        starts = range(0, len(keys), self.batch_keys) or (0,)
        parts = [await self._read_part(keys[i : i + self.batch_keys]) for i in starts]
        is_led = all(led for _, led in parts)
        self.linearizable = self._server.options.linearizable and is_led
        return joined([reply for reply, _ in parts])

    async def list_keys(self) -> Sequence[str]:
        """Every key of `keys_query`. Raises SourceError."""
        if self._binding.keys_query is None:
            raise SourceError("the origin lists no keys: set keys_query")
        _, _, rows, _ = await self._server.query(self._binding.keys_query)
        return [str(row[0]) for row in rows]

    async def list_traffic(self) -> Mapping[str, float]:
        """Keys and their traffic, of `traffic_query`. Raises SourceError."""
        if self._binding.traffic_query is None:
            raise SourceError("the origin tells no traffic: set traffic_query")
        _, _, rows, _ = await self._server.query(self._binding.traffic_query)
        return traffic_of_rows(rows)

    async def _read_part(self, keys: Sequence[str]) -> tuple[Reply, bool]:
        asked_ns = self._server.now_ns()
        try:
            start_ns, columns, rows, is_led = await self._server.query(self._binding.query, keys)
        except SourceError as error:
            return unanswered(keys, asked_ns, self._server.now_ns(), str(error)), False
        end_ns = self._server.now_ns()
        return Reply(start_ns, end_ns, self._rows.readings(keys, columns, rows)), is_led


_TABLE: Final = re.compile(r"\b(?:from|join)\s+([\w.\"]+)", re.IGNORECASE)


def grants(options: PostgresOptions, bindings: Mapping[str, PostgresBinding]) -> str:
    """The role that these bindings need; tables are those that the queries name."""
    said = conninfo_to_dict(options.url)
    user = said.get("user") or "stalewatch"
    queries = [b.query for b in bindings.values()]
    queries += [b.keys_query for b in bindings.values() if b.keys_query]
    queries += [b.traffic_query for b in bindings.values() if b.traffic_query]
    tables = sorted({table for query in queries for table in _TABLE.findall(query)})
    database = said.get("dbname") or user
    return "\n".join(
        [
            f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'PASSWORD';",
            f'GRANT CONNECT ON DATABASE "{database}" TO "{user}";',
            *(f'GRANT SELECT ON {table} TO "{user}";' for table in tables),
        ]
    )
