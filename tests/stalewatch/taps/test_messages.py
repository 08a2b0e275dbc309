"""What taps make of messages: bad ones, the same again, and those that prove."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from stalewatch_sdk.attributes import Scope
from store.sqlite import SqliteStore
from tests.servers import eventually
from tests.stalewatch.taps.buses import (
    JetStream,
    NatsCore,
    PostgresDecoding,
    PostgresListen,
    PostgresPolled,
    RedisKeyspace,
    RedisPubsub,
    RedisStream,
    as_json,
    message,
    say_raw,
)
from tests.stalewatch.taps.site import config_of, listening

OWN = {
    "keyspace": "$.entity", "key": "$.ids", "version": "$.v", "id": "$.uid", "sequence": "$.n",
    "publisher": "$.by", "written_at": "$.at", "unit": "ms",
}  # fmt: skip


@pytest.mark.parametrize(
    "kind", [RedisPubsub, RedisStream, NatsCore, JetStream, PostgresListen], ids=lambda k: k.kind
)
async def test_nonsense_is_counted_and_ends_nothing(kind: Any, tmp_path: Path) -> None:
    bus = kind()
    with bus.server:
        await bus.prepare()
        section = bus.section()
        section.pop("message", None)
        async with listening(SqliteStore(), config_of(tmp_path, {"bus": section})) as site:
            bad = [b"nonsense", b"[]", b'{"id":"x"}', message(1, key=""), message(1, id="i" * 300)]
            bad += [message(1, key="\ud800"), b'{"k":"' + b"x" * 7000 + b'"}']
            for payload in bad:
                await say_raw(bus, payload)
            await say_raw(bus, message(7))
            await site.hears(1)
            assert site.versions() == [7]
            assert site.counted("messages_total", outcome="refused") == len(bad)
            assert site.gaps() == []


async def test_a_stream_may_hold_the_message_in_its_fields(tmp_path: Path) -> None:
    bus = RedisStream()
    with bus.server as server:
        mapping = {"keyspace": "product", "key": "$.id", "version": "$.version"}
        taps = {"bus": bus.section(field="", message=mapping)}
        async with listening(SqliteStore(), config_of(tmp_path, taps)) as site:
            server.client.xadd("inv", {"id": "a b", "version": "12"})
            server.client.xadd("inv", {"version": "13"})
            server.client.xadd("inv", {b"id": b"\xff\xfe", "version": "14"})
            server.client.xadd("inv", {"id": "é", "version": "later"})
            await site.hears(2)
            rows = [(row.keys, row.version, row.version_text) for row in site.rows()]
            assert rows == [(("a b",), 12, "12"), (("é",), None, "later")]
            assert site.counted("messages_total", outcome="refused") == 2


async def test_a_mapping_reads_your_own_messages(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server:
        async with listening(
            SqliteStore(), config_of(tmp_path, {"bus": bus.section(message=OWN)})
        ) as site:
            told = {"entity": "product", "ids": [1, "b"], "v": 5, "uid": "u1", "n": 3, "by": "p"}
            bus.say_raw(as_json(**told, at=1_700_000_000_123))
            await site.hears(1)
            [row] = site.rows()
            assert (row.id, row.keys, row.version, row.scope) == ("u1", ("1", "b"), 5, "key")
            assert (row.publisher, row.sequence, row.stream) == ("p", 3, "inv")
            assert row.written_at_ns == 1_700_000_000_123 * 10**6


async def test_a_message_of_the_sdk_is_joined_with_its_span(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server:
        async with listening(SqliteStore(), config_of(tmp_path, {"bus": bus.section()})) as site:
            trace = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
            bus.say_raw(message(1, context=trace))
            await site.hears(1)
            [row] = site.rows()
            assert (row.trace_id, row.span_id) == ("ab" * 16, "cd" * 8)


@pytest.mark.parametrize("kind", [RedisStream, JetStream], ids=lambda kind: kind.kind)
async def test_what_is_read_again_changes_nothing(kind: Any, tmp_path: Path) -> None:
    """A crash loses the place of the last seconds: they are heard twice, and stored once."""
    bus = kind()
    with bus.server:
        await bus.prepare()
        config = config_of(tmp_path, {"bus": bus.section(message=OWN)})
        store = SqliteStore()
        async with listening(store, config) as site:
            await eventually(lambda: (found := store.place("bus")) and found.position, "a place")
            before = await asyncio.to_thread(store.place, "bus")
            for version in (1, 2, 2):
                await say_raw(bus, as_json(entity="product", ids=["k"], v=version))
            await site.hears(3)
        assert before is not None
        store.write_gaps(places=[before])
        async with listening(store, config) as site:
            await eventually(
                lambda: site.counted("messages_total", outcome="heard") == 3, "all heard again", 30
            )
            assert site.versions() == [1, 2, 2]
            await eventually(lambda: not site.gaps(), "nothing counts as missed")


@pytest.mark.parametrize(
    ("kind", "changes", "proves"),
    [
        pytest.param(RedisPubsub, {}, False, id="an application's message may come before"),
        pytest.param(RedisPubsub, {"commit_ordered": True}, True, id="a declared outbox"),
        pytest.param(RedisKeyspace, {}, False, id="a cache node says nothing of the origin"),
        pytest.param(PostgresListen, {}, False, id="LISTEN that is not declared"),
        pytest.param(PostgresListen, {"commit_ordered": True}, True, id="LISTEN of a trigger"),
        pytest.param(PostgresPolled, {}, True, id="a row that is seen is committed"),
        pytest.param(PostgresDecoding, {}, True, id="logical decoding"),
    ],
)
async def test_only_what_comes_after_its_commit_proves(
    kind: Any, changes: dict[str, Any], proves: bool, tmp_path: Path
) -> None:
    bus = kind()
    with bus.server:
        await bus.prepare()
        config = config_of(tmp_path, {"bus": bus.section(**changes)})
        async with listening(SqliteStore(), config) as site:
            await bus.say(3)
            await site.hears(1)
            await site.tapping.stop()
            assert [row.version for row in site.evidence] == ([3] if proves else [])


async def test_a_tag_and_a_version_without_order_prove_nothing(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server:
        config = config_of(tmp_path, {"bus": bus.section(commit_ordered=True)})
        async with listening(SqliteStore(), config) as site:
            bus.say_raw(message(1, scope=Scope.TAG))
            bus.say_raw(message("v10"))
            bus.say_raw(message(3))
            await site.hears(3)
            assert [row.id for row in site.evidence] == ["m3"]


async def test_hashed_keys_are_stored_hashed_and_proven_plain(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server:
        config = config_of(tmp_path, {"bus": bus.section(commit_ordered=True)})
        hashed = config.store.model_copy(update={"keys": "hashed"})
        config = config.model_copy(update={"store": hashed})
        async with listening(SqliteStore(), config) as site:
            bus.say_raw(message(1))
            await site.hears(1)
            assert len(site.rows()[0].keys[0]) == 32
            assert site.evidence[0].keys == ("42",)
