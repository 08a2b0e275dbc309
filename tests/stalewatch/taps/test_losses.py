"""What a stream that lets go of messages, and a database that may not be listened to, come to."""

import asyncio
import time
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import RetentionPolicy

from stalewatch.tapping import open_taps
from store.gaps import GapRow, PlaceRow
from store.sqlite import SqliteStore
from tests.servers import PostgresServer, eventually
from tests.stalewatch.taps.buses import (
    PRODUCTS,
    JetStream,
    PostgresDecoding,
    PostgresPolled,
    RedisPubsub,
    RedisStream,
    message,
)
from tests.stalewatch.taps.site import Site, config_of, listening


async def restarted(bus: Any, tmp_path: Path, meanwhile: Any) -> Site:
    """Hear one message, stop, let things happen, start, hear the last one."""
    store = SqliteStore()
    config = config_of(tmp_path, {"bus": bus.section()})
    async with listening(store, config) as site:
        await bus.say(1)
        await site.hears(1)
    await meanwhile()
    async with listening(store, config) as site:
        await bus.say(9)
        await eventually(lambda: site.versions()[-1:] == [9], "the last one", 30)
        await eventually(lambda: all(gap.until_ns for gap in site.gaps()), "the gap is over", 30)
    return site


async def test_a_trimmed_stream_is_a_gap(tmp_path: Path) -> None:
    bus = RedisStream()
    with bus.server as server:

        async def meanwhile() -> None:
            for version in (2, 3, 4):
                await bus.say(version)
            server.client.xtrim("inv", maxlen=1, approximate=False)

        site = await restarted(bus, tmp_path, meanwhile)
        assert site.versions() == [1, 4, 9]
        assert [gap.why for gap in site.gaps()] == ["the stream was trimmed"]


async def test_a_stream_that_was_trimmed_to_what_is_read_is_no_gap(tmp_path: Path) -> None:
    bus = RedisStream()
    with bus.server as server:

        async def meanwhile() -> None:
            server.client.xtrim("inv", maxlen=0, approximate=False)

        site = await restarted(bus, tmp_path, meanwhile)
        assert site.versions() == [1, 9]


async def test_a_stream_made_anew_is_a_gap_and_is_read_whole(tmp_path: Path) -> None:
    bus = RedisStream()
    with bus.server as server:

        async def meanwhile() -> None:
            server.client.delete("inv")
            server.client.xadd("inv", {"message": message(5)}, id="1-1")

        site = await restarted(bus, tmp_path, meanwhile)
        assert site.versions() == [1, 5, 9]
        assert [gap.why for gap in site.gaps()] == ["the stream was made anew"]


@pytest.mark.parametrize("is_new", [False, True], ids=["purged", "made anew"])
async def test_a_jetstream_that_let_go_is_a_gap(is_new: bool, tmp_path: Path) -> None:
    bus = JetStream()
    with bus.server as server:
        await bus.prepare()

        async def meanwhile() -> None:
            await bus.say(2)
            client = await nats.connect(server.url)
            if is_new:
                await client.jetstream().delete_stream("INV")
                await bus.prepare()
            else:
                await client.jetstream().purge_stream("INV")
            await client.close()
            await bus.say(3)

        site = await restarted(bus, tmp_path, meanwhile)
        assert site.versions() == [1, 3, 9]
        assert len(site.gaps()) == 1


async def test_a_work_queue_is_left_alone(tmp_path: Path) -> None:
    bus = JetStream()
    with bus.server:
        await bus.make("INV", subjects=["inv.>"], retention=RetentionPolicy.WORK_QUEUE)
        [tap] = open_taps(config_of(tmp_path, {"bus": bus.section()})).values()
        assert "work queue" in (await tap.check()).problem


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(["wal_level=replica"], "wal_level is not logical", id="no logical WAL"),
        pytest.param(["wal_level=logical"], "max_slot_wal_keep_size is unlimited", id="unlimited"),
        pytest.param(
            ["wal_level=logical", "max_slot_wal_keep_size=1GB"], "no publication", id="unpublished"
        ),
    ],
)
async def test_decoding_is_refused(options: list[str], problem: str, tmp_path: Path) -> None:
    bus = PostgresDecoding()
    bus.server = PostgresServer(options=options)
    with bus.server as server:
        server.execute("CREATE ROLE stalewatch LOGIN REPLICATION")
        config = config_of(tmp_path, {"bus": bus.section()})
        [tap] = open_taps(config).values()
        assert problem in (await tap.check()).problem
        async with listening(SqliteStore(), config, waits=False) as site:
            await eventually(site.gaps, "the gap is told", 30)
            assert problem in site.gaps()[0].why
        with server.connect() as connection:
            assert connection.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (
                0,
            )


