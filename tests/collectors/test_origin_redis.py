"""The origin kind `redis` against real servers."""

import time
from typing import Any

import pytest

from collectors.base import Keyspace, SourceError
from collectors.origin_redis import (
    RedisOriginBinding,
    RedisOriginOptions,
    RedisOriginServer,
    grants,
)
from freshness.model import ABSENT, Reading, Result, Value
from tests.servers import RedisServer, eventually

PRODUCT = Keyspace("product")
BINDING = RedisOriginBinding.model_validate(
    {"key": "product:{key}", "version": {"json": "$.version"}, "list_keys": True}
)


def connect(port: int, **options: Any) -> RedisOriginServer:
    given = {"host": "127.0.0.1", "port": port, "linearizable": True, **options}
    return RedisOriginServer(RedisOriginOptions.model_validate(given), time.monotonic_ns)


async def test_a_missing_key_is_absent_and_keys_are_listed(redis_server: RedisServer) -> None:
    names = {f"product:{number}": '{"version":2}' for number in range(1200)}
    redis_server.client.mset({**names, "other": "x", "product": "y"})
    server = connect(redis_server.port)
    origin = server.open(BINDING, PRODUCT)
    reply = await origin.read(["7", "none"])
    assert [one.value for one in reply.readings] == [Value(2), ABSENT]
    assert origin.linearizable
    assert sorted(await origin.list_keys(), key=int) == [str(number) for number in range(1200)]
    assert not (await server.check()).problem
    await server.close()
    quiet = server.open(BINDING.model_copy(update={"list_keys": False}), PRODUCT)
    with pytest.raises(SourceError, match="list_keys"):
        await quiet.list_keys()


async def test_a_replica_is_never_linearizable() -> None:
    with RedisServer() as master, RedisServer() as replica:
        master.client.set("product:a", '{"version":2}')
        replica.client.replicaof("127.0.0.1", str(master.port))
        await eventually(lambda: replica.client.exists("product:a"), "the replica has caught up")
        server = connect(replica.port)
        origin = server.open(BINDING, PRODUCT)
        assert (await origin.read(["a"])).readings == [Reading(Result.VALUE, Value(2))]
        was_linearizable = origin.linearizable
        assert not was_linearizable
        assert "replica" in (await server.check()).problem
        replica.client.replicaof("NO", "ONE")
        await origin.read(["a"])
        assert origin.linearizable
        await server.close()


async def test_the_printed_grants_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGIN_PW", "pw")
    with RedisServer() as real:
        options = RedisOriginOptions(host="x")
        rule = grants(options, {"product": BINDING}).replace("PASSWORD", "pw")
        rule = rule.replace("+client|no-touch ", "")  # of 7.2
        real.client.execute_command(*rule.split(" "))  # type: ignore[no-untyped-call]
        real.client.set("product:a", '{"version":2}')
        auth = {"username": "stalewatch", "password": {"env": "ORIGIN_PW"}}
        server = connect(real.port, auth=auth)
        origin = server.open(BINDING, PRODUCT)
        assert (await origin.read(["a"])).readings == [Reading(Result.VALUE, Value(2))]
        assert origin.linearizable
        assert list(await origin.list_keys()) == ["a"]
        await server.close()
        real.kill()
        reply = await origin.read(["a"])
        assert (reply.readings[0].why, origin.linearizable) == ("connection refused", False)
        with pytest.raises(SourceError, match="connection refused"):
            await origin.list_keys()
