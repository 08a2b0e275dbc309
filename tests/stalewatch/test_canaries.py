"""Canaries: a real script writes a real SQLite origin and a real Redis cache.

The script adds one to the row, sets the cache unless told not to, and prints the version.
"""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors.canary import LONGEST_OUTPUT
from collectors.canary_command import CommandCanary
from collectors.journal import Ids
from freshness.check import Seen
from freshness.evidence import Write
from freshness.model import Value, Verdict
from freshness.replay import parse
from freshness.strata import CANARY, is_representative
from freshness.visibility import visibility_delay
from stalewatch.canaries import Canaries
from stalewatch.clock import ObserverClock
from stalewatch.config import ConfigError, load
from stalewatch.metrics import Metrics
from stalewatch.reach import look
from stalewatch.wiring import Wiring, watch_all, wire
from store.sqlite import SqliteStore
from tests.collectors.web import Answer, Asked, serving
from tests.servers import RedisServer, eventually
from tests.stalewatch.config.configs import GOOD, written
from tests.stalewatch.test_check import fill, shop

SCRIPT = """\
import json, os, sqlite3, sys, time
import redis
folder, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
mode = open(folder + "/mode").read()
assert os.environ["STALEWATCH_CANARY_KEY"] == key
if mode == "hang":
    time.sleep(3600)
if mode == "fail":
    sys.exit("the shop\\x1b is closed")
with sqlite3.connect(folder + "/shop.db") as db:
    change = "UPDATE product SET version = version + 1 WHERE id = ? RETURNING version"
    [[version]] = db.execute(change, [key]).fetchall()
if mode != "lost":
    redis.Redis(port=port).set("product:" + key, json.dumps({"version": version}))
if mode == "lie":
    version += 1000
print("garbage" if mode == "garbage" else json.dumps({"version": version}))
"""
CANARY_OF_A_SCRIPT = """\
canaries:
  one:
    keyspace: product
    keys: ["7"]
    interval: 1s
    timeout: 30s
    command: ["%s", "%s", "%s", "%d", "{key}"]
    version: {json: $.version}
"""


@dataclass
class Scene:
    """A shop whose key 7 is a canary, watched without rounds but those that a test asks for."""

    folder: Path
    wiring: Wiring
    store: SqliteStore
    metrics: Metrics
    canaries: Canaries

    def says(self, mode: str) -> None:
        (self.folder / "mode").write_text(mode)

    def count(self, outcome: str) -> float:
        labels = {"canary": "one", "outcome": outcome}
        return self.metrics.registry.get_sample_value(
            "stalewatch_canary_writes_total", labels
        ) or 0  # fmt: skip

    async def comes_out(self, outcome: str, n: int = 1) -> None:
        await eventually(lambda: self.count(outcome) >= n, f"{n} writes are {outcome}")

    def writes(self) -> list[Write]:
        evidence = self.wiring.watches["product"]._origin.ledger.evidence("7")
        return [one for one in evidence if isinstance(one, Write)]

    def seen(self) -> dict[int, set[Seen]]:
        found: dict[int, set[Seen]] = {}
        for key, cell in self.store.checks(0, 2**62):
            found.setdefault(key.horizon_ns, set()).update(cell.seen)
        return found


