"""Times to live of a few entries now and then, from a real Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import redis

from collectors.base import Keyspace, ProbeEffect, Reply, Target
from collectors.journal import Ids, Journal, NodeSettings
from collectors.redis import RedisCache, RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.ttl_sampling import BARREN_TURNS, HANDFUL, REST_NS, TURN_NS, TtlSampling
from freshness.ttl_sample import TtlCell
from stalewatch.clock import ObserverClock
from tests.servers import RedisServer as RealRedis
from tests.servers import free_port

S = 10**9
KEYS = [f"{n}" for n in range(20)]
NODE = NodeSettings("regional", "r1", "eu", "redis", "", "purge", S)


@dataclass
class Bench:
    client: redis.Redis
    server: RedisServer
    journal: Journal
    sampling: TtlSampling

    def cache(self, ttl: str = "suspects") -> RedisCache:
        binding = {"key": "p:{key}", "version": {"text": True}, "ttl": ttl}
        return self.server.open(RedisBinding.model_validate(binding), Keyspace("product"))

    def taken(self) -> TtlCell:
        batch = self.journal.take()
        return sum(batch.ttls.values(), TtlCell()) if batch else TtlCell()


@pytest.fixture
async def bench(redis_server: RealRedis) -> AsyncIterator[Bench]:
    clock = ObserverClock()
    server = RedisServer(Target("r1", "127.0.0.1", redis_server.port), RedisOptions(), clock.now_ns)
    journal = Journal("product", clock.as_row(), Ids())
    client = redis.Redis(port=redis_server.port)
    for key in KEYS:
        client.set(f"p:{key}", 3, ex=500)
    yield Bench(client, server, journal, TtlSampling(NODE, journal))
    await server.close()
    client.close()


async def test_a_turn_reads_a_handful_and_then_leaves_the_node_alone(bench: Bench) -> None:
    sampling = bench.sampling
    await sampling.inspect(bench.cache(), KEYS, 0)
    cell = bench.taken()
    assert (cell.n, cell.endless) == (HANDFUL, 0)
    assert cell.longest_ns is not None
    assert 490 * S < cell.longest_ns <= 500 * S
    await sampling.inspect(bench.cache(), KEYS, 0)
    assert bench.taken().n == 0


async def test_an_entry_without_expiry_is_named(bench: Bench) -> None:
    bench.client.persist("p:1")
    await bench.sampling.inspect(bench.cache(), ["1"], 0)
    cell = bench.taken()
    assert (cell.n, cell.endless, cell.endless_key) == (1, 1, "1")


async def test_the_resolution_is_taken_off(bench: Bench) -> None:
    sampling = TtlSampling(replace(NODE, ttl_resolution_s=2.0), bench.journal)
    await sampling.inspect(bench.cache(), ["1"], 0)
    assert (bench.taken().longest_ns or 0) <= 498 * S


async def test_a_node_that_tells_no_times_is_asked_seldom(bench: Bench) -> None:
    sampling, now = bench.sampling, 0
    for _ in range(BARREN_TURNS):
        assert sampling.is_due(now)
        await sampling.inspect(bench.cache("never"), KEYS, now)
        now += TURN_NS
    assert not sampling.is_due(now)
    assert sampling.is_due(now + REST_NS)
    assert bench.taken().n == 0


async def test_ordinary_answers_that_tell_times_are_enough(bench: Bench) -> None:
    reply: Reply = await bench.cache("always").read(KEYS)
    bench.sampling.note(KEYS, reply)
    assert bench.taken().n == HANDFUL
    assert not bench.sampling.is_due(reply.end_ns)
    bench.sampling.note(KEYS, reply)
    assert bench.taken().n == 0
    plain = await bench.cache().read(KEYS)
    bench.sampling.note(KEYS, replace(plain, end_ns=plain.end_ns + TURN_NS))
    assert bench.taken().n == 0


async def test_a_cache_that_a_read_would_fill_is_not_asked(bench: Bench) -> None:
    cache = bench.cache()
    cache.effect = ProbeEffect.FILLS
    await bench.sampling.inspect(cache, KEYS, 0)
    assert bench.taken().n == 0


async def test_a_node_that_is_down_counts_nothing(bench: Bench) -> None:
    nobody = Target("r1", "127.0.0.1", free_port())
    down = RedisServer(nobody, RedisOptions(), ObserverClock().now_ns)
    binding = RedisBinding.model_validate({"key": "p:{key}", "version": {"text": True}})
    await bench.sampling.inspect(down.open(binding, Keyspace("product")), KEYS, 0)
    assert bench.taken().n == 0
    await down.close()
