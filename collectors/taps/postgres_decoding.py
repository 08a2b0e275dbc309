"""The tap `postgresql-decoding`: every committed change of published tables, from the WAL.

The slot is temporary: the server drops it with the session, so that it can never hold WAL for a
Stalewatch that is gone. What commits until the next session has its own slot is a gap. `pgoutput`
is part of every PostgreSQL and is read over SQL, since psycopg speaks no replication protocol.
"""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, NoReturn

from pydantic import Field

from collectors.base import Health
from collectors.options import shown
from collectors.taps.base import BATCH, Ear, Setting, TapError
from collectors.taps.message import Reader, RefusedError, Said, read_key
from collectors.taps.pgoutput import Change, Decoder, ProtocolError, Row
from collectors.taps.postgres_feed import (
    PostgresFeed,
    PostgresTapOptions,
    TableName,
    connected,
    place_of,
    role,
    table_parts,
)
from settings import Duration, Section
from store.messages import InvalidationRow

_CHANGES: Final = (
    "DECLARE changes NO SCROLL CURSOR FOR SELECT lsn::text, data"
    " FROM pg_logical_slot_get_binary_changes(%s, NULL, %s,"
    " 'proto_version', '1', 'publication_names', %s)"
)
_A_CALL: Final = 10_000
"""Changes after which a call ends with the transaction that it is in."""
Column = Annotated[str, Field(min_length=1, max_length=63)]


class DecodedTable(Section):
    """A table whose rows are keys of a keyspace."""

    keyspace: str
    """The keyspace."""
    key: Column
    """Column of the key, part of the primary key."""
    version: Column
    """Column of the version."""


class PostgresDecodingOptions(PostgresTapOptions):
    """Logical decoding of a PostgreSQL with `wal_level = logical`, by a temporary slot."""

    publication: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$")] = "stalewatch"
    """The publication that names the tables."""
    tables: Annotated[dict[TableName, DecodedTable], Field(min_length=1)]
    """The tables, each with its keyspace; without a schema they are in `public`."""
    interval: Duration = Duration.parse("200ms")
    """From one look at the WAL to the next."""
    read_timeout: Duration = Duration.parse("30s")
    """How long a look may take, or a slot to begin: it waits for transactions that are open."""


class PostgresDecodingTap:
    """A temporary slot, asked for its changes at an interval."""

    def __init__(self, options: PostgresDecodingOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting)
        self._tables: Mapping[tuple[str, ...], DecodedTable] = {
            ("public", *table_parts(name))[-2:]: table for name, table in options.tables.items()
        }

    @property
    def about(self) -> str:
        """Which publication where."""
        return f"postgresql-decoding {place_of(self._options)} {self._options.publication}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        async with connected(self._options) as feed:
            await _check_server(feed, self._options.publication)
            slot = f"stalewatch_{secrets.token_hex(8)}"
            create = "SELECT pg_create_logical_replication_slot(%s, 'pgoutput', true)"
            await feed.ask(create, [slot])
            ear.hears_from(self._setting.now_ns())
            while True:
                asked_ns = self._setting.now_ns()
                if await self._look(feed, ear, slot) < _A_CALL:
                    ear.sure_until(asked_ns)
                    await asyncio.sleep(self._options.interval.seconds)

    async def _look(self, feed: PostgresFeed, ear: Ear, slot: str) -> int:
        """Hand over what has been committed, a batch at a time; how many changes there were."""
        decoder, count = Decoder(), 0
        await feed.ask("BEGIN")
        await feed.ask(_CHANGES, [slot, _A_CALL, self._options.publication])
        while messages := await feed.ask(f"FETCH {BATCH} FROM changes"):
            rows = []
            for lsn, data in messages:
                count += 1
                rows += self._rows(ear, decoder, f"{slot} {lsn} {count}", bytes(data))
            if rows:
                await ear.hear(rows)
        await feed.ask("COMMIT")
        return count

    def _rows(self, ear: Ear, decoder: Decoder, place: str, data: bytes) -> list[InvalidationRow]:
        try:
            changes = list(decoder.changes(data))
        except ProtocolError as error:
            raise TapError(f"not pgoutput: {error}") from None
        rows = []
        for change in changes:
            table = self._tables.get((change.schema, change.table))
            if table is None:
                continue
            said = Said(f"{change.schema}.{change.table}", self._setting.now_ns(), place)
            rows += list(self._told(ear, change, table, said))
        return rows

    def _told(
        self, ear: Ear, change: Change, table: DecodedTable, said: Said
    ) -> Iterator[InvalidationRow]:
        """A row that changed its key is told under both."""
        if change.kind == "truncate":
            yield self._reader.row(said, keyspace=table.keyspace, keys=(), scope="all")
            return
        before = (change.before or {}).get(table.key)
        after = (change.after or {}).get(table.key)
        try:
            if change.after is not None:
                yield self._changed(table, change.after, said)
            if before is not None and before != after:
                gone = Said(said.stream, said.at_ns, f"{said.place} before")
                keys = (read_key(before),)
                yield self._reader.row(gone, keyspace=table.keyspace, keys=keys)
        except RefusedError as refused:
            ear.refuse(str(refused))

    def _changed(self, table: DecodedTable, row: Row, said: Said) -> InvalidationRow:
        version, text = self._reader.version(table.keyspace, row.get(table.version))
        return self._reader.row(
            said,
            keyspace=table.keyspace,
            keys=(read_key(row.get(table.key)),),
            version=version,
            version_text=text,
        )

    async def check(self) -> Health:
        """Say hello, and see that a slot could be had; none is made."""
        server = "PostgreSQL"
        try:
            async with connected(self._options) as feed:
                server = f"PostgreSQL {(await feed.ask('SHOW server_version'))[0][0]}"
                await _check_server(feed, self._options.publication)
        except TapError as error:
            return Health(False, server, str(error))
        return Health(True, server)


async def _check_server(feed: PostgresFeed, publication: str) -> None:
    """Raises TapError where a slot could not be had, or could fill the server's disk."""
    asked = (
        "SELECT name, setting FROM pg_settings"
        " WHERE name IN ('wal_level', 'max_slot_wal_keep_size')"
    )
    settings = {str(name): str(value) for name, value in await feed.ask(asked)}
    if settings.get("wal_level") != "logical":
        raise TapError("wal_level is not logical: set it in postgresql.conf and restart")
    if settings.get("max_slot_wal_keep_size", "-1") == "-1":
        raise TapError(
            "max_slot_wal_keep_size is unlimited: a slot could fill the server's disk; set it,"
            " such as to 4GB, and reload"
        )
    if not await feed.ask("SELECT 1 FROM pg_publication WHERE pubname = %s", [publication]):
        raise TapError(f"there is no publication {shown(publication)}; see check --grants")


def grants(options: PostgresDecodingOptions) -> str:
    """The role that may read the WAL, and the publication that says how much of it."""
    tables = ", ".join(
        f"{name} ({', '.join(dict.fromkeys((table.key, table.version)))})"
        for name, table in options.tables.items()
    )
    return "\n".join(
        [
            "-- before PostgreSQL 15 without the columns in brackets",
            f"CREATE PUBLICATION {options.publication} FOR TABLE {tables};",
            *role(options, "LOGIN REPLICATION"),
        ]
    )
