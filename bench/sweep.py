"""A sweep of a million keys over three nodes, with stale entries planted and writes going on.

    python -m bench.sweep [--keys 1000000] [--stale 0.001] [--writes 200]

The origin is a PostgreSQL, the nodes are Redis servers that hold every key. All planted entries,
and no others, are to be found. Beside it stands what any reader must pay: a bare walk over the same
entries (SCAN for the keys, MGET for the values) by the same client library in the same run.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from collectors.base import Keyspace, Target
from collectors.budget import Budget
from collectors.journal import Ids, NodeSettings
from collectors.origin_sql import PostgresBinding, PostgresOptions, PostgresServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.sweep import Sweep
from collectors.throttle import ThrottledCache
from collectors.watch import Watch, WatchSettings
from freshness.model import Order
from stalewatch.clock import ObserverClock, wall_ns
from stalewatch.writer import StoreWriter
from store.base import FindingRow
from store.sqlite import SqliteStore
from store.sweeps import SweepRow, total_of
from tests.servers import PostgresServer as RealPostgres
from tests.servers import RedisServer as RealRedis

NODES, BATCH, PIECE = 3, 500, 10_000
TOLD_S = 10.0
PRODUCT = Keyspace("product")
OPTIONS = {"batch": {"keys": BATCH, "bytes": "4MiB"}}
QUERY = "SELECT id, version FROM product WHERE id = ANY(%(keys)s)"
NEXT = "UPDATE product SET version = version + 1 WHERE id = %s RETURNING version"
MAX_STALENESS_NS = 2 * 10**9
UNBOUNDED = 1e9


@dataclass(frozen=True)
class Arguments:
    """What is measured."""

    keys: int
    stale: float
    writes: float


def value(version: int) -> str:
    """What a node holds for a key."""
    return json.dumps({"version": version, "name": "a product of the shop", "price": "12.50"})


def fill(dsn: str, ports: Sequence[int], planted: Sequence[set[int]], keys: int) -> None:
    """Version 2 of everything at the origin; at each node the planted ones are a version behind."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE product (id text PRIMARY KEY, version bigint)")
        with connection.cursor().copy("COPY product FROM STDIN") as copy:
            for n in range(keys):
                copy.write_row((str(n), 2))
        connection.execute("ANALYZE product")
    new, old = value(2), value(1)
    for port, behind in zip(ports, planted, strict=True):
        client = SyncRedis(port=port)
        for at in range(0, keys, PIECE):
            piece = range(at, min(at + PIECE, keys))
            client.mset({f"product:{n}": old if n in behind else new for n in piece})
        client.close()


def write(dsn: str, ports: Sequence[int], spared: set[int], keys: int, per_s: float) -> None:
    """Commit a new version of some key, then put it into every node, so often a second."""
    rng, clients = random.Random(7), [SyncRedis(port=port) for port in ports]
    with psycopg.connect(dsn, autocommit=True) as connection:
        began, done = time.monotonic(), 0
        while True:
            n = rng.randrange(keys)
            if n in spared:
                continue
            row = connection.execute(
                "UPDATE product SET version = version + 1 WHERE id = %s RETURNING version",
                (str(n),),
            ).fetchone()
            for client in clients:
                client.set(f"product:{n}", value(row[0] if row else 0))
            done += 1
            time.sleep(max(0.0, began + done / per_s - time.monotonic()))


async def walk(ports: Sequence[int]) -> tuple[int, float]:
    """Entries of a bare walk over every node, side by side, and seconds."""

    async def one(port: int) -> int:
        client, cursor, seen = Redis(port=port), 0, 0
        while True:
            cursor, names = await client.scan(cursor, match="product:*", count=1000)
            for at in range(0, len(names), BATCH):
                seen += sum(
                    found is not None for found in await client.mget(names[at : at + BATCH])
                )
            if cursor == 0:
                await client.aclose()
                return seen

    start = time.perf_counter()
    entries = sum(await asyncio.gather(*(one(port) for port in ports)))
    return entries, time.perf_counter() - start


