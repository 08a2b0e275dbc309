"""Layers whose nodes hold a part of the keys: real Redis servers, wired as a config says."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors.base import Reply
from collectors.discovery import Discovery
from collectors.event_checks import BROAD_KEYS
from collectors.journal import Ids
from collectors.placement import Ring, RingOptions, Share
from collectors.redis import grants
from collectors.redis_server import RedisLayerOptions
from collectors.redis_slots import slot_of
from collectors.redis_value import RedisBinding
from collectors.sweep import Sweep
from collectors.watch import Watch
from freshness.check import Seen
from freshness.rollup import Rollup
from freshness.strata import RECHECK, WALK
from stalewatch.clock import ObserverClock, wall_ns
from stalewatch.config import load
from stalewatch.reach import look
from stalewatch.wiring import Wiring, watch_all, wire
from store.base import FindingRow
from store.messages import InvalidationRow
from store.sqlite import SqliteStore
from store.sweeps import SweepRow
from tests.servers import RedisCluster, RedisServer, SentinelServer, eventually

KEYS = 60
CONFIG = """\
store: {{path: sw.db}}
origins:
  shop: {{kind: redis, host: 127.0.0.1, port: {origin}, linearizable: true, limit: 1000/s}}
layers:
  cache:
    kind: redis
    mechanism: purge
    max_staleness: 300ms
    limit: 1000/s
    placement: {placement}
    read_timeout: 300ms
    nodes: {nodes}
keyspaces:
  product:
    origin: {{name: shop, key: "p:{{key}}", version: {{text: true}}}}
    version: {{type: integer, order: counter}}
    layers:
      cache: {{key: "p:{{key}}", version: {{text: true}}}}
    keys: {{range: {{from: 0, to: 59}}}}
    checks: {{horizons: [0ms]}}
    sample: {{size: 60, recent: 0%, random: 100%, interval: 1s}}
