"""SQL origins: PostgreSQL and SQLite, the same questions to both where they are alike."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import ValidationError

from collectors.base import Keyspace, SourceError, VersionType
from collectors.origin_sql import PostgresBinding, PostgresOptions, PostgresServer, grants
from collectors.origin_sqlite import SqliteBinding, SqliteOptions, SqliteServer
from collectors.projection import digest
from freshness.model import ABSENT, Reading, Result, Value
from tests.servers import Authority, eventually, free_port
from tests.servers import PostgresServer as RealPostgres

PRODUCT = Keyspace("product")
QUERY = "SELECT id, version FROM product WHERE id = ANY(%(keys)s)"
ROWS = "INSERT INTO product VALUES ('a', 3, 'Tea', 1.50, NULL), ('b', 4, 'Cup', 2, 'yes')"
TABLE = "CREATE TABLE product (id text PRIMARY KEY, version {}, name text, price {}, deleted text)"


def value(version: int | None = None, projection: str | None = None) -> Reading:
    return Reading(Result.VALUE, Value(version, projection))


def postgres(url: str, **options: Any) -> PostgresServer:
    checked = PostgresOptions.model_validate({"url": url, "linearizable": True, **options})
    return PostgresServer(checked, time.monotonic_ns)


@pytest.fixture
async def shop(database: str) -> AsyncIterator[PostgresServer]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLE.format("bigint", "numeric").encode())
        connection.execute(ROWS.encode())
    server = postgres(database)
    yield server
    await server.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(TABLE.format("", ""))
        db.execute(ROWS)
        db.commit()
    return path


def sqlite(file: Path, **options: Any) -> SqliteServer:
    checked = SqliteOptions.model_validate({"path": str(file), **options})
    return SqliteServer(checked, time.monotonic_ns)


def bind(**more: Any) -> PostgresBinding:
    return PostgresBinding.model_validate({"query": QUERY, **more})


def bind_sqlite(columns: str = "id, version", **more: Any) -> SqliteBinding:
    query = f"SELECT {columns} FROM product WHERE id IN (SELECT value FROM json_each(:keys))"
    return SqliteBinding.model_validate({"query": query, **more})


async def test_postgres_answers_for_many_keys_in_one_query(shop: PostgresServer) -> None:
    origin = shop.open(bind(), PRODUCT)
    before = time.monotonic_ns()
    reply = await origin.read(["b", "none", "a"])
    assert list(reply.readings) == [value(4), Reading(Result.VALUE, ABSENT), value(3)]
    assert before <= reply.start_ns <= reply.end_ns <= time.monotonic_ns()
    assert origin.linearizable
    again = await origin.read(["a"])
    assert again.readings[0] is reply.readings[2]


async def test_postgres_takes_keys_of_number_columns(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE product (id bigint, version int)")
        connection.execute("INSERT INTO product VALUES (42, 7)")
    server = postgres(database)
    cast = bind(query=QUERY.replace("%(keys)s", "%(keys)s::bigint[]"))
    assert (await server.open(cast, PRODUCT).read(["42"])).readings == [value(7)]
    await server.close()


async def test_projections_deletions_and_named_columns(shop: PostgresServer, file: Path) -> None:
    more: dict[str, Any] = {
        "version": {"column": "version"},
        "projection": ["name", "price"],
        "absent": {"column": "deleted"},
        "keys_query": "SELECT id FROM product ORDER BY id",
    }
    columns = "id, name, price, version, deleted"
    by_postgres = bind(query=QUERY.replace("id, version", columns), **more)
    for origin in (
        shop.open(by_postgres, PRODUCT),
        sqlite(file).open(bind_sqlite(columns, **more), PRODUCT),
    ):
        reply = await origin.read(["a", "b"])
        gone = Reading(Result.VALUE, Value(4, absent=True))
        assert list(reply.readings) == [value(3, digest(["Tea", 1.5])), gone]
        assert list(await origin.list_keys()) == ["a", "b"]


async def test_a_replica_is_never_linearizable(shop: PostgresServer) -> None:
    """A server that says it is in recovery, as a replica does."""
    origin = shop.open(bind(), PRODUCT)
    await origin.read(["a"])
    shop._is_leader = False
    connection = shop._connection
    assert connection is not None
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute("CREATE SCHEMA pretend")
    await connection.execute(
        "CREATE FUNCTION pretend.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'"
    )
    await connection.execute("SET search_path = pretend, pg_catalog, public")
    assert (await origin.read(["a"])).readings == [value(3)]
    assert not origin.linearizable
    await connection.execute("SET search_path = public")
    await origin.read(["a"])
    assert origin.linearizable


async def test_it_may_only_read(shop: PostgresServer, file: Path) -> None:
    write = bind(query="DELETE FROM product WHERE id = ANY(%(keys)s) RETURNING id, version")
    reply = await shop.open(write, PRODUCT).read(["a"])
    assert reply.why == "cannot execute DELETE in a read-only transaction"
    assert (await shop.open(bind(), PRODUCT).read(["a"])).readings == [value(3)]
    deletion = SqliteBinding(query="DELETE FROM product WHERE id = :keys RETURNING id, version")
    reply = await sqlite(file).open(deletion, PRODUCT).read(["a"])
    assert reply.why == "attempt to write a readonly database"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("NULL::int", "version is null"),
        ("true", "version is a boolean"),
        ("-1", "version is negative"),
        ("3.5", "version is a fraction, not a whole number"),
        ("'NaN'::float8", "version is a fraction, not a whole number"),
        ("'NaN'::numeric", "version is a fraction, not a whole number"),
        ("2::numeric ^ 70", "version is above 2^63 - 1"),
        ("'3.0'", "version is not a whole number"),
        ("ARRAY[1]", "version is an array, not a whole number"),
        ("now()", "version is of type datetime, not a whole number"),
    ],
)
async def test_names_why_a_row_has_no_readable_version(
    expression: str, why: str, shop: PostgresServer
) -> None:
    query = QUERY.replace("id, version", f"id, {expression}")
    reply = await shop.open(bind(query=query), PRODUCT).read(["a"])
    assert list(reply.readings) == [Reading(Result.UNREADABLE, why=why)]
    assert reply.why == ""


async def test_timestamps_become_nanoseconds_wherever_they_come_from(
    shop: PostgresServer, file: Path
) -> None:
    keyspace = Keyspace("product", VersionType.TIMESTAMP)
    expected = [value(1_767_225_600_250_000_000)]
    stamp = "timestamptz '2026-01-01 01:00:00.25+01'"
    query = QUERY.replace("id, version", f"id, {stamp}")
    assert (await shop.open(bind(query=query), keyspace).read(["a"])).readings == expected
    text = bind_sqlite("id, '2026-01-01T00:00:00.25Z'")
    assert (await sqlite(file).open(text, keyspace).read(["a"])).readings == expected
    number = bind_sqlite("id, 1767225600.25 v", version={"column": "v", "unit": "s"})
    assert (await sqlite(file).open(number, keyspace).read(["a"])).readings == expected
    for column, why in (("1767225600", "needs `unit"), ("'2026-01-01 00:00:00'", "offset")):
        reply = await sqlite(file).open(bind_sqlite(f"id, {column}"), keyspace).read(["a"])
        assert why in reply.readings[0].why


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT id, version FROM nowhere WHERE id = ANY(%(keys)s)", "nowhere"),
        ("SELECT 1/0 FROM product WHERE id = ANY(%(keys)s)", "division by zero"),
        ("SELECT id, pg_sleep(5) FROM product WHERE id = ANY(%(keys)s)", "timed out"),
        ("nonsense %(keys)s", "syntax error"),
        ("SELECT id FROM product WHERE id = ANY(%(keys)s)", "one column alone"),
        ("SELECT id, 1 FROM product WHERE %(keys)s <> '{}' AND %s", "placeholder"),
    ],
)
async def test_a_query_that_fails_is_named(query: str, why: str, shop: PostgresServer) -> None:
    shop.options = shop.options.model_copy(
        update={"read_timeout": type(shop.options.read_timeout).parse("200ms")}
    )
    reply = await shop.open(bind(query=query), PRODUCT).read(["a"])
    assert reply.readings[0].result is not Result.VALUE
    assert why in reply.readings[0].why
    assert (await shop.open(bind(), PRODUCT).read(["a"])).readings == [value(3)]


async def test_two_rows_of_a_key_are_unreadable(shop: PostgresServer) -> None:
    doubled = bind(query=QUERY.replace("FROM product", "FROM product, generate_series(1, 2)"))
    reply = await shop.open(doubled, PRODUCT).read(["a"])
    assert list(reply.readings) == [Reading(Result.UNREADABLE, why="two rows")]


async def test_postgres_down_hanging_and_back() -> None:
    with RealPostgres() as real:
        real.execute("CREATE TABLE product (id text, version int)")
        server = postgres(real.dsn(), connect_timeout="300ms", read_timeout="300ms")
        origin = server.open(bind(), PRODUCT)
        absent = [Reading(Result.VALUE, ABSENT)]
        assert list((await origin.read(["a"])).readings) == absent
        real.pause()
        async with asyncio.timeout(5):
            assert (await origin.read(["a"])).why == "timed out"
            assert not origin.linearizable
            assert (await origin.read(["a"])).why in {"timed out", "connecting timed out"}
        real.resume()

        async def answers() -> bool:
            return list((await origin.read(["a"])).readings) == absent

        await eventually(answers, "PostgreSQL answers again")
        real.kill()
        assert (await origin.read(["a"])).why  # its backend may still say what befell it
        assert (await origin.read(["a"])).why == "connection refused"
        real.start()
        await eventually(answers, "PostgreSQL is back")
        await server.close()
    assert (await postgres(f"postgresql://u@127.0.0.1:{free_port()}/d").check()).problem == (
        "connection refused"
    )


async def test_postgres_tls_password_and_grants(authority: Authority, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong")
    with RealPostgres(password="admin", tls=authority) as real:
        real.execute(TABLE.format("int", "numeric"))
        url = f"postgresql://stalewatch@localhost:{real.port}/postgres"
        more = {"password": {"file": str(secret)}, "tls": {"ca": str(authority.ca)}}
        server = postgres(url, connect_timeout="5s", **more)
        real.execute(grants(server.options, {"product": bind()}))
        assert "password is wrong" in (await server.check()).problem
        secret.write_text("PASSWORD")
        server = postgres(url, connect_timeout="5s", **more)
        assert (await server.check()).server.startswith("PostgreSQL 1")
        reply = await server.open(bind(), PRODUCT).read(["a"])
        assert list(reply.readings) == [Reading(Result.VALUE, ABSENT)]
        denied = bind(query="SELECT usename, 1 FROM pg_shadow WHERE usename = ANY(%(keys)s)")
        assert "permission denied" in (await server.open(denied, PRODUCT).read(["a"])).why
        await server.close()
        mistrusting = postgres(url, connect_timeout="5s", **{**more, "tls": {}})
        assert "not trusted" in (await mistrusting.check()).problem


async def test_sqlite_answers_and_fails_by_name(file: Path, tmp_path: Path) -> None:
    origin = sqlite(file, linearizable=True).open(bind_sqlite(), PRODUCT)
    reply = await origin.read(["b", "none"])
    assert list(reply.readings) == [value(4), Reading(Result.VALUE, ABSENT)]
    assert origin.linearizable
    missing = sqlite(tmp_path / "none.db").open(bind_sqlite(), PRODUCT)
    assert (await missing.read(["a"])).why == "unable to open database file"
    (tmp_path / "bad.db").write_bytes(b"nonsense" * 1000)
    assert not (await sqlite(tmp_path / "bad.db").check()).ok
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT count(*), :keys FROM n"
    )
    slow = sqlite(file, read_timeout="50ms").open(SqliteBinding(query=endless), PRODUCT)
    assert (await slow.read(["a"])).why == "timed out"


async def test_without_a_query_no_keys_are_listed(file: Path, shop: PostgresServer) -> None:
    for origin in (sqlite(file).open(bind_sqlite(), PRODUCT), shop.open(bind(), PRODUCT)):
        with pytest.raises(SourceError, match="keys_query"):
            await origin.list_keys()


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="no password in the URL") as raised:
        PostgresOptions.model_validate({"url": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in str(raised.value)
    with pytest.raises(ValidationError, match=r"%\(keys\)s"):
        bind(query="SELECT 1")
