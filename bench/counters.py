"""The error of a node's hit rate with our own reads in it and without, and what a look costs.

    python -m bench.counters [--seconds 10] [--rate 300]

A workload of known hits and misses runs against a real Redis (and memcached) while probes read the
same node at the default budget; the truth is the workload's own count.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from collectors.base import Keyspace, Target
from collectors.counters.base import CounterSource
from collectors.counters.memcached import MemcachedCounters
from collectors.counters.node import NodeCounters
from collectors.counters.own import CountedCache, OwnReads, Tally
from collectors.counters.redis import RedisCounters, weigh
from collectors.options import ConnectionOptions
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from stalewatch.clock import ObserverClock
from store.counters import CounterRow
from store.node_counters import add_up, rate_of
from tests.servers import RedisServer as RealRedis
from tests.servers.memcached import MemcachedServer

BINDING = {"key": "product:{key}", "version": {"json": "$.version"}}
KEYS = 1_000
BATCH, BATCHES_PER_S = 50, 20
SHARE_THERE = 0.7
CLOCK = ObserverClock()
Get = Callable[[str], Awaitable[bool]]


@dataclass
class Truth:
    """What the workload saw."""

    hits: int = 0
    lookups: int = 0


async def work(get: Get, rate: float, until: float) -> Truth:
    """Lookups at a rate, of keys that are there and keys that are not."""
    dice, truth = random.Random(1), Truth()
    while time.monotonic() < until:
        is_there = dice.random() < SHARE_THERE
        number = dice.randrange(KEYS) + (0 if is_there else 10 * KEYS)
        truth.hits += await get(f"product:{number}")
        truth.lookups += 1
        await asyncio.sleep(1 / rate)
    return truth


async def measure(
    name: str, source: CounterSource, own: OwnReads, get: Get, probe: Callable[[], Awaitable[None]],
    seconds: float, rate: float,
) -> None:  # fmt: skip
    """Workload, probes and looks at once; then what is left of the error."""
    node = NodeCounters("bench", name, "node", own, CLOCK)
    rows: list[CounterRow] = [await node.look(source)]
    until, costs = time.monotonic() + seconds, []

    async def probes() -> None:
        while time.monotonic() < until:
            await probe()
            await asyncio.sleep(1 / BATCHES_PER_S)

    async def looks() -> None:
        while time.monotonic() < until:
            await asyncio.sleep(0.5)
            start = time.monotonic()
            rows.append(await node.look(source))
            costs.append(time.monotonic() - start)

    truth, *_ = await asyncio.gather(work(get, rate, until), probes(), looks())
    rows.append(await node.look(source))
    total, true = add_up(rows), truth.hits / truth.lookups
    found = rate_of(total)
    assert found is not None
    assert total.hits is not None
    assert total.misses is not None
    plain = total.hits / (total.hits + total.misses)
    print(
        f"{name}: true {true:.4%} of {truth.lookups:,} lookups; uncorrected {plain:.4%} "
        f"(error {abs(plain - true):.4%}), corrected {found.share:.4%} (error "
        f"{abs(found.share - true):.4%}), bounds {found.lower:.4%} to {found.upper:.4%}, own reads "
        f"{total.own_hits[1]:,} hits and {total.own_misses[1]:,} misses; "
        f"a look takes {1e3 * sorted(costs)[len(costs) // 2]:.2f} ms"
    )


async def measure_redis(seconds: float, rate: float) -> None:
    """Probes as they are in use: MGET in batches through the counted cache."""
    with RealRedis() as real:
        client = Redis(port=real.port)
        await client.mset({f"product:{n}": '{"version":7}' for n in range(KEYS)})
        target, options = Target("r1", "127.0.0.1", real.port), RedisOptions()
        server, own = RedisServer(target, options, CLOCK.now_ns), OwnReads()
        binding = RedisBinding.model_validate(BINDING)
        opened = server.open(binding, Keyspace("product"))
        cache = CountedCache(opened, own, weigh(options, binding))

        async def get(key: str) -> bool:
            return await client.get(key) is not None

        async def probe() -> None:
            await cache.read([f"{random.randrange(KEYS)}" for _ in range(BATCH)])

        source = RedisCounters(server.link)
        await measure("redis", source, own, get, probe, seconds, rate)
        before = await client.info("commandstats")
        for _ in range(100):
            await source.sample()
        after = await client.info("commandstats")
        usec = after["cmdstat_info"]["usec"] - before["cmdstat_info"]["usec"]
        print(f"redis: a look takes {usec / 100:.0f} µs of the server, in 5 INFO")
        await server.close()
        await client.aclose()


async def measure_memcached(seconds: float, rate: float) -> None:
    """Probes by `mg`, put to the account as the cache kind does."""
    with MemcachedServer() as real:
        reader, writer = await asyncio.open_connection("127.0.0.1", real.port)
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", real.port)
        own = OwnReads()
        for number in range(KEYS):
            writer.write(f"set product:{number} 0 0 1\r\nx\r\n".encode())
            await reader.readline()

        async def get(key: str) -> bool:
            writer.write(f"mg {key}\r\n".encode())
            return (await reader.readline()).startswith(b"HD")

        async def probe() -> None:
            own.begin(BATCH)
            for _ in range(BATCH):
                other_writer.write(f"mg product:{random.randrange(KEYS)}\r\n".encode())
            hits = [(await other_reader.readline()).startswith(b"HD") for _ in range(BATCH)]
            own.settle(BATCH, Tally(sum(hits), BATCH - sum(hits)))

        source = MemcachedCounters("127.0.0.1", real.port, ConnectionOptions(), CLOCK.now_ns)
        await measure("memcached", source, own, get, probe, seconds, rate)
        writer.close()
        other_writer.close()


async def main(seconds: float, rate: float) -> None:
    """Both servers in turn."""
    await measure_redis(seconds, rate)
    await measure_memcached(seconds, rate)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=300)
    asked = parser.parse_args()
    asyncio.run(main(asked.seconds, asked.rate))
