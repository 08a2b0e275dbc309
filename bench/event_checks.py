"""Invalidations a second whose checks are held at three nodes and all horizons, and how late.

    python -m bench.event_checks [--rates 250,500,1000,2000,4000] [--seconds 10] [--lost 0.01]

Each rate is offered for so long, to watches as `up` has them: behind budgets, with a store's writer
beside them. The horizons are six, as by default, but a second apart, so that all of them are under
load at once; how far apart they lie changes nothing in what they cost. A rate is held where nothing
is skipped or left out and the 99th percentile is no later than a check may be. At one node,
`--lost` of the keys are stale: they are suspected, asked for at the origin, and found.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from redis.asyncio import Redis

from collectors.base import Keyspace, Target
from collectors.budget import Budget
from collectors.journal import Ids, NodeSettings
from collectors.origin_redis import RedisOriginBinding, RedisOriginOptions, RedisOriginServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.throttle import ThrottledCache, ThrottledOrigin
from collectors.watch import Watch, WatchSettings
from freshness.check import LATE_NS, CheckCell, Seen
from freshness.model import Order
from stalewatch.clock import ObserverClock, wall_ns
from stalewatch.writer import StoreWriter
from store.messages import InvalidationRow
from store.sqlite import SqliteStore
from tests.servers import RedisServer as RealRedis

S = 10**9
BINDING = {"key": "product:{key}", "version": {"json": "$.version"}}
VALUE = '{"version":%d,"name":"a product of the shop","price":"12.50"}'
PRODUCT = Keyspace("product")
HORIZONS_NS = [n * S for n in range(6)]
NODES, GROUP_S, PATIENCE_NS = 3, 0.02, S
ORIGIN_READS_PER_S = 5.0
"""As by default."""


@dataclass(frozen=True)
class Arguments:
    """What is measured."""

    rates: Sequence[int]
    seconds: float
    keys: int
    lost: float
    node_reads_per_s: float
    batch: int


@dataclass
class Held:
    """A watch over real servers, with what its origin was asked."""

    watch: Watch
    store: SqliteStore
    writer: StoreWriter
    origin_batches: int = 0
    outcomes: Counter[str] | None = None


async def fill(port: int, keys: Sequence[str], old: int) -> None:
    """The newest version of every key, but the first one of the first `old`."""
    client = Redis(port=port)
    for at in range(0, len(keys), 1000):
        values = {
            f"product:{key}": VALUE % (1 if int(key) < old else 10**9)
            for key in keys[at : at + 1000]
        }
        await client.mset(values)
    await client.aclose()


@contextlib.asynccontextmanager
async def holding(ports: Sequence[int], args: Arguments) -> AsyncIterator[Held]:
    """Watch the nodes behind their budgets."""
    clock = ObserverClock()
    options: dict[str, object] = {"batch": {"keys": args.batch, "bytes": "1MiB"}}
    origin_options = {"host": "127.0.0.1", "port": ports[0], "linearizable": True, **options}
    server = RedisOriginServer(RedisOriginOptions.model_validate(origin_options), clock.now_ns)
    folder = tempfile.TemporaryDirectory(prefix="stalewatch-bench-")
    store = SqliteStore(str(Path(folder.name) / "bench.db"))
    writer = StoreWriter(store, lambda *_: None)
    writer.start()
    outcomes: Counter[str] = Counter()
    held: Held

    def note(layer: str, *_: object) -> None:
        held.origin_batches += not layer

    keys = [str(n) for n in range(args.keys)]
    watch = Watch(
        WatchSettings("product", Order.COUNTER, S, horizons_ns=HORIZONS_NS),
        ThrottledOrigin(
            server.open(RedisOriginBinding.model_validate(BINDING), PRODUCT),
            Budget(clock.now_ns(), ORIGIN_READS_PER_S, 64 * 2**20),
            clock.now_ns,
            PATIENCE_NS,
        ),
        Sampler(keys, 50),
        clock,
        Ids(),
        writer.put,
        note,
        lambda outcome, n: outcomes.update({outcome: n}),
    )
    held = Held(watch, store, writer, outcomes=outcomes)
    servers = [add_node(watch, port, args, clock, options) for port in ports[1:]]
    yield held
    await watch.close()
    await server.close()
    for each in servers:
        await each.close()
    writer.close()
    store.close()
    folder.cleanup()


def add_node(
    watch: Watch, port: int, args: Arguments, clock: ObserverClock, options: dict[str, object]
) -> RedisServer:
    """One node behind its budget, half of which is for checks, as by default."""
    server = RedisServer(
        Target(str(port), "127.0.0.1", port), RedisOptions.model_validate(options), clock.now_ns
    )
    budget = Budget(clock.now_ns(), args.node_reads_per_s, args.node_reads_per_s * 64 * 1024)
    cache = server.open(RedisBinding.model_validate(BINDING), PRODUCT)
    node = NodeSettings("regional", str(port), "eu", "redis", "", "purge", 2 * S)
    watch.add_node(
        replace(node, checks_per_s=args.node_reads_per_s / 2),
        ThrottledCache(cache, budget, clock.now_ns, PATIENCE_NS),
    )
    return server


async def offer(held: Held, rate: int, args: Arguments) -> int:
    """Tell of so many invalidations a second, in groups as the receiver has them; how many."""
    started, told = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < args.seconds:
        due = round(passed * rate)
        held.watch.hear([message(n, args.keys) for n in range(told, due)])
        told = due
        await asyncio.sleep(GROUP_S)
    await asyncio.sleep(HORIZONS_NS[-1] / S + 1.5)
    held.watch.flush()
    held.writer.drain(60)
    return told


def message(n: int, keys: int) -> InvalidationRow:
    """Version n + 2 of some key; keys are taken in a scattered order."""
    now_ns = wall_ns()
    return InvalidationRow(
        id=f"i{n}",
        keyspace="product",
        scope="key",
        keys=(str(n * 7919 % keys),),
        version=n + 2,
        version_text="",
        publisher="shop",
        stream="prices",
        sequence=n,
        written_at_ns=now_ns,
        received_at_ns=now_ns,
    )


async def measure(rate: int, args: Arguments) -> bool:
    """Print the figures of one rate; whether it was held."""
    servers = [RealRedis() for _ in range(NODES + 1)]
    keys = [str(n) for n in range(args.keys)]
    for number, each in enumerate(servers):
        each.start()
        await fill(each.port, keys, round(args.lost * args.keys) if number == NODES else 0)
    async with holding([each.port for each in servers], args) as held:
        cpu, began = time.process_time(), time.perf_counter()
        told = await offer(held, rate, args)
        cpu, passed = time.process_time() - cpu, time.perf_counter() - began
        total = sum((cell for _, cell in held.store.checks(0, 2**62)), CheckCell())
        findings = len(held.store.findings(limit=100_000).items)
        is_held = tell(rate, told, total)
        print(
            f"        origin: {held.origin_batches / passed:.2f} batches/s of "
            f"{ORIGIN_READS_PER_S:g}; suspects {dict(held.outcomes or {})}; findings {findings}; "
            f"processor {100 * cpu / passed:.0f} % of one core, the teller included"
        )
    for each in servers:
        each.stop()
    return is_held


def tell(rate: int, told: int, total: CheckCell) -> bool:
    """Print what came of the checks."""
    due = told * NODES * len(HORIZONS_NS)
    counts = {seen: total.seen[seen].n for seen in Seen if seen in total.seen}
    skipped = counts.get(Seen.SKIPPED, 0)
    left_out = due - sum(counts.values())
    p99 = total.late.quantile(0.99)
    late_ms = p99.high_ns / 1e6 if p99 else float("nan")
    is_held = skipped == 0 and left_out <= due // 1000 and late_ms <= LATE_NS / 1e6
    print(
        f"{rate:>6}/s {'held' if is_held else 'not held'}: {due} checks due, "
        f"{ {seen.value: n for seen, n in counts.items()} }, not drawn {left_out}; "
        f"late p99 {late_ms:.0f} ms of {LATE_NS / 1e6:.0f}"
    )
    return is_held


def main() -> None:
    """Offer one rate after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="250,500,1000,2000,4000")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--keys", type=int, default=50_000)
    parser.add_argument("--lost", type=float, default=0.01)
    parser.add_argument("--node-reads-per-s", type=float, default=100)
    parser.add_argument("--batch", type=int, default=500)
    asked = vars(parser.parse_args())
    args = Arguments(**{**asked, "rates": [int(each) for each in asked["rates"].split(",")]})
    print(
        f"{NODES} nodes, {args.node_reads_per_s:g} batches/s each of {args.batch} keys, half of "
        f"them for checks at {len(HORIZONS_NS)} horizons; {args.lost:.1%} of the keys stale at one"
    )
    for rate in args.rates:
        asyncio.run(measure(rate, args))


if __name__ == "__main__":
    main()
