"""A full audit: a real Redis as origin and as two nodes, a real store, and writes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import redis

from collectors.base import Cache, Keyspace, Reply, SourceError, Target, unanswered
from collectors.budget import Budget
from collectors.journal import Ids, NodeSettings
from collectors.origin_redis import RedisOriginBinding, RedisOriginOptions, RedisOriginServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.sweep import Sweep
from collectors.throttle import ThrottledCache
from collectors.watch import Watch, WatchSettings
from freshness.model import Order
from freshness.rollup import SWEPT, Rollup
from stalewatch.clock import ObserverClock, wall_ns
from store.sqlite import SqliteStore
from store.sweeps import NodeSwept, SweepRow, total_of
from tests.servers import RedisServer as RealRedis

MS = 10**6
PRODUCT = Keyspace("product")
KEYS = 400
ASKED = SweepRow("s1", "product", "regional", "", "asked", 1, 1)


@dataclass
class Bench:
    """An origin in database 0, two nodes in databases 1 and 2, and what the watch stored."""

    client: redis.Redis
    nodes: list[redis.Redis]
    store: SqliteStore
    watch: Watch

    def fill(self, version: int = 1) -> None:
        values: dict[str, int] = {f"p:{n}": version for n in range(KEYS)}
        for client in (self.client, *self.nodes):
            client.mset(values)

    def sweep(self, row: SweepRow = ASKED) -> Sweep:
        return Sweep(row, self.watch, wall_ns)

    def stale(self) -> set[tuple[str, str]]:
        found = self.store.findings(limit=1_000).items
        return {(each.node, each.key) for each in found}

    def rollup(self) -> Rollup:
        cells = self.store.rollups("minute", 0, 2**62)
        return sum((cell for key, cell in cells if key.stratum == SWEPT), Rollup())


@pytest.fixture
def promise_ms() -> int:
    """For how long a copy may be stale."""
    return 100


@pytest.fixture
async def bench(redis_server: RealRedis, promise_ms: int) -> AsyncIterator[Bench]:
    clock, store, port = ObserverClock(), SqliteStore(), redis_server.port
    origin_server = RedisOriginServer(
        RedisOriginOptions(host="127.0.0.1", port=port, linearizable=True), clock.now_ns
    )
    binding = {"key": "p:{key}", "version": {"text": True}}
    origin = origin_server.open(RedisOriginBinding.model_validate(binding), PRODUCT)
    settings = WatchSettings("product", Order.COUNTER, 10**9, origin_name="shop")
    watch = Watch(settings, origin, Sampler([], 50), clock, Ids(), store.write)
    servers = []
    for number in (1, 2):
        server = RedisServer(
            Target(f"n{number}", "127.0.0.1", port), RedisOptions(database=number), clock.now_ns
        )
        servers.append(server)
        cache = server.open(RedisBinding.model_validate(binding), PRODUCT)
        budget = Budget(clock.now_ns(), 100_000, 10**9)
        watch.add_node(
            NodeSettings("regional", f"n{number}", "eu", "redis", "", "purge", promise_ms * MS),
            ThrottledCache(cache, budget, clock.now_ns, 10 * MS),
        )
    nodes = [redis.Redis(port=port, db=number) for number in (1, 2)]
    made = Bench(redis.Redis(port=port), nodes, store, watch)
    made.fill()
    yield made
    await watch.close()
    await origin_server.close()
    for each in servers:
        await each.close()
    store.close()


async def test_a_sweep_finds_all_and_only_the_stale_entries(bench: Bench) -> None:
    for n in (7, 77, 177):
        bench.client.set(f"p:{n}", 2)
    bench.nodes[0].set("p:7", 2)
    bench.nodes[1].delete("p:177", "p:200")
    row = await bench.sweep().run()
    assert row.state == "done"
    assert bench.stale() == {("n2", "7"), ("n1", "77"), ("n2", "77"), ("n1", "177")}
    one, two = row.nodes
    assert (one.right, one.wrong, one.entries, one.gone) == (KEYS - 2, 2, KEYS, 0)
    assert (two.right, two.wrong, two.entries, two.gone) == (KEYS - 4, 2, KEYS - 2, 2)
    assert (one.walked, two.walked) == (KEYS, KEYS - 2)
    assert bench.store.sweep("s1") == row
    # What is counted in the roll-ups is what the row says.
    counted = bench.rollup()
    assert (counted.fresh.n, counted.stale.n, counted.misses) == (2 * KEYS - 6, 4, 2)


@pytest.mark.parametrize("promise_ms", [3_600_000])
async def test_healthy_entries_leave_no_rows(bench: Bench) -> None:
    """However slow a look: within the hour they may be stale, none of it is in doubt."""
    row = await bench.sweep().run()
    assert [(each.right, each.entries) for each in row.nodes] == [(KEYS, KEYS)] * 2
    assert bench.rollup().fresh.n == 2 * KEYS
    assert bench.store.keys("product", limit=1_000) == []


async def test_entries_that_only_a_later_node_holds_are_swept_too(bench: Bench) -> None:
    only_second = [f"p:{n}" for n in range(100, 150)]
    bench.nodes[0].delete(*only_second)
    row = await bench.sweep().run()
    one, two = row.nodes
    assert (one.right, two.right) == (KEYS - 50, KEYS)
    # They were read at both nodes, and no entry was counted twice.
    assert one.gone == 50


async def test_writes_that_go_on_are_no_fault(bench: Bench) -> None:
    async def write() -> None:
        version = 1
        while True:
            version += 1
            for n in range(0, KEYS, 3):
                for client in (bench.client, *bench.nodes):
                    client.set(f"p:{n}", version)
                await asyncio.sleep(0.001)

    writing = asyncio.create_task(write())
    row = await bench.sweep().run()
    writing.cancel()
    assert bench.stale() == set()
    total = total_of(row.nodes)
    assert (total.wrong, total.entries) == (0, 2 * KEYS)


async def test_a_sweep_that_was_stopped_goes_on_and_counts_nothing_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.client.set("p:7", 2)
    monkeypatch.setattr("collectors.redis_walk.COUNT", 20)
    monkeypatch.setattr("collectors.redis_walk.FEWEST_KEYS", 20)
    put = bench.watch.put_sweep

    def put_and_stop(row: SweepRow) -> None:
        put(row)
        if row.state == "running" and row.nodes[0].walked > 60:
            raise asyncio.CancelledError

    with monkeypatch.context() as once:
        once.setattr(bench.watch, "put_sweep", put_and_stop)
        await asyncio.gather(bench.sweep().run(), return_exceptions=True)
    rested = bench.store.sweep("s1")
    assert rested is not None
    assert rested.state == "paused"
    assert 0 < total_of(rested.nodes).entries < 2 * KEYS
    row = await bench.sweep(rested).run()
    assert (row.state, row.started_at_ns) == ("done", rested.started_at_ns)
    total = total_of(row.nodes)
    assert (total.entries, total.wrong, total.walked) == (2 * KEYS, 2, 2 * KEYS)
    assert bench.stale() == {("n1", "7"), ("n2", "7")}


async def test_one_node_alone(bench: Bench) -> None:
    row = await bench.sweep(replace(ASKED, node="n2")).run()
    assert [(each.node, each.right) for each in row.nodes] == [("n2", KEYS)]


async def test_an_origin_that_does_not_answer_accuses_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = bench.watch.origin
    answer = origin.read

    async def refuse(keys: list[str]) -> Reply:
        reply = await answer(keys)
        return unanswered(keys, reply.start_ns, reply.end_ns, "it is down")

    monkeypatch.setattr(origin, "read", refuse)
    row = await bench.sweep().run()
    total = total_of(row.nodes)
    assert (total.unknown, total.entries) == (2 * KEYS, 0)
    assert bench.stale() == set()


async def test_a_node_that_cannot_be_walked_fails_by_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.sweep.AGAIN_S", 0.001)
    node = next(each for each in bench.watch.nodes if each.settings.name == "n1")
    cache: Cache = node.cache

    async def walk(cursor: str = "") -> None:
        raise SourceError("cannot list keys: NOPERM")

    monkeypatch.setattr(cache, "walk", walk)
    row = await bench.sweep().run()
    assert (row.state, row.why) == ("failed", "n1: cannot list keys: NOPERM")
    assert {each.node: each.right for each in row.nodes} == {"n1": KEYS, "n2": KEYS}


def test_sums_are_over_nodes() -> None:
    nodes = [NodeSwept("a", walked=2, right=1, wrong=1), NodeSwept("b", walked=1, gone=1)]
    total = total_of(nodes)
    assert (total.walked, total.entries, total.wrong, total.gone) == (3, 2, 1, 1)
