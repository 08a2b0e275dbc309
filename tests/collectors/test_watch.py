"""A keyspace under watch: a real Redis as origin, another as cache, a real store."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count

import pytest
import redis

from collectors.base import Keyspace, Target
from collectors.journal import Ids, NodeSettings
from collectors.origin_redis import RedisOriginBinding, RedisOriginOptions, RedisOriginServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.watch import Watch, WatchSettings
from freshness.counts import Counts
from freshness.model import Order, Result, Value, Verdict
from freshness.replay import parse
from freshness.rollup import Rollup
from freshness.strata import WALK
from stalewatch.clock import ObserverClock
from store.base import FindingRow
from store.sqlite import SqliteStore
from tests.servers import RedisServer as RealRedis
from tests.servers import eventually
from tests.store.rows import invalidation

PRODUCT = Keyspace("product")
KEYS = [str(n) for n in range(10)]
MAX_STALENESS_NS = 300_000_000  # a busy machine takes its time between two reads
FAR_NS = 2**63 - 1
FAR_S = 2**40


@dataclass
class Bench:
    """An origin in database 0, two nodes in databases 1 and 2, and what the watch stored."""

    client: redis.Redis
    nodes: list[redis.Redis]
    watch: Watch
    store: SqliteStore

    def write(self, key: str, version: int, nodes: tuple[int, ...] = (0, 1)) -> None:
        self.client.set(key, version)
        for node in nodes:
            self.nodes[node].set(key, version)

    def findings(self) -> list[FindingRow]:
        return list(self.store.findings().items)

    def totals(self, stratum: str = WALK) -> Rollup:
        cells = self.store.rollups("minute", 0, FAR_NS)
        return sum((cell for key, cell in cells if key.stratum == stratum), Rollup())

    def seconds(self) -> dict[str, Counts]:
        """Of the copies of each node."""
        nodes: defaultdict[str, Counts] = defaultdict(Counts)
        for (_, name, _), counts in self.store.copy_times("product", 60, 0, FAR_S).items():
            nodes[name] = nodes[name].plus(counts)
        return nodes


@contextlib.asynccontextmanager
async def dead_node(watch: Watch) -> AsyncIterator[None]:
    """A node of the watch at an address where nobody listens."""
    dead = RedisServer(Target("dead", "127.0.0.1", 1), RedisOptions(), ObserverClock().now_ns)
    binding = RedisBinding.model_validate({"key": "{key}", "version": {"text": True}})
    watch.add_node(
        NodeSettings("regional", "dead", "us", "redis", "", "purge", MAX_STALENESS_NS),
        dead.open(binding, PRODUCT),
    )
    yield
    await dead.close()


@pytest.fixture
async def bench(redis_server: RealRedis) -> AsyncIterator[Bench]:
    clock = ObserverClock()
    store = SqliteStore()
    port = redis_server.port
    binding = {"version": {"text": True}}
    origin_server = RedisOriginServer(
        RedisOriginOptions(host="127.0.0.1", port=port, linearizable=True), clock.now_ns
    )
    origin = origin_server.open(RedisOriginBinding.model_validate(binding), PRODUCT)
    settings = WatchSettings("product", Order.COUNTER, interval_ns=10**9, origin_name="shop")
    watch = Watch(settings, origin, Sampler(KEYS, 50), clock, Ids(), store.write)
    servers: list[RedisServer] = []
    for number in (1, 2):
        server = RedisServer(
            Target(f"n{number}", "127.0.0.1", port), RedisOptions(database=number), clock.now_ns
        )
        servers.append(server)
        watch.add_node(
            NodeSettings("regional", f"n{number}", "eu", "redis", "", "purge", MAX_STALENESS_NS),
            server.open(RedisBinding.model_validate({**binding, "key": "{key}"}), PRODUCT),
        )
    nodes = [redis.Redis(port=port, db=number) for number in (1, 2)]
    made = Bench(redis.Redis(port=port), nodes, watch, store)
    for key in KEYS:
        made.write(key, 1)
    yield made
    await watch.close()
    await origin_server.close()
    for each in servers:
        await each.close()
    for client in (made.client, *nodes):
        client.close()
    store.close()


async def test_a_coherent_cache_is_fresh_and_costs_no_rows(bench: Bench) -> None:
    for _ in range(5):
        await bench.watch.run_round()
    totals = bench.totals()
    assert (totals.fresh.n, totals.judged.n) == (100, 100)
    assert bench.findings() == []
    assert bench.store.reads() == []
    await bench.watch.extend()
    spans = bench.store.spans("product", "3", 0, FAR_NS)
    assert [(span.layer, span.count) for span in spans] == [
        ("", 5),
        ("regional", 5),
        ("regional", 5),
    ]


async def test_a_stale_copy_is_found_confirmed_and_healed_with_its_evidence(bench: Bench) -> None:
    await bench.watch.run_round()
    bench.write("3", 2, nodes=(0,))

    async def confirmed() -> bool:
        await bench.watch.run_round()
        return any(finding.state == "confirmed" for finding in bench.findings())

    await eventually(confirmed, "a confirmed finding")
    [finding] = bench.findings()
    assert (finding.key, finding.node, finding.held, finding.latest) == (
        "3",
        "n2",
        Value(1),
        Value(2),
    )
    assert finding.lower_ns > MAX_STALENESS_NS

    bench.write("3", 2)
    await bench.watch.run_round()
    [healed] = bench.findings()
    assert (healed.id, healed.state) == (finding.id, "healed")
    assert healed.healed_at_ns is not None

    replay = parse(line.encode() for line in healed.evidence.splitlines())
    verdicts = [judgement.verdict for _, judgement in replay.judge(MAX_STALENESS_NS * 10**9)]
    assert verdicts == [Verdict.STALE, Verdict.STALE]


async def test_counts_agree_with_the_rows_of_reads_that_were_not_fresh(bench: Bench) -> None:
    await bench.watch.run_round()
    versions = count(2)

    async def some_stale() -> bool:
        bench.write("3", next(versions), nodes=(0,))
        bench.write("4", 2, nodes=())
        await bench.watch.run_round()
        return bench.totals().stale.n > 5

    await eventually(some_stale, "reads proven stale")
    await bench.watch.close()
    rows = [row for row, _ in bench.store.reads()]
    counted = sum((cell for _, cell in bench.store.rollups("minute", 0, FAR_NS)), Rollup())
    assert len([row for row in rows if row.verdict is Verdict.STALE]) == counted.stale.n
    assert len([r for r in rows if r.verdict is Verdict.INDETERMINATE]) == counted.indeterminate.n
    assert counted.stale.n > 0


async def test_a_copy_that_catches_up_in_time_is_no_finding(bench: Bench) -> None:
    await bench.watch.run_round()
    bench.write("3", 2, nodes=(0,))
    await bench.watch.run_round()
    bench.write("3", 2)
    await asyncio.gather(*bench.watch.waiting())
    await bench.watch.run_round()
    assert all(finding.state != "confirmed" for finding in bench.findings())


async def test_a_node_that_is_down_is_unknown_and_costs_the_others_nothing(bench: Bench) -> None:
    async with dead_node(bench.watch):
        await bench.watch.run_round()
    totals = bench.totals()
    assert (totals.fresh.n, totals.unanswered, totals.unknown.n) == (20, 10, 10)
    [row] = [row for row in bench.store.nodes() if row.node == "dead"]
    assert (row.state, row.why) == ("unknown", "connection refused")


async def test_an_origin_that_cannot_be_read_makes_copies_unknown_never_stale(bench: Bench) -> None:
    bench.watch.drop_node("regional", "n2")
    await bench.watch.run_round()
    bench.client.set("3", "no number")

    async def unknown() -> bool:
        # Until the maximum staleness has passed, the last readable word certifies the copy.
        await bench.watch.run_round()
        return bench.totals().unknown.n > 0

    await eventually(unknown, "an unknown copy")
    totals = bench.totals()
    assert (totals.stale.n, totals.indeterminate.n) == (0, 0)


async def test_a_miss_is_neither_fresh_nor_stale(bench: Bench) -> None:
    bench.nodes[0].delete("3")
    await bench.watch.run_round()
    totals = bench.totals()
    assert (totals.fresh.n, totals.misses, totals.judged.n) == (19, 1, 19)


async def test_a_value_without_a_version_is_unreadable(bench: Bench) -> None:
    bench.nodes[0].set("3", "no number")
    await bench.watch.run_round()
    totals = bench.totals()
    assert (totals.fresh.n, totals.unreadable, totals.unknown.n) == (19, 1, 1)


async def test_a_new_clock_epoch_keeps_what_was_proven_and_certifies_anew(bench: Bench) -> None:
    await bench.watch.run_round()
    bench.watch.begin_epoch()
    await bench.watch.run_round()
    assert bench.totals().fresh.n == 40
    spans = bench.store.spans("product", "3", 0, FAR_NS)
    assert {span.ended_by for span in spans} == {"clock", ""}


async def test_a_node_that_discovery_drops_is_gone_with_its_findings(bench: Bench) -> None:
    await bench.watch.run_round()
    bench.write("3", 2, nodes=(0,))

    async def found() -> bool:
        await bench.watch.run_round()
        return bool(bench.findings())

    await eventually(found, "a finding")
    bench.watch.drop_node("regional", "n2")
    assert {finding.state for finding in bench.findings()} == {"gone"}
    assert [row.state for row in bench.store.nodes() if row.node == "n2"] == ["gone"]


async def test_a_negative_copy_of_a_row_that_is_gone_is_fresh(bench: Bench) -> None:
    bench.client.delete("3")
    bench.nodes[0].delete("3")
    bench.nodes[1].delete("3")
    await bench.watch.run_round()
    origin = [s for s in bench.store.spans("product", "3", 0, FAR_NS) if s.layer == ""]
    assert [(span.result, span.value) for span in origin] == [(Result.VALUE, Value(absent=True))]


async def test_findings_that_an_earlier_process_left_open_are_taken_up(bench: Bench) -> None:
    await bench.watch.run_round()
    bench.write("3", 2, nodes=(0,))

    async def confirmed() -> bool:
        await bench.watch.run_round()
        return any(finding.state == "confirmed" for finding in bench.findings())

    await eventually(confirmed, "a confirmed finding")
    [left_open] = bench.findings()
    elsewhere = replace(left_open, id="elsewhere", node="n9")

    bench.watch.begin_epoch()
    [node] = [node for node in bench.watch.nodes if node.settings.name == "n2"]
    node.findings = replace(node.findings, _open={})
    bench.watch.resume([left_open, elsewhere, replace(left_open, id="no key", key="dropped")])
    bench.watch.release("regional")
    bench.write("3", 2)
    await bench.watch.run_round()
    states = {finding.id: finding.state for finding in bench.findings()}
    assert states == {left_open.id: "healed", "elsewhere": "gone", "no key": "gone"}


async def test_a_message_that_came_after_its_commit_bounds_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.watch.SETTLING_NS", 1_000_000)
    await bench.watch.run_round()
    row = replace(invalidation(1), keys=("3", "unlisted"), version=2)
    bench.watch.learn([row])
    bench.write("3", 2, nodes=(0,))

    async def found() -> bool:
        await bench.watch.run_round()
        return bool(bench.findings())

    await eventually(found, "the copy that stayed behind is found")
    [finding] = bench.findings()
    assert (finding.key, finding.node) == ("3", "n2")
    assert '"invalidation"' in finding.evidence
    replay = parse(line.encode() for line in finding.evidence.splitlines())
    assert [each.verdict for _, each in replay.judge(MAX_STALENESS_NS)] != []


async def test_a_message_of_a_key_that_is_not_listed_leaves_nothing(bench: Bench) -> None:
    bench.watch.learn([replace(invalidation(1), keys=("unlisted",), version=2)])
    await bench.watch.run_round()
    assert bench.findings() == []


async def test_a_message_that_the_origin_does_not_bear_out_accuses_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source replays a version that a restore of the origin has undone."""
    monkeypatch.setattr("collectors.watch.SETTLING_NS", 1_000_000)
    await bench.watch.run_round()
    bench.watch.learn([replace(invalidation(1), keys=("3",), version=50)])
    began = bench.watch.rounds
    await asyncio.sleep(MAX_STALENESS_NS / 1e9 + 0.05)
    while bench.watch.rounds < began + 3:
        await bench.watch.run_round()
    totals = bench.totals()
    assert (totals.stale.n, totals.fresh.n) == (0, totals.judged.n)
    assert bench.findings() == []


