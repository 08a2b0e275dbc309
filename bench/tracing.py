"""What a span around a read costs: without an SDK, and with one that keeps everything.

    python -m bench.tracing [--reads 200000]

The same source, which answers at once, is read with and without its decorator, turn by turn, and
the difference is the cost of a batch, in processor time of this process: others on the machine do
not count. Beside it stands a batch of 50 keys of a Redis on this machine, in the same run.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from statistics import median

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from collectors.base import Cache, KeyPage, Keyspace, ProbeEffect, Reply, Target
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.traced import TracedCache
from freshness.model import Reading, Result
from stalewatch_sdk import attributes as ours
from tests.servers import RedisServer as RealRedis

TURNS = 20
KEYS = [str(n) for n in range(50)]
MOST_SHARE = 0.05
PLACE = {ours.KEYSPACE: "product", ours.LAYER: "edge", ours.NODE: "e1", "server.address": "::1"}


class AtOnce:
    """A cache that answers at once."""

    batch_keys = 50
    effect = ProbeEffect.NONE

    def __init__(self) -> None:
        self._reply = Reply(1, 2, [Reading(Result.MISS)] * len(KEYS))

    async def read(self, keys: Sequence[str]) -> Reply:  # noqa: ARG002 the same for all
        """The same reply each time."""
        return self._reply

    inspect = read

    async def walk(self, cursor: str = "") -> KeyPage:
        """No keys."""
        return KeyPage([], cursor)


class Dropping(SpanExporter):
    """Takes spans, and keeps none."""

    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002
        """Done."""
        return SpanExportResult.SUCCESS


def main() -> None:
    """Measure and print; exit 1 where a span without an SDK costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=200_000)
    reads = parser.parse_args().reads
    batch_ns = asyncio.run(redis_batch_ns())
    print(f"a batch of {len(KEYS)} keys of Redis: {batch_ns:>9,.0f} ns")
    off_ns = asyncio.run(cost_ns(reads))
    print(f"a span without an SDK:      {off_ns:>9,.0f} ns, {off_ns / batch_ns:.2%} of a batch")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Dropping()))
    trace.set_tracer_provider(provider)
    on_ns = asyncio.run(cost_ns(reads // 10))
    print(f"a span with an SDK:         {on_ns:>9,.0f} ns, {on_ns / batch_ns:.2%} of a batch")
    provider.shutdown()
    raise SystemExit(off_ns > MOST_SHARE * batch_ns)


async def cost_ns(reads: int) -> float:
    """What the decorator adds to one read: the median over turns."""
    plain, at_each = AtOnce(), max(1, reads // TURNS)
    traced = TracedCache(plain, PLACE)
    differences = []
    for _ in range(TURNS):
        without = await _each_ns(plain, at_each)
        differences.append(await _each_ns(traced, at_each) - without)
    return median(differences)


async def redis_batch_ns() -> float:
    """The median of batches from a Redis over loopback."""
    with RealRedis() as server:
        target = Target("r", "127.0.0.1", server.port)
        redis = RedisServer(target, RedisOptions(), time.monotonic_ns)
        binding = RedisBinding(key="product:{key}", version={"json": "$.version"})  # type: ignore[arg-type]
        cache = redis.open(binding, Keyspace("product"))
        taken = []
        for _ in range(500):
            began = time.process_time_ns()
            await cache.read(KEYS)
            taken.append(time.process_time_ns() - began)
        await redis.close()
    return median(taken)


async def _each_ns(cache: Cache, reads: int) -> float:
    began = time.process_time_ns()
    for _ in range(reads):
        await cache.read(KEYS)
    return (time.process_time_ns() - began) / reads


if __name__ == "__main__":
    main()
