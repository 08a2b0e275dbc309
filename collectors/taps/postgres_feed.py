"""One session of a PostgreSQL that is listened to: every question is bounded, and ends it late."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Annotated, Any, Final, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import AfterValidator

from collectors.base import Health
from collectors.options import ServerProblem
from collectors.postgres_link import (
    FAILURES,
    Connection,
    Row,
    cut,
    has_no_password,
    tls_parameters,
    why_failed,
)
from collectors.taps.base import TapError
from settings import Duration, Secret, Section, Tls

T = TypeVar("T")
IDLE_MS: Final = 60_000
"""After so long without a word of ours the server ends the session, and lets go of its slot."""
_NAME = re.compile(r'(?:[A-Za-z_][\w$]*|"[^"\0]+")(?:\.(?:[A-Za-z_][\w$]*|"[^"\0]+"))?')


class PostgresTapOptions(Section):
    """A PostgreSQL that is listened to."""

    url: Annotated[str, AfterValidator(has_no_password)]
    """Address, user and database: `postgresql://stalewatch@db.internal/shop`."""
    password: Secret | None = None
    """Password of that user."""
    tls: Tls | None = None
    """How the connection is secured: the server's name and authority are always verified."""
    connect_timeout: Duration = Duration.parse("1s")
    """How long connecting may take."""
    read_timeout: Duration = Duration.parse("5s")
    """How long a question may take; the server is told so too."""


def _is_table(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected the name of a table: product, or shop.product")
    return name


TableName = Annotated[str, AfterValidator(_is_table)]
"""A table, with its schema where that is not on the search path."""


def table_parts(name: str) -> tuple[str, ...]:
    """`shop.product` → its schema and its name, as PostgreSQL folds them."""
    parts = re.findall(r'"[^"]+"|[^."]+', name)
    return tuple(part[1:-1] if part.startswith('"') else part.lower() for part in parts)


def identifier(name: str) -> sql.Identifier:
    """A table's name, quoted."""
    return sql.Identifier(*table_parts(name))


class PostgresFeed:
    """A connection in autocommit; to be used by one session."""

    def __init__(self, connection: Connection, patience_s: float) -> None:
        self.connection = connection
        self._patience_s = patience_s

    async def ask(
        self, query: str | sql.Composed, parameters: Sequence[Any] | None = None
    ) -> list[Row]:
        """The rows of a question; a statement without rows brings none. Raises TapError."""
        text = query.encode() if isinstance(query, str) else query
        return await self.bounded(self._ask(text, parameters))

    async def _ask(self, text: bytes | sql.Composed, parameters: Sequence[Any] | None) -> list[Row]:
        cursor = await self.connection.execute(text, parameters)
        return await cursor.fetchall() if cursor.description else []

    async def bounded(self, asking: Awaitable[T]) -> T:
        """What `asking` brings in time; late or cancelled, the connection is cut.

        psycopg would answer a cancellation by asking the server, for long where that hangs.
        """
        task = asyncio.ensure_future(asking)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._patience_s)
            if not done:
                raise TapError("timed out")
            return task.result()
        except FAILURES as error:
            raise TapError(why_failed(error)) from None
        finally:
            if not task.done():
                cut(self.connection)
                await asyncio.wait({task})
                task.exception()


@contextlib.asynccontextmanager
async def connected(options: PostgresTapOptions) -> AsyncIterator[PostgresFeed]:
    """A connection for the time of a session. Raises TapError."""
    try:
        async with asyncio.timeout(options.connect_timeout.seconds):
            connection = await psycopg.AsyncConnection.connect(
                make_conninfo(
                    options.url,
                    application_name="stalewatch",
                    **({"password": options.password.reveal()} if options.password else {}),
                    **tls_parameters(options.tls, options.url),
                ),
                autocommit=True,
                prepare_threshold=None,
            )
    except TimeoutError:
        raise TapError("connecting timed out") from None
    except (*FAILURES, *ServerProblem) as error:
        raise TapError(why_failed(error)) from None
    feed = PostgresFeed(connection, options.read_timeout.seconds)
    try:
        await _set_up(feed, options)
        yield feed
    finally:
        with contextlib.suppress(psycopg.Error, OSError):
            await connection.close()


async def _set_up(feed: PostgresFeed, options: PostgresTapOptions) -> None:
    """Times are UTC; nothing outlives its use, our silence included."""
    timeout_ms = max(1, options.read_timeout.ns // 1_000_000)
    await feed.ask("SET timezone = 'UTC'")
    await feed.ask("SET datestyle = 'ISO'")
    await feed.ask("SELECT set_config('statement_timeout', %s, false)", [str(timeout_ms)])
    if feed.connection.info.server_version >= 140000:
        await feed.ask("SELECT set_config('idle_session_timeout', %s, false)", [str(IDLE_MS)])
    name = "idle_in_transaction_session_timeout"
    await feed.ask("SELECT set_config(%s, %s, false)", [name, str(IDLE_MS)])


async def greet(options: PostgresTapOptions, *trials: str | sql.Composed) -> Health:
    """Say hello, and try questions that listening needs."""
    server = "PostgreSQL"
    try:
        async with connected(options) as feed:
            server = f"PostgreSQL {(await feed.ask('SHOW server_version'))[0][0]}"
            for trial in trials:
                await feed.ask(trial)
    except TapError as error:
        return Health(False, server, str(error))
    return Health(True, server)


def place_of(options: PostgresTapOptions) -> str:
    """Where it is, without a secret."""
    said = conninfo_to_dict(options.url)
    return f"{said.get('host', '')}:{said.get('port', 5432)}/{said.get('dbname', '')}"


def role(options: PostgresTapOptions, rights: str = "LOGIN") -> list[str]:
    """The statements that make a role which may connect."""
    said = conninfo_to_dict(options.url)
    user = said.get("user") or "stalewatch"
    return [
        f"CREATE ROLE \"{user}\" {rights} PASSWORD 'PASSWORD';",
        f'GRANT CONNECT ON DATABASE "{said.get("dbname") or user}" TO "{user}";',
    ]


def user_of(options: PostgresTapOptions) -> str:
    """The role that connects."""
    return str(conninfo_to_dict(options.url).get("user") or "stalewatch")
