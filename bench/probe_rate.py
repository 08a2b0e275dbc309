"""Redis keys read, judged and stored a second, against a bare MGET walk of the same keys.

    python -m bench.probe_rate [--keys 50000] [--rounds 4] [--batch 500]

The walk is what any reader must pay: the same client library, batch size and servers, in the same
run. Both sides are measured in turn, since machines are noisy; the ratio is what counts.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from collectors.base import Keyspace, Target
from collectors.journal import Ids, NodeSettings
from collectors.origin_redis import RedisOriginBinding, RedisOriginOptions, RedisOriginServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.watch import Watch, WatchSettings
from freshness.model import Order
from stalewatch.clock import ObserverClock
from stalewatch.writer import StoreWriter
from store.sqlite import SqliteStore
from tests.servers import RedisServer as RealRedis

BINDING = {"key": "product:{key}", "version": {"json": "$.version"}}
VALUE = '{"version":7,"name":"a product of the shop","price":"12.50"}'


@dataclass(frozen=True)
class Arguments:
    """What is measured."""

    keys: int
    rounds: int
    batch: int


async def fill(port: int, keys: Sequence[str]) -> None:
    """Give every key its value."""
    client = Redis(port=port)
    for at in range(0, len(keys), 1000):
        await client.mset({f"product:{key}": VALUE for key in keys[at : at + 1000]})
    await client.aclose()


async def walk(ports: Sequence[int], keys: Sequence[str], batch: int) -> float:
    """Seconds of a bare MGET walk over all keys of all nodes, side by side."""
    clients = [Redis(port=port) for port in ports]
    start = time.perf_counter()
    for at in range(0, len(keys), batch):
        names = [f"product:{key}" for key in keys[at : at + batch]]
        await asyncio.gather(*(client.mget(names) for client in clients))
    taken_s = time.perf_counter() - start
    for client in clients:
        await client.aclose()
    return taken_s


async def probe(origin: int, ports: Sequence[int], keys: Sequence[str], args: Arguments) -> Watch:
    """A watch over the same keys, with its store's writer; measured by the caller."""
    clock = ObserverClock()
    options = {"batch": {"keys": args.batch, "bytes": "1MiB"}}
    server = RedisOriginServer(
        RedisOriginOptions.model_validate(
            {"host": "127.0.0.1", "port": origin, "linearizable": True, **options}
        ),
        clock.now_ns,
    )
    source = server.open(RedisOriginBinding.model_validate(BINDING), Keyspace("product"))
    folder = Path(tempfile.mkdtemp(prefix="stalewatch-bench-"))
    writer = StoreWriter(SqliteStore(str(folder / "bench.db")), lambda *_: None)
    writer.start()
    settings = WatchSettings("product", Order.COUNTER, 60 * 10**9)
    watch = Watch(settings, source, Sampler(keys, len(keys)), clock, Ids(), writer.put)
    for port in ports:
        target = Target(str(port), "127.0.0.1", port)
        node = RedisServer(target, RedisOptions.model_validate(options), clock.now_ns)
        cache = node.open(RedisBinding.model_validate(BINDING), Keyspace("product"))
        watch.add_node(
            NodeSettings("regional", str(port), "eu", "redis", "", "purge", 2 * 10**9), cache
        )
    await watch.run_round()
    writer.drain(60)
    return watch


async def measure(nodes: int, args: Arguments) -> None:
    """Print the figures for so many nodes."""
    keys = [str(n) for n in range(args.keys)]
    servers = [RealRedis() for _ in range(nodes + 1)]
    for each in servers:
        each.start()
        await fill(each.port, keys)
    origin, ports = servers[0].port, [each.port for each in servers[1:]]
    watch = await probe(origin, ports, keys, args)
    ours, bare = [], []
    start = time.perf_counter()
    await watch.extend()
    writing_s = time.perf_counter() - start
    for _ in range(args.rounds):
        bare.append(await walk([origin, *ports], keys, args.batch))
        start = time.perf_counter()
        await watch.run_round()
        ours.append(time.perf_counter() - start)
    await watch.close()
    for each in servers:
        each.stop()
    reads = args.keys * (nodes + 1)
    slower = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    print(
        f"{nodes} node(s) and the origin, {args.keys} keys, batches of {args.batch}: "
        f"read, judged and stored {reads / statistics.median(ours):,.0f} reads/s, "
        f"bare MGET {reads / statistics.median(bare):,.0f} reads/s, "
        f"time ratio {slower:.2f} (median of {args.rounds}); "
        f"the extension of all runs, due once a minute, took the loop {writing_s:.2f} s"
    )


def main() -> None:
    """Measure one node and three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--batch", type=int, default=500)
    args = Arguments(**vars(parser.parse_args()))
    for nodes in (1, 3):
        asyncio.run(measure(nodes, args))


if __name__ == "__main__":
    main()