@asynccontextmanager
async def watching(dsn: str, ports: Sequence[int], store: SqliteStore) -> AsyncIterator[Watch]:
    """A watch over the servers, with budgets that bound nothing, and a store's writer beside it."""
    clock, writer = ObserverClock(), StoreWriter(store, lambda *_: None)
    writer.start()
    options = PostgresOptions.model_validate({"url": dsn, "linearizable": True, **OPTIONS})
    server = PostgresServer(options, clock.now_ns)
    binding = PostgresBinding.model_validate({"query": QUERY})
    settings = WatchSettings("product", Order.COUNTER, 10**9, origin_name="shop")
    watch = Watch(
        settings, server.open(binding, PRODUCT), Sampler([], 50), clock, Ids(), writer.put
    )
    nodes = []
    for port in ports:
        node = RedisServer(
            Target(str(port), "127.0.0.1", port), RedisOptions.model_validate(OPTIONS), clock.now_ns
        )
        nodes.append(node)
        at = RedisBinding.model_validate({"key": "product:{key}", "version": {"json": "$.version"}})
        budget = Budget(clock.now_ns(), UNBOUNDED, UNBOUNDED)
        watch.add_node(
            NodeSettings("regional", str(port), "eu", "redis", "", "purge", MAX_STALENESS_NS),
            ThrottledCache(node.open(at, PRODUCT), budget, clock.now_ns, 10**9),
        )
    yield watch
    await watch.close()
    writer.close(60)
    await server.close()
    for each in nodes:
        await each.close()


async def sweep(dsn: str, ports: Sequence[int], planted: Sequence[set[int]]) -> None:
    """Sweep beside the writes, and print what came of it."""
    process = psutil.Process()
    with tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder:
        store = SqliteStore(str(Path(folder) / "bench.db"))
        before, most = process.memory_info().rss, 0
        now_ns = wall_ns()
        asked = SweepRow("bench", "product", "regional", "", "asked", now_ns, now_ns)
        async with watching(dsn, ports, store) as watch:
            start = told = time.perf_counter()
            task = asyncio.create_task(Sweep(asked, watch, wall_ns).run())
            while not task.done():
                most = max(most, process.memory_info().rss)
                await asyncio.wait([task], timeout=0.2)
                if time.perf_counter() > told + TOLD_S:
                    told = time.perf_counter()
                    say_progress(store, told - start)
            row, took_s = await task, time.perf_counter() - start
        total = total_of(row.nodes)
        found = {(each.node, int(each.key)) for each in findings(store)}
        wanted = {(str(p), n) for p, behind in zip(ports, planted, strict=True) for n in behind}
        size = (Path(folder) / "bench.db").stat().st_size
        store.close()
    print(
        f"sweep {row.state}: {total.entries:,} entries in {took_s:.1f} s, "
        f"{total.entries / took_s:,.0f}/s; right {total.right:,}, wrong {total.wrong:,}, "
        f"indeterminate {total.indeterminate:,}, unknown {total.unknown:,}, gone {total.gone:,}\n"
        f"planted {len(wanted):,}; found {len(found & wanted):,}, missed {len(wanted - found):,}, "
        f"false {len(found - wanted):,}\n"
        f"memory {before / 2**20:.0f} MiB before, {most / 2**20:.0f} MiB at most; "
        f"store {size / 2**20:.1f} MiB"
    )


def say_progress(store: SqliteStore, took_s: float) -> None:
    """How far the sweep is, on the error stream."""
    rows = store.sweeps()
    walked = sum(node.walked for row in rows for node in row.nodes)
    print(f"{took_s:,.0f} s: {walked:,} entries walked", file=sys.stderr, flush=True)


def findings(store: SqliteStore) -> list[FindingRow]:
    """Every finding."""
    page = store.findings(limit=500)
    rows = list(page.items)
    while page.next is not None:
        page = store.findings(limit=500, cursor=page.next)
        rows += page.items
    return rows


def measure(args: Arguments) -> None:
    """Fill the servers, write meanwhile, walk bare, sweep, walk bare again."""
    rng = random.Random(11)
    count = round(args.keys * args.stale)
    planted = [set(rng.sample(range(args.keys), count)) for _ in range(NODES)]
    servers = [RealRedis() for _ in range(NODES)]
    for each in servers:
        each.start()
    ports = [each.port for each in servers]
    with RealPostgres() as postgres:
        dsn = postgres.dsn(postgres.create_database())
        context = multiprocessing.get_context("spawn")
        filling = context.Process(target=fill, args=(dsn, ports, planted, args.keys))
        filling.start()
        filling.join()
        writing = context.Process(
            target=write,
            args=(dsn, ports, set.union(*planted), args.keys, args.writes),
            daemon=True,
        )
        writing.start()
        walks = [asyncio.run(walk(ports))]
        asyncio.run(sweep(dsn, ports, planted))
        walks.append(asyncio.run(walk(ports)))
        writing.terminate()
        writing.join()
    for entries, took_s in walks:
        print(f"bare MGET walk: {entries:,} entries in {took_s:.1f} s, {entries / took_s:,.0f}/s")
    for each in servers:
        each.stop()


def main() -> None:
    """Measure one sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--stale", type=float, default=0.001)
    parser.add_argument("--writes", type=float, default=200)
    measure(Arguments(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