async def test_decoding_tells_of_every_commit_and_leaves_no_slot(tmp_path: Path) -> None:
    bus = PostgresDecoding()
    with bus.server as server:
        await bus.prepare()
        config = config_of(tmp_path, {"bus": bus.section()})
        async with listening(SqliteStore(), config) as site:
            bus.sql("BEGIN; UPDATE product SET version = 1; ROLLBACK")
            bus.sql("BEGIN; UPDATE product SET version = 2; UPDATE product SET version = 3; COMMIT")
            bus.sql("UPDATE product SET id = 7, version = 4")
            bus.sql("UPDATE product SET name = 'y'")
            bus.sql("DELETE FROM product")
            bus.sql("TRUNCATE product")
            bus.sql("INSERT INTO product SELECT n, 1 FROM generate_series(1, 3000) n")
            await site.hears(3007)
            rows = [(row.keys, row.version, row.scope) for row in site.rows()[:8]]
            assert rows == [
                (("42",), 2, "key"),
                (("42",), 3, "key"),
                (("7",), 4, "key"),
                (("42",), None, "key"),
                (("7",), 4, "key"),
                (("7",), None, "key"),
                ((), None, "all"),
                (("1",), 1, "key"),
            ]
            assert {row.stream for row in site.rows()} == {"public.product"}

        def slots() -> int:
            with server.connect() as connection:
                found = connection.execute("SELECT count(*) FROM pg_replication_slots").fetchone()
                return int(found[0]) if found else -1

        await eventually(lambda: asyncio.to_thread(lambda: slots() == 0), "the slot is gone", 30)


async def test_polling_sees_what_commits_late_and_pages(tmp_path: Path) -> None:
    bus = PostgresPolled()
    with bus.server as server:
        await bus.prepare()
        config = config_of(tmp_path, {"bus": bus.section(page=10)})
        async with listening(SqliteStore(), config) as site:
            with server.connect() as late:
                late.execute("BEGIN")
                late.execute("INSERT INTO product VALUES (1, 1)")
                await bus.say(5)
                await site.hears(1)
                late.execute("COMMIT")
            await site.hears(2)
            bus.sql("INSERT INTO product SELECT n, 1 FROM generate_series(100, 134) n")
            bus.sql("INSERT INTO product VALUES (99, 1, 'x', 'infinity')")
            await site.hears(37)
            await bus.say(6)
            await site.hears(38)
            rows = site.rows()
            assert [row.keys for row in rows[:2]] == [("42",), ("1",)]
            assert {row.keys for row in rows[2:37]} == {(str(n),) for n in range(100, 135)}
            assert rows[37].version == 6
            assert all(row.written_at_ns <= row.received_at_ns for row in rows)


async def test_polling_takes_a_time_without_a_zone_for_utc(tmp_path: Path) -> None:
    bus = PostgresPolled(options=["timezone=Asia/Tokyo"])
    with bus.server as server:
        server.execute(PRODUCTS.replace("TIMESTAMPTZ", "TIMESTAMP"))
        async with listening(SqliteStore(), config_of(tmp_path, {"bus": bus.section()})) as site:
            bus.sql("UPDATE product SET version = 4, updated_at = now() AT TIME ZONE 'UTC'")
            await site.hears(1)
            [row] = site.rows()
            assert abs(row.written_at_ns - time.time_ns()) < 60 * 10**9


async def test_a_tap_that_is_gone_has_no_gap_that_goes_on(tmp_path: Path) -> None:
    store = SqliteStore()
    store.write_gaps([GapRow("old", 5, None, "connection refused")])
    store.write_gaps([GapRow("bus", 6, None, "connection refused")])
    store.write_gaps(places=[PlaceRow("bus", "another bus", "9-9", 6)])
    bus = RedisPubsub()
    with bus.server:
        async with listening(store, config_of(tmp_path, {"bus": bus.section()})) as site:
            assert [gap.source for gap in site.gaps() if gap.until_ns is None] == []


async def test_a_reload_keeps_a_tap_that_is_as_it_was(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server as server:
        config = config_of(tmp_path, {"bus": bus.section()})
        async with listening(SqliteStore(), config) as site:
            clients = server.client.info("clients")["connected_clients"]
            more = {"bus": bus.section(), "more": bus.section(channels=["x"])}
            await site.tapping.reload(config_of(tmp_path, more))
            await eventually(
                lambda: server.client.info("clients")["connected_clients"] == clients + 1,
                "the new one listens",
                30,
            )
            assert site.gaps() == []
            await site.tapping.reload(config_of(tmp_path, {"more": more["more"]}))
            assert site.counted("connected") is None


async def test_a_store_that_fails_for_a_while_loses_nothing(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server:
        config = config_of(tmp_path, {"bus": bus.section()})
        store = SqliteStore(str(tmp_path / "sw.db"))
        async with listening(store, config) as site:
            with store._connections.writer() as db:
                db.execute("BEGIN IMMEDIATE")
                await bus.say(1)
                db.rollback()
            await site.hears(1)
            assert site.gaps() == []
        store.close()