"""


@dataclass
class Bench:
    """An origin, a layer whose nodes `owners` gives by key, and what the watch stored."""

    origin: RedisServer
    wiring: Wiring
    store: SqliteStore

    @property
    def watch(self) -> Watch:
        return self.wiring.watches["product"]

    def findings(self) -> list[FindingRow]:
        return list(self.store.findings(limit=1_000).items)

    def totals(self, node: str = "") -> Rollup:
        cells = self.store.rollups("minute", 0, 2**62)
        mine = (c for k, c in cells if k.stratum == WALK and node in ("", k.node))
        return sum(mine, Rollup())

    async def round(self, node: str = "") -> Rollup:
        """What one more round counts, at one node or at all."""
        before = self.totals(node)
        await self.watch.run_round()
        return self.totals(node) - before

    async def sweep(self) -> SweepRow:
        return await Sweep(
            SweepRow("s1", "product", "cache", "", "asked", 1, 1), self.watch, wall_ns
        ).run()


@asynccontextmanager
async def watching(
    folder: Path, origin: RedisServer, placement: str, nodes: str
) -> AsyncIterator[Bench]:
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(origin=origin.port, placement=placement, nodes=nodes))
    store = SqliteStore()
    wiring = wire(load(file), ObserverClock())
    try:
        await watch_all(wiring, Ids(), store.write)
        yield Bench(origin, wiring, store)
    finally:
        await wiring.close()
        store.close()


def write(server: RedisServer, version: int, keys: Iterable[int]) -> None:
    for key in keys:
        server.client.set(f"p:{key}", version)


def slot(key: int) -> int:
    return slot_of(f"p:{key}".encode())


def fill(cluster: RedisCluster, origin: RedisServer, version: int = 1) -> None:
    """Write all keys at the origin and where the cluster serves them, its replicas too."""
    write(origin, version, range(KEYS))
    for key in range(KEYS):
        write(cluster.owner(slot(key)), version, [key])
    for replica in cluster.replicas:
        cluster.masters[0].client.wait(len(cluster.replicas), 10_000)
        assert replica.is_running


def seed(cluster: RedisCluster) -> str:
    return f'[{{static: "127.0.0.1:{cluster.masters[1].port}", region: eu}}]'


def held_by(cluster: RedisCluster, number: int) -> list[int]:
    return [n for n in range(KEYS) if cluster.owner(slot(n)) is cluster.masters[number]]


@pytest.fixture(scope="module")
def quiet_cluster() -> Iterator[RedisCluster]:
    """A cluster that no test in here kills nodes of, or moves slots in."""
    with RedisCluster() as cluster:
        yield cluster


async def test_a_cluster_is_found_from_one_seed_and_each_node_read_for_its_own_keys(
    tmp_path: Path, quiet_cluster: RedisCluster, redis_server: RedisServer
) -> None:
    fill(quiet_cluster, redis_server)
    async with watching(tmp_path, redis_server, "cluster", seed(quiet_cluster)) as bench:
        names = {node.settings.name for node in bench.watch.nodes}
        assert names == {each.address for each in quiet_cluster.nodes}
        assert {node.settings.region for node in bench.watch.nodes} == {"eu"}
        counted = await bench.round()
        first = len(held_by(quiet_cluster, 0))
        # Each key at its master, and those of the first master at its replica too.
        assert (counted.fresh.n, counted.judged.n) == (KEYS + first, KEYS + first)
        assert (counted.unknown.n, counted.misses) == (0, 0)
        assert bench.totals(quiet_cluster.replicas[0].address).fresh.n == first


async def test_a_replica_that_lags_is_stale_and_its_master_is_not(
    tmp_path: Path, quiet_cluster: RedisCluster, redis_server: RedisServer
) -> None:
    fill(quiet_cluster, redis_server)
    master, replica = quiet_cluster.masters[0], quiet_cluster.replicas[0]
    key = held_by(quiet_cluster, 0)[0]
    async with watching(tmp_path, redis_server, "cluster", seed(quiet_cluster)) as bench:
        await bench.round()
        replica.client.config_set("masterauth", "of nobody")
        master.client.execute_command("CLIENT KILL TYPE replica")  # type: ignore[no-untyped-call]
        try:
            write(redis_server, 2, [key])
            write(master, 2, [key])

            async def confirmed() -> bool:
                await bench.watch.run_round()
                return any(each.state == "confirmed" for each in bench.findings())

            await eventually(confirmed, "the replica is found stale")
            [found] = bench.findings()
            assert (found.node, found.key) == (replica.address, str(key))
        finally:
            replica.client.config_set("masterauth", "")

        async def healed() -> bool:
            await bench.watch.run_round()
            return bench.findings()[0].state == "healed"

        await eventually(healed, "the replica has caught up")


async def test_a_sweep_of_a_cluster_counts_each_node_for_what_it_serves(
    tmp_path: Path, quiet_cluster: RedisCluster, redis_server: RedisServer
) -> None:
    fill(quiet_cluster, redis_server)
    async with watching(tmp_path, redis_server, "cluster", seed(quiet_cluster)) as bench:
        row = await bench.sweep()
        right = {each.node: (each.right, each.misplaced, each.gone) for each in row.nodes}
        of_first = len(held_by(quiet_cluster, 0))
        assert right[quiet_cluster.masters[0].address] == (of_first, 0, 0)
        assert right[quiet_cluster.replicas[0].address] == (of_first, 0, 0)
        assert sum(each.right for each in row.nodes) == KEYS + of_first
        assert row.state == "done"


async def test_the_printed_grants_are_enough_in_a_cluster(
    tmp_path: Path,
    quiet_cluster: RedisCluster,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(quiet_cluster, redis_server)
    monkeypatch.setenv("CLUSTER_PW", "pw")
    options = RedisLayerOptions(placement="cluster")
    binding = RedisBinding.model_validate({"key": "p:{key}", "version": {"text": True}})
    rule = grants(options, {"product": binding}).replace("PASSWORD", "pw")
    rule = rule.replace("+client|no-touch ", "")  # of 7.2
    nodes = seed(quiet_cluster) + "\n    auth: {username: stalewatch, password: {env: CLUSTER_PW}}"
    for node in quiet_cluster.nodes:
        node.run(*rule.split(" "))
    async with watching(tmp_path, redis_server, "cluster", nodes) as bench:
        counted = await bench.round()
        assert (counted.fresh.n, counted.unknown.n) == (KEYS + len(held_by(quiet_cluster, 0)), 0)
        for node in quiet_cluster.nodes:
            node.run("ACL", "SETUSER", "stalewatch", "-cluster|nodes")
        await bench.wiring.discover()
        # The last word on the cluster stands, and so do the nodes.
        assert "may not run CLUSTER NODES" in " ".join(bench.wiring.layers["cache"].problems)
        assert (await bench.round()).fresh.n == counted.fresh.n


async def test_check_compares_each_key_at_those_who_hold_it(
    tmp_path: Path, quiet_cluster: RedisCluster, redis_server: RedisServer
) -> None:
    fill(quiet_cluster, redis_server)
    async with watching(tmp_path, redis_server, "cluster", seed(quiet_cluster)) as bench:
        report = await look(bench.wiring.config, ObserverClock())
    [compared] = report.keyspaces
    assert 20 <= compared.pairs["cache"] <= 40
    assert "moved" not in compared.found["cache"]
    roles = sorted(each.server.split()[-1] for each in report.servers if each.layer)
    assert roles == ["master", "master", "master", "slave"]


async def test_slots_that_move_while_they_are_probed_make_nothing_stale(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with RedisCluster(replicas=0) as cluster:
        fill(cluster, redis_server)
        moving = held_by(cluster, 0)[:6]
        source, to = cluster.masters[0], cluster.masters[2]
        async with watching(tmp_path, redis_server, "cluster", seed(cluster)) as bench:
            assert (await bench.round()).fresh.n == KEYS
            for key in moving:
                cluster.move_slot(slot(key), to, only_begin=True)
            # Its entry has gone ahead; the node that serves the slot says so.
            counted = await bench.round()
            assert (counted.unknown.n, counted.stale.n) == (len(moving), 0)
            assert (await bench.round(to.address)).unknown.n == 0
            row = await bench.sweep()
            assert [each.misplaced for each in row.nodes] == [0, 0, 0]
            for key in moving:
                cluster.end_move(slot(key), to)
            # The map of before still stands: who served it points elsewhere.
            row = await bench.sweep()
            assert [each.misplaced for each in row.nodes] == [0, 0, 0]
            assert (await bench.round(source.address)).unknown.n == len(moving)
            await bench.wiring.follow_moves()
            counted = await bench.round()
            assert (counted.fresh.n, counted.unknown.n, counted.misses) == (KEYS, 0, 0)
            known = {key for n in bench.watch.nodes for key, _ in n.runs.items() if n.holds(key)}
            all_known = [key for node in bench.watch.nodes for key, _ in node.runs.items()]
            assert sorted(known) == sorted(all_known)
            assert bench.findings() == []
            # What is stale at its new place is found there alone.
            write(redis_server, 2, [moving[0]])

            async def confirmed() -> bool:
                await bench.watch.run_round()
                return any(each.state == "confirmed" for each in bench.findings())

            await eventually(confirmed, "the copy is found stale")
            assert {each.node for each in bench.findings()} == {to.address}


async def test_a_finding_on_a_key_that_moves_away_is_gone_not_healed(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with RedisCluster(replicas=0) as cluster:
        fill(cluster, redis_server)
        key = held_by(cluster, 0)[0]
        async with watching(tmp_path, redis_server, "cluster", seed(cluster)) as bench:
            await bench.round()
            write(redis_server, 2, [key])

            async def found() -> bool:
                await bench.watch.run_round()
                return bool(bench.findings())

            await eventually(found, "the copy is found stale")
            cluster.move_slot(slot(key), cluster.masters[1])
            await bench.wiring.discover()
            at_source = [f for f in bench.findings() if f.node == cluster.masters[0].address]
            assert [each.state for each in at_source] == ["gone"]


async def test_a_node_that_is_killed_is_unknown_until_it_is_back(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with RedisCluster(replicas=0) as cluster:
        fill(cluster, redis_server)
        dead = cluster.masters[2]
        its_keys = held_by(cluster, 2)
        async with watching(tmp_path, redis_server, "cluster", seed(cluster)) as bench:
            await bench.round()
            dead.kill()
            assert (await bench.round(dead.address)).unknown.n == len(its_keys)

            async def is_listed_as_failed() -> bool:
                nodes = cluster.masters[0].run("CLUSTER NODES")
                return "fail" in nodes[dead.address]["flags"].split(",")

            await eventually(is_listed_as_failed, "the cluster knows")
            await bench.wiring.discover()
            assert dead.address in {node.settings.name for node in bench.watch.nodes}
            counted = await bench.round()
            assert (counted.fresh.n, counted.stale.n, counted.unknown.n) == (0, 0, KEYS)
            dead.start()

            async def is_back() -> bool:
                try:
                    write(dead, 1, its_keys)
                except Exception:
                    return False
                await bench.wiring.discover()
                return (await bench.round()).fresh.n == KEYS

            await eventually(is_back, "every key is fresh again")
            assert bench.findings() == []


async def test_a_fail_over_in_a_cluster_makes_nothing_stale(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with RedisCluster() as cluster:
        fill(cluster, redis_server)
        first = held_by(cluster, 0)
        master, replica = cluster.masters[0], cluster.replicas[0]
        async with watching(tmp_path, redis_server, "cluster", seed(cluster)) as bench:
            await bench.round()
            master.kill()

            async def is_promoted() -> bool:
                await bench.watch.run_round()
                return bool(replica.run("ROLE")[0] == "master")

            await eventually(is_promoted, "the replica is promoted")
            await bench.wiring.discover()
            names = {node.settings.name for node in bench.watch.nodes}
            assert names == {each.address for each in cluster.nodes}  # who died is not forgotten
            write(redis_server, 2, first)
            write(replica, 2, first)
            assert (await bench.round(replica.address)).fresh.n == len(first)
            master.start()

            async def follows() -> bool:
                await bench.watch.run_round()
                return bool(
                    master.run("ROLE")[0] == "slave" and master.run("ROLE")[3] == "connected"
                )

            await eventually(follows, "the old master has become a replica")
            await bench.wiring.discover()
            assert (await bench.round(master.address)).fresh.n == len(first)
            assert bench.findings() == []


async def test_a_layer_that_is_no_cluster_says_so(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    nodes = f'[{{static: ["127.0.0.1:{redis_server.port}", "127.0.0.1:1"]}}]'
    async with watching(tmp_path, redis_server, "cluster", nodes) as bench:
        assert bench.watch.nodes == []
        refused, dead, kept = bench.wiring.layers["cache"].problems
        assert refused.endswith("cluster mode is off there; check placement")
        assert dead == "127.0.0.1:1: connection refused"
        assert kept == "keeping 0 nodes"


async def test_sentinels_name_all_nodes_and_a_fail_over_makes_nothing_stale(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with RedisServer() as master, RedisServer() as replica, SentinelServer(master) as sentinel:
        replica.client.replicaof("127.0.0.1", str(master.port))
        for server in (redis_server, master):
            write(server, 1, range(KEYS))
        await eventually(lambda: replica.client.exists("p:59"), "the replica has caught up")
        sentinels = f'["127.0.0.1:1", "127.0.0.1:{sentinel.port}"]'
        nodes = f"[{{sentinel: {{name: shop, sentinels: {sentinels}}}, region: eu}}]"
        async with watching(tmp_path, redis_server, "all", nodes) as bench:

            async def has_both() -> bool:
                await bench.wiring.discover()
                return len(bench.watch.nodes) == 2

            await eventually(has_both, "the Sentinel has found the replica")
            names = {node.settings.name for node in bench.watch.nodes}
            assert names == {master.address, replica.address}
            assert (await bench.round()).fresh.n == 2 * KEYS
            master.kill()
            assert (await bench.round(master.address)).unknown.n == KEYS

            async def is_promoted() -> bool:
                await bench.watch.run_round()
                return bool(replica.client.execute_command("ROLE")[0] == "master")  # type: ignore[no-untyped-call]

            await eventually(is_promoted, "the replica is promoted")
            await bench.wiring.discover()
            assert {node.settings.name for node in bench.watch.nodes} == names
            for server in (redis_server, replica):
                write(server, 2, range(KEYS))
            assert (await bench.round(replica.address)).fresh.n == KEYS
            assert bench.findings() == []


async def test_a_sentinel_that_knows_no_such_master_says_so(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with SentinelServer(redis_server) as sentinel:
        nodes = f'[{{sentinel: {{name: other, sentinels: ["127.0.0.1:{sentinel.port}"]}}}}]'
        async with watching(tmp_path, redis_server, "all", nodes) as bench:
            [problem] = bench.wiring.layers["cache"].problems
            assert "knows no master other; keeping 0 nodes" in problem


@dataclass
class Ringed:
    """Two nodes on a ring, `n1` and `n2`."""

    bench: Bench
    nodes: dict[str, RedisServer]
    file: Path

    def holder(self, key: int) -> str:
        [holder] = [n.settings.name for n in self.bench.watch.nodes if n.holds(str(key))]
        return holder

    def held_by(self, name: str) -> list[int]:
        return [key for key in range(KEYS) if self.holder(key) == name]


def list_nodes(file: Path, nodes: Mapping[str, RedisServer]) -> None:
    file.write_text(
        json.dumps(
            [{"targets": [each.address], "labels": {"name": name}} for name, each in nodes.items()]
        )
    )


@pytest.fixture(scope="module")
def two_servers() -> Iterator[tuple[RedisServer, RedisServer]]:
    with RedisServer() as one, RedisServer() as two:
        yield one, two


@pytest.fixture
async def ringed(
    tmp_path: Path, redis_server: RedisServer, two_servers: tuple[RedisServer, RedisServer]
) -> AsyncIterator[Ringed]:
    servers = dict(zip(("n1", "n2"), two_servers, strict=True))
    for server in two_servers:
        server.clean()
    file = tmp_path / "nodes.json"
    list_nodes(file, servers)
    async with watching(tmp_path, redis_server, "ring", f"[{{file: {file}}}]") as bench:
        made = Ringed(bench, servers, file)
        write(redis_server, 1, range(KEYS))
        for name, server in servers.items():
            write(server, 1, made.held_by(name))
        yield made


async def test_on_a_ring_a_copy_where_no_client_reads_is_misplaced_never_stale(
    ringed: Ringed,
) -> None:
    bench = ringed.bench
    stray = ringed.held_by("n1")[0]
    assert (await bench.round()).fresh.n == KEYS
    write(ringed.nodes["n2"], 1, [stray])  # where it does not belong
    write(bench.origin, 2, [stray])
    write(ringed.nodes["n1"], 2, [stray])
    for _ in range(3):
        counted = await bench.round()
        assert (counted.judged.n, counted.misses, counted.stale.n) == (KEYS, 0, 0)
    row = await bench.sweep()
    swept = {each.node: (each.right, each.wrong, each.misplaced) for each in row.nodes}
    one, two = (len(ringed.held_by(name)) for name in ("n1", "n2"))
    assert swept == {"n1": (one, 0, 0), "n2": (two, 0, 1)}
    assert bench.findings() == []


async def test_on_a_ring_a_stale_copy_is_found_at_its_holder(ringed: Ringed) -> None:
    key = ringed.held_by("n2")[0]
    await ringed.bench.round()
    write(ringed.bench.origin, 2, [key])

    async def confirmed() -> bool:
        await ringed.bench.watch.run_round()
        return any(each.state == "confirmed" for each in ringed.bench.findings())

    await eventually(confirmed, "the copy is found stale")
    assert {(each.node, each.key) for each in ringed.bench.findings()} == {("n2", str(key))}
    row = await ringed.bench.sweep()
    assert {each.node: each.wrong for each in row.nodes} == {"n1": 0, "n2": 1}


async def test_event_checks_read_the_holders_alone(ringed: Ringed) -> None:
    bench, key = ringed.bench, ringed.held_by("n1")[0]
    row = InvalidationRow(
        "i1", "product", "key", [str(key)], 1, "1", "p", "", None, wall_ns(), wall_ns()
    )
    broad = InvalidationRow("i2", "product", "all", [], None, "", "p", "", None, 0, wall_ns())
    bench.watch.hear([row, broad])

    async def is_counted() -> bool:
        await asyncio.sleep(0)
        bench.watch.flush()
        return bool(bench.store.checks(0, 2**62))

    await eventually(is_counted, "the check is counted")
    cells = bench.store.checks(0, 2**62)
    assert {key.node for key, _ in cells} == {"n1"}
    assert [cell.seen[Seen.VISIBLE].n for _, cell in cells] == [1]

    async def is_asked() -> bool:
        rollups = bench.store.rollups("minute", 0, 2**62)
        return sum(c.judged.n for k, c in rollups if k.stratum == RECHECK) >= BROAD_KEYS

    # What stands for all keys is asked for where it should be, and missed nowhere.
    await eventually(is_asked, "the suspects are asked for")
    assert sum(cell.misses for _, cell in bench.store.rollups("minute", 0, 2**62)) == 0


async def test_keys_that_move_as_a_ring_shrinks_are_let_go(
    ringed: Ringed,
) -> None:
    bench = ringed.bench
    await bench.round()
    moved = ringed.held_by("n2")
    list_nodes(ringed.file, {"n1": ringed.nodes["n1"]})
    await bench.wiring.discover()
    [left] = bench.watch.nodes
    assert all(left.holds(str(key)) for key in range(KEYS))
    counted = await bench.round()
    assert (counted.fresh.n, counted.misses) == (KEYS - len(moved), len(moved))


async def test_owners_on_the_ring_are_known_to_whoever_looks_for_causes(ringed: Ringed) -> None:
    owners = ringed.bench.wiring.owners()["cache"]
    assert [owners("product", str(key)) for key in range(KEYS)] == [
        [ringed.holder(key)] for key in range(KEYS)
    ]


async def test_what_moves_away_while_it_is_read_leaves_nothing_open(
    ringed: Ringed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, key = ringed.bench, ringed.held_by("n2")[0]
    await bench.round()
    write(bench.origin, 2, [key])
    [node] = [each for each in bench.watch.nodes if each.settings.name == "n2"]
    inspect = node.cache.inspect

    async def move_away(keys: Sequence[str]) -> Reply:
        reply = await inspect(keys)
        node.share = Share(Ring(Discovery([]), RingOptions()), "n2", "p:{key}")
        monkeypatch.setattr(node.share.placement, "holders", lambda _: {"n1"})
        node.forget_moved(list(node.known), reply.end_ns)  # as a new ring has it done
        return reply

    monkeypatch.setattr(node.cache, "inspect", move_away)

    async def has_moved() -> bool:
        await bench.watch.run_round()
        return not node.holds(str(key))

    await eventually(has_moved, "it has moved")
    assert not bench.watch.waiting() or await asyncio.gather(*bench.watch.waiting())
    assert str(key) not in node.known
    assert [each.state for each in bench.findings()] in ([], ["gone"])
