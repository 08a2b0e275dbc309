"""The tap `postgresql-polled`: rows of a table whose `updated_at` is new.

A row that is seen is committed. Transactions take their times when they start and show when they
commit, so each round looks back by `settle` beyond the last one: what committed later than that
after it took its time, what was deleted, and versions that were replaced between two rounds are
never seen.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NoReturn

from psycopg import sql
from pydantic import Field, model_validator

from collectors.base import Health
from collectors.taps.base import BATCH, Ear, Setting, TapError
from collectors.taps.message import Reader, RefusedError, Said, read_key
from collectors.taps.postgres_feed import (
    PostgresFeed,
    PostgresTapOptions,
    TableName,
    connected,
    greet,
    identifier,
    place_of,
    role,
    user_of,
)
from settings import Duration
from store.messages import InvalidationRow

_TIMESTAMP, _TIMESTAMPTZ = 1114, 1184
_REMEMBERED: Final = 200_000
"""Rows of the window that are known again; more are written again, which changes nothing."""
Column = Annotated[str, Field(min_length=1, max_length=63)]


class PostgresPolledOptions(PostgresTapOptions):
    """A table with a column that each change sets to the time."""

    table: TableName
    """The table; an index on (`updated_at`, `key`) makes a round cheap."""
    keyspace: str
    """The keyspace that its rows are of."""
    key: Column
    """Column of the key, unique."""
    version: Column
    """Column of the version."""
    updated_at: Column = "updated_at"
    """Column of the time of the last change, `timestamptz`, or `timestamp` in UTC."""
    interval: Duration = Duration.parse("1s")
    """From one round to the next."""
    settle: Duration = Duration.parse("30s")
    """How long after it took its time a transaction may commit, clocks of writers included."""
    page: Annotated[int, Field(ge=1, le=10_000)] = BATCH
    """Rows of one question."""

    @model_validator(mode="after")
    def _is_gentle(self) -> "PostgresPolledOptions":
        if self.interval.ns < 100_000_000:
            raise ValueError("expected an interval of at least 100ms")
        return self


class PostgresPolledTap:
    """A round: the rows since the last round but `settle`, in pages."""

    def __init__(self, options: PostgresPolledOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting)
        self._first = _first_page(options)
        self._next = _next_page(options)
        self._has_zone = True
        self._seen: dict[tuple[str, str], datetime] = {}

    @property
    def about(self) -> str:
        """Which table where."""
        one = self._options
        return f"postgresql-polled {place_of(one)} {one.table}.{one.updated_at}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        async with connected(self._options) as feed:
            self._has_zone = await _has_zone(feed, self._options)
            since = _parse(ear.position) or await _clock(feed)
            is_begun = False
            while True:
                asked_ns = self._setting.now_ns()
                began = await _clock(feed)
                await self._round(feed, ear, since - self._settle, began + self._settle)
                since = began
                if not is_begun:
                    ear.hears_from(asked_ns)
                    is_begun = True
                await ear.hear((), since.isoformat())
                ear.sure_until(asked_ns)
                await asyncio.sleep(self._options.interval.seconds)

    @property
    def _settle(self) -> timedelta:
        return timedelta(microseconds=self._options.settle.ns // 1000)

    async def _round(self, feed: PostgresFeed, ear: Ear, since: datetime, until: datetime) -> None:
        """Hand over the rows that are new since then, a page at a time.

        A time that is still to come, by a wrong clock or as `infinity`, waits until then.
        """
        if not self._has_zone:
            since, until = since.replace(tzinfo=None), until.replace(tzinfo=None)
        self._seen = {row: at for row, at in self._seen.items() if at >= since}
        page = self._options.page
        rows = await feed.ask(self._first, [since, until, page])
        while rows:
            at_ns = self._setting.now_ns()
            new = [row for row in rows if self._is_new(row)]
            heard = [told for row in new if (told := self._row(ear, row, at_ns))]
            if heard:
                await ear.hear(heard)
            self._remember(new)
            if len(rows) < page:
                return
            rows = await feed.ask(self._next, [rows[-1][3], rows[-1][0], until, page])

    def _is_new(self, row: tuple[Any, ...]) -> bool:
        return bool(self._seen.get((row[1], str(row[2]))) != row[3])

    def _remember(self, rows: list[tuple[Any, ...]]) -> None:
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        self._seen.update({(row[1], str(row[2])): row[3] for row in rows})

    def _row(self, ear: Ear, row: tuple[Any, ...], at_ns: int) -> InvalidationRow | None:
        _, key, version, updated_at = row
        one = self._options
        said = Said(one.table, at_ns, f"{key}\0{version}\0{updated_at.isoformat()}")
        try:
            number, text = self._reader.version(one.keyspace, version)
            return self._reader.row(
                said,
                keyspace=one.keyspace,
                keys=(read_key(key),),
                version=number,
                version_text=text,
                written_at_ns=_unix_ns(updated_at),
            )
        except RefusedError as refused:
            ear.refuse(str(refused))
            return None

    async def check(self) -> Health:
        """Say hello, and try the question."""
        return await greet(self._options, _probe(self._options))


def _columns(options: PostgresPolledOptions) -> dict[str, sql.Composable]:
    return {
        "table": identifier(options.table),
        "key": sql.Identifier(options.key),
        "version": sql.Identifier(options.version),
        "at": sql.Identifier(options.updated_at),
    }


_SELECT: Final = (
    "SELECT {key}, {key}::text AS named, {version}::text AS said, {at} FROM {table} WHERE "
)
_ORDER: Final = " AND {at} <= %s ORDER BY {at}, {key} LIMIT %s"


def _first_page(options: PostgresPolledOptions) -> sql.Composed:
    return sql.SQL(_SELECT + "{at} >= %s" + _ORDER).format(**_columns(options))


def _next_page(options: PostgresPolledOptions) -> sql.Composed:
    return sql.SQL(_SELECT + "({at}, {key}) > (%s, %s)" + _ORDER).format(**_columns(options))


def _probe(options: PostgresPolledOptions) -> sql.Composed:
    return sql.SQL(_SELECT + "true LIMIT 0").format(**_columns(options))


async def _has_zone(feed: PostgresFeed, options: PostgresPolledOptions) -> bool:
    """Whether `updated_at` has a zone; without one it is in UTC. Raises TapError."""

    async def described() -> int:
        cursor = await feed.connection.execute(_probe(options))
        return cursor.description[3].type_code if cursor.description else 0

    found = await feed.bounded(described())
    if found not in (_TIMESTAMP, _TIMESTAMPTZ):
        raise TapError(f"{options.updated_at} is no timestamp; check updated_at")
    return found == _TIMESTAMPTZ


async def _clock(feed: PostgresFeed) -> datetime:
    """The database's clock: the times of its rows are by it."""
    found: datetime = (await feed.ask("SELECT clock_timestamp()"))[0][0]
    return found


def _parse(position: str) -> datetime | None:
    return datetime.fromisoformat(position) if position else None


def _unix_ns(at: datetime) -> int:
    """Of a time in UTC, which a session's times are."""
    whole = at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole // timedelta(microseconds=1)) * 1000


def grants(options: PostgresPolledOptions) -> str:
    """The role, which may read these columns alone."""
    columns = ", ".join(dict.fromkeys((options.key, options.version, options.updated_at)))
    user = user_of(options)
    return "\n".join([*role(options), f'GRANT SELECT ({columns}) ON {options.table} TO "{user}";'])
