"""One node of a real Redis Cluster as the cache kind `redis` reads it, and what is none."""

import math
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from collectors.base import Keyspace, SourceError, Target
from collectors.discovery import Discovery, NodeEntry, SentinelOptions
from collectors.redis import RedisServer, connect
from collectors.redis_cluster import RedisCluster
from collectors.redis_sentinel import ask_sentinels
from collectors.redis_server import RedisLayerOptions
from collectors.redis_value import RedisBinding
from freshness.model import MISS, Result, Value
from tests.collectors.web import saying
from tests.servers import RedisNode, wait_until

OPTIONS = RedisLayerOptions(placement="cluster")
JSON = RedisBinding.model_validate({"key": "p:{key}", "version": {"json": "$.version"}})
HASH = RedisBinding.model_validate({"key": "h:{key}", "version": {"hash": "version"}})
PRODUCT = Keyspace("product")


@pytest.fixture(scope="module")
def real() -> Iterator[RedisNode]:
    """A cluster of one, which serves all slots."""
    with RedisNode() as node:
        node.run("CLUSTER ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: node.run("CLUSTER INFO")["cluster_state"] == "ok", "it is up")
        yield node


@pytest.fixture
async def node(real: RedisNode) -> AsyncIterator[RedisServer]:
    real.clean()
    server = connect(Target("n1", "127.0.0.1", real.port), OPTIONS, time.monotonic_ns)
    yield server
    await server.close()


async def test_each_key_is_read_on_its_own_with_its_ttl(node: RedisServer, real: RedisNode) -> None:
    real.client.set("p:a", '{"version":3}', px=60_000)
    real.client.set("p:b", '{"version":4}')
    real.client.hset("h:a", "version", "5")
    real.client.lpush("p:list", "x")
    cache = node.open(JSON, PRODUCT)
    reply = await cache.read(["a", "b", "none", "list"])
    assert [one.value for one in reply.readings] == [Value(3), Value(4), None, None]
    assert [one.result for one in reply.readings[2:]] == [Result.MISS, Result.UNREADABLE]
    [a, b] = (await cache.inspect(["a", "b"])).readings
    assert a.ttl_s is not None
    assert 50 < a.ttl_s <= 60
    assert b.ttl_s == math.inf
    [hashed, none] = (await node.open(HASH, PRODUCT).read(["a", "none"])).readings
    assert (hashed.value, none) == (Value(5), MISS)
    real.client.delete("p:a")
    assert (await cache.read(["a"])).readings == [MISS]  # purged
    assert not node.take_redirects()


async def test_a_restart_changes_the_identity(real: RedisNode, node: RedisServer) -> None:
    cache = node.open(JSON, PRODUCT)
    first = (await cache.read(["a"])).identity
    real.kill()
    assert (await cache.read(["a"])).readings[0].why in ("connection closed", "connection refused")
    real.start()
    server = connect(Target("n1", "127.0.0.1", real.port), OPTIONS, time.monotonic_ns)
    assert (await server.open(JSON, PRODUCT).read(["a"])).identity not in ("", first)
    await server.close()


@pytest.mark.parametrize(
    "said",
    [b"$5\r\nhello\r\n" * 4, b":1\r\n" * 3, b"-ERR no\r\n" * 3, b"HTTP/1.1 400\r\n\r\n", b""],
    ids=["words", "numbers", "errors", "no Redis", "nothing"],
)
async def test_who_talks_nonsense_is_no_seed_and_no_sentinel(said: bytes) -> None:
    with saying(said) as port:
        seeds = Discovery([NodeEntry.model_validate({"static": f"127.0.0.1:{port}"})])
        found = await RedisCluster(seeds, OPTIONS, time.monotonic_ns).discover()
        assert found.targets == ()
        assert found.problems[0].startswith(f"127.0.0.1:{port}: ")
        options = {"name": "shop", "sentinels": [f"127.0.0.1:{port}"]}
        asked = SentinelOptions.model_validate(options)
        with pytest.raises(SourceError, match=str(port)):
            await ask_sentinels(asked, time.monotonic_ns)