async def test_seconds_of_a_copy_that_nobody_invalidates_are_counted(bench: Bench) -> None:
    """Real time passes: of 20 copies one is stale, from its maximum staleness on."""
    await bench.watch.run_round()
    bench.write("3", 2, nodes=(0,))
    written = time.monotonic_ns()

    def seconds() -> dict[tuple[str, str, str], float]:
        return dict(bench.store.stale_seconds("product", 60, 0, FAR_S))

    async def stale() -> bool:
        await bench.watch.run_round()
        return sum(seconds().values()) > 0.2

    await eventually(stale, "a fifth of a second that is proven stale")
    most_s = (time.monotonic_ns() - written - MAX_STALENESS_NS) / 10**9
    [(copy, stale_s)] = seconds().items()
    assert copy == ("regional", "n2", "3")
    assert stale_s <= most_s

    bench.write("3", 2)
    for _ in range(3):
        await bench.watch.run_round()
    by_node = bench.seconds()
    assert by_node["n1"].bad == by_node["n1"].unknown == 0
    assert by_node["n2"].bad >= 1
    assert sum(seconds().values()) == pytest.approx(by_node["n2"].bad_weight)
    # The other nine were fresh all along; when the one was replaced is not known.
    assert by_node["n1"].good_weight == pytest.approx(by_node["n1"].judged_weight, rel=0.1)
    assert by_node["n2"].judged_weight == pytest.approx(by_node["n1"].judged_weight, rel=0.1)


async def test_seconds_of_a_node_that_is_down_are_not_counted(bench: Bench) -> None:
    async with dead_node(bench.watch):
        for _ in range(2):
            await bench.watch.run_round()
    cell = bench.seconds()["dead"]
    assert (cell.judged, cell.judged_weight) == (0, 0.0)
    assert cell.unknown >= len(KEYS)
