"""Event-triggered checks: a real Redis as origin, another as two nodes, a real store."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis

from collectors.base import Keyspace, Target
from collectors.budget import Budget
from collectors.journal import Ids, NodeSettings
from collectors.origin_redis import RedisOriginBinding, RedisOriginOptions, RedisOriginServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.throttle import ThrottledOrigin
from collectors.watch import Watch, WatchSettings
from freshness.check import CheckCell, Checked, Seen
from freshness.model import Order
from freshness.rollup import Rollup
from freshness.strata import RECHECK
from stalewatch.clock import ObserverClock
from store.messages import InvalidationRow
from store.sqlite import SqliteStore
from tests.servers import RedisServer as RealRedis
from tests.servers import eventually
from tests.store.rows import invalidation

MS = 10**6
PRODUCT = Keyspace("product")
HORIZONS_NS = (0, 150 * MS, 400 * MS)
FAR_NS = 2**62


@dataclass
class Bench:
    """An origin in database 0, two nodes in databases 1 and 2, and what the watch stored."""

    client: redis.Redis
    nodes: list[redis.Redis]
    clock: ObserverClock
    store: SqliteStore
    watch: Watch
    suspects: dict[str, int]

    def write(self, key: str, version: int, nodes: Sequence[int] = (0, 1)) -> None:
        self.client.set(key, version)
        for node in nodes:
            self.nodes[node].set(key, version)

    def message(self, key: str, version: int | None, **changes: Any) -> InvalidationRow:
        now_ns = self.clock.now_ns() + self.clock.as_row().wall_offset_ns
        asked: dict[str, Any] = {
            "id": f"{key}-{version}", "keys": (key,), "received_at_ns": now_ns, **changes,
        }  # fmt: skip
        return replace(invalidation(1), version=version, **asked)

    def seen(self, node: str) -> list[dict[Seen, Checked]]:
        """The outcomes at a node, by horizon."""
        cells = {horizon: CheckCell() for horizon in HORIZONS_NS}
        for key, cell in self.store.checks(0, FAR_NS):
            if key.node == node:
                cells[key.horizon_ns] += cell
        return [cell.seen for cell in cells.values()]

    def counted(self) -> int:
        checks = self.store.checks(0, FAR_NS)
        return sum(n for _, cell in checks for n, _ in cell.seen.values())

    async def count_is(self, n: int) -> None:
        await eventually(lambda: self.counted() >= n, f"{n} checks are counted")
        assert self.counted() == n


@pytest.fixture
async def bench(redis_server: RealRedis) -> AsyncIterator[Bench]:
    async for made in benches(redis_server.port, origin_reads_per_s=1_000):
        yield made


@pytest.fixture
async def starved(redis_server: RealRedis) -> AsyncIterator[Bench]:
    """Its origin may be asked once an hour."""
    async for made in benches(redis_server.port, origin_reads_per_s=1 / 3_600):
        yield made


async def benches(port: int, origin_reads_per_s: float) -> AsyncIterator[Bench]:
    clock, store, suspects = ObserverClock(), SqliteStore(), {"asked": 0, "starved": 0}
    binding = {"version": {"text": True}}
    origin_server = RedisOriginServer(
        RedisOriginOptions(host="127.0.0.1", port=port, linearizable=True), clock.now_ns
    )
    origin = ThrottledOrigin(
        origin_server.open(RedisOriginBinding.model_validate(binding), PRODUCT),
        Budget(clock.now_ns(), origin_reads_per_s),
        clock.now_ns,
        patience_ns=10 * MS,
    )

    def note(outcome: str, n: int) -> None:
        suspects[outcome] += n

    settings = WatchSettings(
        "product", Order.COUNTER, 10**9, origin_name="shop", horizons_ns=HORIZONS_NS
    )
    watch = Watch(
        settings, origin, Sampler(["1", "2"], 50), clock, Ids(), store.write, suspected=note
    )
    servers = []
    for number in (1, 2):
        server = RedisServer(
            Target(f"n{number}", "127.0.0.1", port), RedisOptions(database=number), clock.now_ns
        )
        servers.append(server)
        node = NodeSettings("regional", f"n{number}", "eu", "redis", "", "purge", 50 * MS)
        watch.add_node(
            replace(node, checks_per_s=1_000),
            server.open(RedisBinding.model_validate({**binding, "key": "{key}"}), PRODUCT),
        )
    nodes = [redis.Redis(port=port, db=number) for number in (1, 2)]
    yield Bench(redis.Redis(port=port), nodes, clock, store, watch, suspects)
    await watch.close()
    await origin_server.close()
    for each in servers:
        await each.close()
    store.close()


async def test_a_version_that_arrived_everywhere_is_visible_at_each_horizon(bench: Bench) -> None:
    bench.write("1", 2)
    bench.watch.hear([bench.message("1", 2)])
    await bench.count_is(2 * len(HORIZONS_NS))
    for node in ("n1", "n2"):
        assert bench.seen(node) == [{Seen.VISIBLE: Checked(1, 1.0)}] * 3
    assert bench.suspects == {"asked": 0, "starved": 0}
    # They are in a stratum of their own: no verdict was passed, no origin was asked.
    assert bench.store.rollups("minute", 0, FAR_NS) == []


async def test_a_node_that_stays_behind_is_suspected_proven_and_found(bench: Bench) -> None:
    bench.write("1", 1)
    bench.write("1", 2, nodes=[0])
    bench.watch.hear([bench.message("1", 2)])
    await bench.count_is(2 * len(HORIZONS_NS))
    assert bench.seen("n1") == [{Seen.VISIBLE: Checked(1, 1.0)}] * 3
    assert bench.seen("n2") == [{Seen.BEHIND: Checked(1, 1.0)}] * 3
    await eventually(
        lambda: any(each.state == "confirmed" for each in bench.store.findings().items),
        "the finding is confirmed",
    )
    [finding] = bench.store.findings().items
    assert (finding.key, finding.node, finding.held.version) == ("1", "n2", 1)
    assert bench.suspects["asked"] >= 1


async def test_a_message_of_a_write_that_never_was_accuses_nobody(bench: Bench) -> None:
    bench.write("1", 1)
    bench.watch.hear([bench.message("1", 2)])
    await bench.count_is(2 * len(HORIZONS_NS))
    assert bench.seen("n1") == [{Seen.BEHIND: Checked(1, 1.0)}] * 3
    await eventually(lambda: bench.suspects["asked"] >= 2, "the origin is asked")
    await bench.watch.close()
    assert bench.store.findings().items == []
    cells = bench.store.rollups("minute", 0, FAR_NS)
    judged = sum((cell for key, cell in cells if key.stratum == RECHECK), Rollup())
    assert judged.stale.n == 0
    assert judged.judged.n >= 2


async def test_several_events_of_one_key_share_its_reads(bench: Bench) -> None:
    bench.write("1", 30)
    at_ns = bench.message("1", 1).received_at_ns
    together = [bench.message("1", n, received_at_ns=at_ns) for n in range(1, 31)]
    bench.watch.hear(together)
    await bench.count_is(2 * 30 * len(HORIZONS_NS))
    await bench.watch.extend()
    [run] = [s for s in bench.store.spans("product", "1", 0, FAR_NS) if s.node == "n1"]
    assert run.count == len(HORIZONS_NS)


async def test_a_copy_that_is_gone_and_a_value_without_a_version(bench: Bench) -> None:
    bench.write("1", 2, nodes=[])
    for node in bench.nodes:
        node.set("2", "nonsense")
    bench.write("2", 2, nodes=[])
    bench.watch.hear([bench.message("1", 2), bench.message("2", 2)])
    await bench.count_is(4 * len(HORIZONS_NS))
    both = {Seen.GONE: Checked(1, 1.0), Seen.AMBIGUOUS: Checked(1, 1.0)}
    assert bench.seen("n1") == [both] * 3
    # What no order decides is parked until the horizon at which the origin is asked.
    await eventually(lambda: bench.suspects["asked"] >= 2, "the ambiguous copies are asked for")


async def test_the_same_message_again_changes_nothing(bench: Bench) -> None:
    bench.write("1", 2)
    message = bench.message("1", 2)
    bench.watch.hear([message])
    bench.watch.hear([message])
    await bench.count_is(2 * len(HORIZONS_NS))


async def test_a_broad_message_has_keys_asked_for_origin_first(bench: Bench) -> None:
    bench.write("1", 1)
    bench.write("1", 2, nodes=[0])
    bench.write("2", 1)
    bench.watch.hear([bench.message("", None, id="p", scope="prefix", keys=("1",))])
    await eventually(lambda: bench.store.findings().items, "the stale copy is found")
    await eventually(lambda: bench.suspects["asked"] >= 6, "each horizon, at both nodes")
    assert {each.key for each in bench.store.findings().items} == {"1"}
    assert bench.counted() == 0


async def test_what_the_origins_budget_starves_is_counted_and_accuses_nobody(
    starved: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.suspects.PATIENCE_NS", 100 * MS)
    starved.write("1", 1)
    starved.write("1", 2, nodes=[0])
    await starved.watch.run_round()  # spends what there is
    starved.watch.hear([starved.message("1", 2)])
    await eventually(lambda: starved.suspects["starved"] >= 1, "the suspect is starved")
    assert starved.suspects["asked"] == 0


async def test_horizons_that_a_restart_missed_are_gaps(bench: Bench) -> None:
    bench.write("1", 2)
    now = bench.clock.now_ns()
    offset = bench.clock.as_row().wall_offset_ns
    received = now - 2 * 10**9
    row = bench.message("1", 2, received_at_ns=received + offset)
    # The process was there for the first horizon, and not for those after it.
    bench.watch.resume_checks([row], received + 100 * MS)
    await bench.count_is(2 * 2)
    assert bench.seen("n1") == [{}] + [{Seen.SKIPPED: Checked(1, 1.0)}] * 2


async def test_horizons_to_come_go_on_after_a_restart(bench: Bench) -> None:
    bench.write("1", 2)
    row = bench.message("1", 2)
    bench.watch.resume_checks([row], bench.clock.now_ns())
    bench.watch.hear([row])  # the exporter sends it again: it is known
    await bench.count_is(2 * len(HORIZONS_NS))
    assert bench.seen("n2") == [{Seen.VISIBLE: Checked(1, 1.0)}] * 3


async def test_a_key_that_only_an_event_made_known_is_forgotten(bench: Bench) -> None:
    bench.write("new", 2)
    bench.watch.hear([bench.message("new", 2), bench.message("1", 2)])
    await bench.count_is(4 * len(HORIZONS_NS))
    [node, _] = bench.watch.nodes
    await eventually(lambda: node.runs.get("new") is None, "the key is let go")
    assert node.runs.get("1") is not None


async def test_a_node_that_is_down_is_unanswered_and_delays_nobody(bench: Bench) -> None:
    bench.write("1", 2)
    down = RedisServer(Target("n3", "127.0.0.1", 1), RedisOptions(), bench.clock.now_ns)
    node = NodeSettings("regional", "n3", "eu", "redis", "", "purge", 50 * MS, checks_per_s=1_000)
    binding = RedisBinding.model_validate({"version": {"text": True}, "key": "{key}"})
    bench.watch.add_node(node, down.open(binding, PRODUCT))
    bench.watch.hear([bench.message("1", 2)])
    await bench.count_is(3 * len(HORIZONS_NS))
    assert bench.seen("n3") == [{Seen.UNANSWERED: Checked(1, 1.0)}] * 3
    assert bench.seen("n1") == [{Seen.VISIBLE: Checked(1, 1.0)}] * 3
    bench.watch.drop_node("regional", "n3")
    await asyncio.sleep(0)
    await down.close()
