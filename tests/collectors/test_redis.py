"""The cache kind `redis` against real servers."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis

from collectors.base import Keyspace, Target, VersionType
from collectors.projection import digest
from collectors.redis import RedisCache, RedisServer, grants
from collectors.redis_server import RedisLayerOptions, RedisOptions
from collectors.redis_value import RedisAbsent, RedisBinding, RedisRequest
from freshness.model import MISS, Reading, Result, Value
from tests.collectors.web import saying
from tests.servers import Authority, eventually, free_port
from tests.servers import RedisServer as RealRedis

JSON = RedisBinding.model_validate({"key": "product:{key}", "version": {"json": "$.version"}})
HASH = RedisBinding.model_validate({"key": "h:{key}", "version": {"hash": "version"}})
PRODUCT = Keyspace("product")


def connect(port: int, **options: Any) -> RedisServer:
    target = Target("n1", "127.0.0.1", port)
    return RedisServer(target, RedisOptions.model_validate(options), time.monotonic_ns)


def read_of(version: int) -> Reading:
    return Reading(Result.VALUE, Value(version))


@pytest.fixture
async def node(redis_server: RealRedis) -> AsyncIterator[RedisServer]:
    server = connect(redis_server.port)
    yield server
    await server.close()


async def test_reads_versions_of_json_values_in_the_order_of_the_keys(
    node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.mset({"product:a": '{"version":3}', "product:b": '{"version":"4"}'})
    cache = node.open(JSON, PRODUCT)
    before = time.monotonic_ns()
    reply = await cache.read(["b", "none", "a"])
    assert list(reply.readings) == [read_of(4), MISS, read_of(3)]
    assert before <= reply.start_ns <= reply.end_ns <= time.monotonic_ns()
    assert reply.identity == redis_server.client.info("server")["run_id"]
    assert reply.why == ""


async def test_unchanged_bytes_give_the_same_object(
    node: RedisServer, redis_server: RealRedis
) -> None:
    large = '{"version":3,"page":"' + "x" * 500 + '"}'
    redis_server.client.mset({"product:a": '{"version":3}', "product:b": large})
    cache = node.open(JSON, PRODUCT)
    first = (await cache.read(["a", "b"])).readings
    second = (await cache.read(["a", "b"])).readings
    assert all(one is two for one, two in zip(first, second, strict=True))
    redis_server.client.set("product:a", '{"version":5}')
    assert (await cache.read(["a"])).readings == [read_of(5)]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"nonsense", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"version":NaN}', "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b'{"version":true}', "version is a boolean"),
        (b'{"version":null}', "version is null"),
        (b'{"version":-1}', "version is negative"),
        (b'{"version":"-1"}', "version is not a whole number"),
        (b'{"version":%d}' % 2**70, "version is a fraction, not a whole number"),
        (b'{"version":%d}' % 2**63, "version is above 2^63 - 1"),
        (b'{"version":3.0}', "version is a fraction, not a whole number"),
        (b'{"version":"3.0"}', "version is not a whole number"),
        ('{"version":"\u0663"}'.encode(), "version is not a whole number"),
        (b'{"version":{}}', "version is an object, not a whole number"),
        (b'{"other":1}', "nothing at $.version"),
        (b"[1]", "nothing at $.version"),
        (b"7", "nothing at $.version"),
    ],
)
async def test_names_why_a_value_has_no_readable_version(
    raw: bytes, why: str, node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.set("product:bad", raw)
    redis_server.client.set("product:good", '{"version":1}')
    reply = await node.open(JSON, PRODUCT).read(["bad", "good"])
    assert list(reply.readings) == [Reading(Result.UNREADABLE, why=why), read_of(1)]


async def test_reads_a_hash_field_and_tells_a_miss_from_another_hash(
    node: RedisServer, redis_server: RealRedis
) -> None:
    client = redis_server.client
    client.hset("h:a", mapping={"version": "7", "name": "x"})
    client.hset("h:other", mapping={"name": "x"})
    client.set("h:string", "x")
    reply = await node.open(HASH, PRODUCT).read(["a", "other", "string", "none"])
    assert list(reply.readings) == [
        read_of(7),
        Reading(Result.UNREADABLE, why="no hash field version"),
        Reading(Result.UNREADABLE, why="holds another type of value"),
        MISS,
    ]


async def test_a_projection_of_hash_fields_equals_that_of_json_text(
    node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.hset("h:a", mapping={"version": "7", "name": "Tea", "size": "xl"})
    redis_server.client.set("product:a", '{"version":7,"name":"Tea","size":"xl"}')
    of_hash = RedisBinding.model_validate(
        {"key": "h:{key}", "version": {"hash": "version"}, "projection": ["name", "size"]}
    )
    of_json = JSON.model_copy(update={"projection": ("$.name", "$.size")})
    expected = [Reading(Result.VALUE, Value(7, digest(["Tea", "xl"])))]
    assert (await node.open(of_hash, PRODUCT).read(["a"])).readings == expected
    assert (await node.open(of_json, PRODUCT).read(["a"])).readings == expected


async def test_a_suspect_is_read_with_its_time_to_live(
    node: RedisServer, redis_server: RealRedis
) -> None:
    client = redis_server.client
    client.set("product:a", '{"version":3}', ex=60)
    client.set("product:b", '{"version":3}')
    client.hset("product:c", mapping={"version": "3"})
    cache = node.open(JSON, PRODUCT)
    a, b, c, d = (await cache.inspect(["a", "b", "c", "d"])).readings
    assert a.ttl_s is not None
    assert 0 < a.ttl_s <= 60
    assert b.ttl_s == math.inf
    assert (c.result, c.why) == (Result.UNREADABLE, "holds another type of value")
    assert d == MISS
    assert (await cache.read(["a"])).readings[0].ttl_s is None


@pytest.mark.parametrize(("ttl", "is_read", "is_inspected"), [
    ("always", True, True), ("suspects", False, True), ("never", False, False),
])  # fmt: skip
async def test_the_binding_says_when_the_time_to_live_is_read(
    ttl: str, is_read: bool, is_inspected: bool, node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.set("product:a", '{"version":3}', ex=60)
    redis_server.client.hset("h:a", mapping={"version": "3"})
    for binding, keyspace in ((JSON, PRODUCT), (HASH, PRODUCT)):
        cache = node.open(binding.model_copy(update={"ttl": ttl}), keyspace)
        assert ((await cache.read(["a"])).readings[0].ttl_s is not None) is is_read
        assert ((await cache.inspect(["a"])).readings[0].ttl_s is not None) is is_inspected


async def test_reads_cached_not_founds_text_and_opaque_versions(
    node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.mset({"product:gone": "null", "product:etag": "W9", "product:n": "12"})
    negative = JSON.model_copy(update={"absent": RedisAbsent(equals="null")})
    text = RedisBinding.model_validate({"key": "product:{key}", "version": {"text": True}})
    opaque = node.open(text, Keyspace("product", VersionType.STRING))
    assert (await node.open(negative, PRODUCT).read(["gone"])).readings == [
        Reading(Result.VALUE, Value(absent=True))
    ]
    assert (await opaque.read(["etag"])).readings == [Reading(Result.VALUE, Value(projection="W9"))]
    assert (await node.open(text, PRODUCT).read(["n"])).readings == [read_of(12)]


async def test_large_values_make_smaller_batches(
    node: RedisServer, redis_server: RealRedis
) -> None:
    large = '{"version":1,"page":"' + "x" * 1_000_000 + '"}'
    keys = [str(number) for number in range(20)]
    redis_server.client.mset({f"product:{key}": large for key in keys})
    cache = node.open(JSON, PRODUCT)
    first = await cache.read(keys)
    assert {reading.why for reading in first.readings} == {"reply longer than 8388608 bytes"}
    again = await cache.read(keys)
    assert list(again.readings) == [read_of(1)] * 20
    assert cache.batch_keys == 1
    redis_server.client.mset({f"product:{key}": '{"version":2}' for key in keys})
    for _ in range(8):
        await cache.read(keys)
    assert cache.batch_keys == 50


# Failures: unknown with its reason, and nobody else pays.


async def test_nobody_listens() -> None:
    node = connect(free_port())
    reply = await node.open(JSON, PRODUCT).read(["a", "b"])
    assert list(reply.readings) == [Reading(Result.UNKNOWN, why="connection refused")] * 2
    assert reply.why == "connection refused"
    assert not (await node.check()).ok


async def test_a_hanging_node_times_out_and_comes_back() -> None:
    with RealRedis() as real:
        real.client.set("product:a", '{"version":3}')
        node = connect(real.port, read_timeout="100ms", connect_timeout="100ms")
        cache = node.open(JSON, PRODUCT)
        assert (await cache.read(["a"])).readings == [read_of(3)]
        real.pause()
        assert (await cache.read(["a"])).why == "timed out"
        assert (await cache.read(["a"])).why in {"connecting timed out", "timed out"}
        real.resume()

        async def answers() -> bool:
            return list((await cache.read(["a"])).readings) == [read_of(3)]

        await eventually(answers, "the node answers again")
        await node.close()


async def test_a_restart_changes_the_identity_and_loses_no_read() -> None:
    with RealRedis() as real:
        node = connect(real.port)
        cache = node.open(JSON, PRODUCT)
        first = await cache.read(["a"])
        real.kill()
        real.start()
        real.client.set("product:a", '{"version":3}')
        second = await cache.read(["a"])  # over a connection that the dead server had closed
        assert list(second.readings) == [read_of(3)]
        assert first.identity
        assert second.identity not in ("", first.identity)
        await node.close()


async def test_a_cancelled_read_leaves_no_reply_for_the_next(
    node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.mset({"product:a": '{"version":1}', "product:b": '{"version":2}'})
    cache = node.open(JSON, PRODUCT)
    for _ in range(5):
        reading = asyncio.create_task(cache.read(["a"]))
        for _ in range(2):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert (await cache.read(["b"])).readings == [read_of(2)]


async def test_keyspaces_share_the_connection(node: RedisServer, redis_server: RealRedis) -> None:
    redis_server.client.mset({"product:a": '{"version":1}'})
    caches = [node.open(JSON, PRODUCT) for _ in range(10)]
    replies = await asyncio.gather(*(cache.read(["a"]) for cache in caches))
    assert all(reply.readings == [read_of(1)] for reply in replies)
    names = [client["name"] for client in redis_server.client.client_list()]
    assert names.count("stalewatch") == 1


HELLO = b"+OK\r\n$0\r\n\r\n$0\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "close", "why"),
    [
        ([b""], True, "connection closed"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], True, "not the Redis protocol"),
        ([b"\x00\xff\x16\x03\x01" * 100], True, "not the Redis protocol"),
        ([b"+OK\r\n$100\r\nhalf an an"], True, "connection closed"),
        ([b"+OK\r\n$100\r\nhalf an an"], False, "timed out"),
        ([b"+OK\r\n$-7\r\n"], True, "not the Redis protocol"),
        ([b"-LOADING Redis is loading\r\n" * 3], True, "LOADING"),
        ([HELLO + b"+extra\r\n"], True, "more replies than commands"),
    ],
)
async def test_half_answers_and_garbage_are_unknown(
    said: list[bytes], close: bool, why: str
) -> None:
    with saying(*said, close=close) as port:
        node = connect(port, read_timeout="100ms")
        reply = await node.open(JSON, PRODUCT).read(["a"])
        assert list(reply.readings) == [Reading(Result.UNKNOWN, why=why)]
        await node.close()


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ([b"{}"], "not the answer to MGET"),
        ([], "not the answer to MGET"),
        (None, "not the answer to MGET"),
        ([b"{}", b"{}", b"{}"], "not the answer to MGET"),
        ([1, 2], "not the answer to MGET"),
        ([[b"{}"], None], "not the answer to MGET"),
    ],
)
def test_a_batch_of_another_length_or_kind_is_unknown(replies: object, why: str) -> None:
    request = RedisRequest(JSON, VersionType.INTEGER)
    assert request.readings(["a", "b"], [replies]) == [Reading(Result.UNKNOWN, why=why)] * 2


async def test_a_wrong_password_and_none_are_named() -> None:
    with RealRedis(password="right") as real:
        reply = await connect(real.port).open(JSON, PRODUCT).read(["a"])
        assert reply.why == "NOAUTH"


async def test_a_password_from_a_file_is_read_late(tmp_path: Any) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    with RealRedis(password="right") as real:
        node = connect(real.port, auth={"password": {"file": str(secret)}})
        cache = node.open(JSON, PRODUCT)
        assert (await cache.read(["a"])).why == "WRONGPASS"
        assert "check auth" in (await node.check()).problem
        secret.write_text("right\n")

        async def answers() -> bool:
            return list((await cache.read(["a"])).readings) == [MISS]

        await eventually(answers, "the new password is taken")
        secret.unlink()
        await node.close()
        assert (await cache.read(["a"])).why.startswith("cannot read the secret file")


async def test_tls_with_a_client_certificate(authority: Authority) -> None:
    client = authority.client
    tls = {"ca": str(authority.ca), "cert": str(client.cert), "key": str(client.key)}
    with RealRedis(tls=authority, client_certificates=True) as real:
        node = connect(real.port, tls=tls)
        assert list((await node.open(JSON, PRODUCT).read(["a"])).readings) == [MISS]
        other = connect(real.port, tls={**tls, "server_name": "other.test"})
        reply = await other.open(JSON, PRODUCT).read(["a"])
        assert "Hostname mismatch" in reply.why
        stranger = connect(real.port, tls={})
        assert "certificate" in (await stranger.open(JSON, PRODUCT).read(["a"])).why
        plain = connect(real.port, read_timeout="200ms", connect_timeout="200ms")
        assert (await plain.open(JSON, PRODUCT).read(["a"])).why
        for one in (node, other, stranger, plain):
            await one.close()


def _every_way(open_: Callable[[RedisBinding], RedisCache]) -> dict[str, RedisCache]:
    return {"json": open_(JSON), "hash": open_(HASH)}


async def test_the_printed_grants_are_enough_and_no_more() -> None:
    with RealRedis(password="admin") as real:
        bindings = {"json": JSON, "hash": HASH}
        rule = grants(RedisLayerOptions(), bindings).replace("PASSWORD", "pw")
        if tuple(map(int, real.client.info("server")["redis_version"].split(".")))[:2] < (7, 2):
            rule = rule.replace("+client|no-touch ", "")
        real.client.execute_command(*rule.split(" "))  # type: ignore[no-untyped-call]
        real.client.set("product:a", '{"version":1}', ex=60)
        real.client.hset("h:a", mapping={"version": "1"})
        auth = {"username": "stalewatch", "password": {"env": "REDIS_PW_OF_TEST"}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REDIS_PW_OF_TEST", "pw")
            node = connect(real.port, auth=auth)
            health = await node.check()
            assert (health.ok, health.problem) == (True, "")
            for name, cache in _every_way(lambda b: node.open(b, PRODUCT)).items():
                for reply in (await cache.read(["a"]), await cache.inspect(["a"])):
                    assert reply.readings[0].value == Value(1), (name, reply)
                    assert reply.identity
            await node.close()
        limited = redis.Redis(port=real.port, username="stalewatch", password="pw")
        for command in (("SET", "product:a", "x"), ("GET", "other"), ("CONFIG", "GET", "*")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                limited.execute_command(*command)  # type: ignore[no-untyped-call]


async def test_without_permission_a_key_is_unknown() -> None:
    with RealRedis(users={"default": "on nopass ~other:* +@all"}) as real:
        node = connect(real.port)
        for cache in _every_way(lambda b: node.open(b, PRODUCT)).values():
            reply = await cache.read(["a"])
            assert list(reply.readings) == [Reading(Result.UNKNOWN, why="NOPERM")]
        await node.close()


async def test_reading_leaves_the_keyspace_as_it_was(
    node: RedisServer, redis_server: RealRedis
) -> None:
    redis_server.client.set("product:a", '{"version":1}')
    before = redis_server.client.info("commandstats")
    await node.open(JSON, PRODUCT).read(["a"])
    after = redis_server.client.info("commandstats")
    called = {n for n in after if after[n] != before.get(n)} - {"cmdstat_info"}
    assert called <= {"cmdstat_mget", "cmdstat_client|setname"}