@pytest.fixture
async def scene(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[Scene]:
    async with scenes(tmp_path, redis_server, "propagate") as made:
        yield made


def with_script(folder: Path, port: int) -> Path:
    """A config whose canary is the script."""
    script = folder / "write.py"
    script.write_text(SCRIPT)
    file = Path(shop(folder, port))
    text = file.read_text().replace("max_staleness: 1s", "max_staleness: 100ms")
    text = text.replace("linearizable: true}", "linearizable: true, limit: 1000/s}")
    text += "    checks: {horizons: [0ms, 200ms, 500ms]}\n"
    file.write_text(text + CANARY_OF_A_SCRIPT % (sys.executable, script, folder, port))
    return file


def with_more(folder: Path, port: int, more: str) -> Path:
    """The shop's config, with more at its end."""
    file = Path(shop(folder, port))
    file.write_text(file.read_text() + more)
    return file


@asynccontextmanager
async def scenes(folder: Path, server: RedisServer, mode: str) -> AsyncIterator[Scene]:
    fill(server, {f"product:{n}": '{"version": 3}' for n in range(1, 41)})
    file = with_script(folder, server.port)
    (folder / "mode").write_text(mode)
    store, metrics = SqliteStore(), Metrics()
    wiring = wire(load(file), ObserverClock())
    await watch_all(wiring, Ids(), store.write)
    canaries = Canaries(metrics.canaries)
    canaries.start(wiring)
    yield Scene(folder, wiring, store, metrics, canaries)
    await canaries.stop()
    await wiring.close()
    store.close()


async def test_a_write_that_spreads_is_seen_at_each_horizon_and_bounds_its_own_commit(
    scene: Scene,
) -> None:
    await scene.comes_out("evidence", 2)
    await eventually(lambda: len(scene.seen()) == 3, "every horizon is checked")
    assert set().union(*scene.seen().values()) == {Seen.VISIBLE}
    assert scene.canaries.problems() == []
    assert scene.store.findings().items == []
    write = scene.writes()[-1]
    version = write.value.version
    assert version is not None
    # What superseded the version before is bounded by this write itself: nothing is as tight.
    watch = scene.wiring.watches["product"]
    bounds = watch._origin.ledger.superseded_within("7", Value(version - 1))
    assert bounds == (write.start, write.end)
    spans = scene.store.spans("product", "7", 0, 2**62)
    [node] = watch.nodes
    await eventually(lambda: node.runs.get("7") is not None, "the node is seen with it")
    run = node.runs.get("7")
    assert run is not None
    delay = visibility_delay(None, run.first_end, *bounds)
    assert delay.upper == max(0, run.first_end - write.start)
    assert {span.layer for span in spans} == {"", "cache"}


async def test_a_lost_write_is_found_with_evidence_that_replays(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with scenes(tmp_path, redis_server, "lost") as scene:
        await scene.comes_out("evidence")
        findings = scene.store.findings
        await eventually(
            lambda: any(each.state == "confirmed" for each in findings().items), "it is confirmed"
        )
        finding = findings().items[0]
        assert (finding.key, finding.held) == ("7", Value(3))
        assert Seen.BEHIND in set().union(*scene.seen().values())
        lines = finding.evidence.splitlines()
        assert any('"type":"write"' in line for line in lines)
        replay = parse(line.encode() for line in lines)
        judged = [judgement.verdict for _, judgement in replay.judge(100_000_000 * 10**9)]
        assert judged
        assert set(judged) == {Verdict.STALE}
        # Not for a round of their own, and not in the share of the users' reads.
        await scene.wiring.watches["product"].run_round()
        strata = {key.stratum for key, _ in scene.store.rollups("minute", 0, 2**62)}
        assert CANARY in strata or "recheck" in strata
        assert "7" not in scene.wiring.watches["product"].sampler.listed
        shares = [
            cell for key, cell in scene.store.rollups("minute", 0, 2**62)
            if is_representative(key.stratum)
        ]  # fmt: skip
        assert sum(cell.stale.n for cell in shares) == 0


@pytest.mark.parametrize(
    ("mode", "outcome", "problem"),
    [
        ("fail", "unacknowledged", "exit status 1: the shop? is closed"),
        ("garbage", "evidence", "the version that it should tell: not JSON"),
        ("lie", "disbelieved", "the version that it told is not the one that the origin holds"),
    ],
    ids=["fails", "prints garbage, and the origin tells", "tells another version"],
)
async def test_a_bad_write_is_told_and_is_no_staleness(
    tmp_path: Path, redis_server: RedisServer, mode: str, outcome: str, problem: str
) -> None:
    async with scenes(tmp_path, redis_server, mode) as scene:
        await scene.comes_out(outcome)
        await eventually(lambda: bool(scene.canaries.problems()), "it is told")
        assert scene.canaries.problems() == [f"canary one: {problem}"]
        await scene.wiring.watches["product"].run_round()
        assert scene.store.findings().items == []
        assert (outcome == "evidence") == bool(scene.writes())
        scene.says("propagate")
        if mode == "fail":
            # The first write after one in doubt may have been raced by it.
            await scene.comes_out("raced")
        await scene.comes_out("evidence")
        await eventually(lambda: not scene.canaries.problems(), "it is well again")


async def test_a_command_that_hangs_is_killed_with_all_that_it_began(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = ["/bin/sh", "-c", f"sleep 1000 & echo $! > {pid_file}; wait"]
    written = await CommandCanary(command, 0.5, ObserverClock().now_ns).write("k")
    assert (written.why, written.is_acknowledged) == ("not done within 0.5 s: killed", False)
    pid = int(pid_file.read_text())
    await eventually(lambda: not _is_running(pid), "what it began is gone")


async def test_stopping_kills_the_write_that_is_under_way(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with scenes(tmp_path, redis_server, "hang") as scene:
        task = scene.canaries._tasks[0]
        await asyncio.wait_for(scene.canaries.stop(), 10)
        assert task.done()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/nowhere/write"], "cannot run /nowhere/write: No such file or directory"),
        (["/bin/sh", "-c", "kill -9 $$"], "exit status -9"),
        (["/bin/sh", "-c", "echo {key} >&2; exit 3"], "exit status 3: a b;c"),
    ],
    ids=["not there", "killed by a signal", "no shell but the user's, and the key is one argument"],
)
async def test_why_a_command_failed(command: list[str], why: str) -> None:
    written = await CommandCanary(command, 5, ObserverClock().now_ns).write("'a b;c'")
    assert (written.why, written.end_ns >= written.start_ns) == (why, True)


async def test_output_is_bounded() -> None:
    command = [sys.executable, "-c", "print('x' * 10_000_000)"]
    written = await CommandCanary(command, 30, ObserverClock().now_ns).write("k")
    assert (len(written.output), written.is_whole, written.why) == (LONGEST_OUTPUT, False, "")


async def test_a_canary_by_request(tmp_path: Path, redis_server: RedisServer) -> None:
    asked: list[Asked] = []
    status = [200]

    def answer(request: Asked) -> Answer:
        asked.append(request)
        with closing(sqlite3.connect(tmp_path / "shop.db")) as db, db:
            db.execute("UPDATE product SET version = version + 1 WHERE id = '7'")
            [version] = db.execute("SELECT version FROM product WHERE id = '7'").fetchone()
        redis_server.client.set("product:7", f'{{"version": {version}}}')
        where = {"Location": "http://127.0.0.1:1/"} if status[0] == 302 else {}
        return status[0], where, b'{"v": %d}' % version

    with serving(answer) as web:
        url = f"http://127.0.0.1:{web.port}/canary/{{key}}?a=b"
        more = (
            "canaries:\n  one: {keyspace: product, keys: ['7'], interval: 1s, version: {json: $.v},"
            f" url: '{url}', body: 'write {{key}}'}}\n"
        )
        file = with_more(tmp_path, redis_server.port, more)
        store, metrics = SqliteStore(), Metrics()
        wiring = wire(load(file), ObserverClock())
        await watch_all(wiring, Ids(), store.write)
        canaries = Canaries(metrics.canaries)
        canaries.start(wiring)
        made = Scene(tmp_path, wiring, store, metrics, canaries)
        await made.comes_out("evidence")
        status[0] = 302
        await made.comes_out("unacknowledged")
        await eventually(lambda: bool(canaries.problems()), "it is told")
        assert canaries.problems() == ["canary one: redirect to http://127.0.0.1:1/"]
        await canaries.stop()
        await wiring.close()
        store.close()
    assert asked[0].path == "/canary/7?a=b"


async def test_check_writes_nothing(tmp_path: Path, redis_server: RedisServer) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 404, {}, b""

    with serving(answer) as web:
        more = (
            f"canaries:\n"
            f"  web: {{keyspace: product, keys: [a], url: 'http://127.0.0.1:{web.port}/w'}}\n"
            f"  there: {{keyspace: product, keys: [b], command: [{sys.executable}]}}\n"
            f"  gone: {{keyspace: product, keys: [c], command: [/nowhere/write]}}\n"
        )
        file = with_more(tmp_path, redis_server.port, more)
        report = await look(load(file), ObserverClock())
    found = {one.name: (one.ok, one.problem) for one in report.servers if one.layer == "canary"}
    assert found == {
        "web": (True, ""),
        "there": (True, ""),
        "gone": (False, "no program /nowhere/write that may be run"),
    }
    assert {each.method for each in asked} <= {"HEAD"}  # it is greeted, and writes nothing


@pytest.mark.parametrize(
    ("canary", "said"),
    [
        ("{keyspace: prodct, keys: [a], command: [x]}", "did you mean product?"),
        ("{keyspace: product, keys: [a]}", "expected one of command and url"),
        ("{keyspace: product, keys: [a], command: [x], body: b}", "expected url beside body"),
        ("{keyspace: product, keys: [a, b], url: 'http://h/'}", "expected {key} in url or body"),
        ("{keyspace: product, keys: [a], url: 'ftp://h/'}", "canaries.one.url"),
        ("{keyspace: product, keys: [a], command: [x], interval: 1ms}", "at least 1s"),
        ("{keyspace: product, keys: [other], command: [x]}", "that canary two does not write"),
    ],
    ids=["keyspace", "no way", "two ways", "keys", "scheme", "interval", "one key of two"],
)
def test_mistakes_are_told(tmp_path: Path, canary: str, said: str) -> None:
    two = "canaries:\n  two: {keyspace: product, keys: [other], command: [x]}\n"
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, f"{GOOD}{two}  one: {canary}\n"))
    assert said in str(caught.value)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Who was killed may wait for an init that never comes: then it is a zombie.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
