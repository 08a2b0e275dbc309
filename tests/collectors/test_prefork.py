"""Workers of a real prefork server as nodes of their own: found, read, killed and respawned."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from collectors.base import Keyspace, SourceError, Target
from collectors.discovery import Discovery, NodeEntry
from collectors.held import is_held
from collectors.inprocess import InprocessBinding, InprocessOptions, InprocessServer
from freshness.model import Result
from stalewatch_sdk.inprocess import Entry
from stalewatch_sdk.registration import register
from tests.collectors.prefork_app import Copies
from tests.servers import eventually, free_port, wait_until

ROOT = Path(__file__).parents[2]
PRODUCT = Keyspace("product")


def connect(target: Target, **options: Any) -> InprocessServer:
    return InprocessServer(target, InprocessOptions.model_validate(options), time.monotonic_ns)


class Prefork:
    """uvicorn with two workers, which it starts again when they end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.discovery = Discovery([NodeEntry.model_validate({"file": f"{folder}/*.json"})])
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "uvicorn", "tests.collectors.prefork_app:app",
                "--workers", "2", "--port", str(free_port()), "--log-level", "error",
            ],
            env={**os.environ, "WORKERS": str(folder)},
            cwd=ROOT,
        )  # fmt: skip

    async def nodes(self) -> dict[str, Target]:
        found = await self.discovery.discover()
        assert not found.problems
        return {target.name: target for target in found.targets}

    async def has(self, count: int) -> bool:
        return len(await self.nodes()) == count

    async def pid_at(self, target: Target) -> int | None:
        """The process that answers at a node, by what its own cache holds."""
        server = connect(target, auth={"token": {"env": "WORKER_TOKEN"}})
        (reading,) = (await server.open(InprocessBinding(), PRODUCT).read(["pid"])).readings
        await server.close()
        return reading.value.version if reading.value else None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(number)
        self._process.wait(20)
        for child in children:
            if number is signal.SIGKILL and child.is_running():
                child.kill()
        psutil.wait_procs(children, 20)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_TOKEN", "secret")


@pytest.fixture
async def prefork(tmp_path: Path) -> AsyncIterator[Prefork]:
    running = Prefork(tmp_path / "workers")
    try:
        await eventually(lambda: running.has(2), "both workers register")
        yield running
    finally:
        if running._process.poll() is None:
            running.stop()


async def test_each_worker_is_a_node_and_a_killed_one_comes_back_under_its_name(
    prefork: Prefork,
) -> None:
    before = await prefork.nodes()
    assert sorted(before) == ["shop-0", "shop-1"]
    assert {target.region for target in before.values()} == {"eu"}
    pids = {name: await prefork.pid_at(target) for name, target in before.items()}
    assert len(set(pids.values())) == 2
    victim = pids["shop-1"]
    assert victim is not None

    server = connect(before["shop-1"], auth={"token": {"env": "WORKER_TOKEN"}})
    cache = server.open(InprocessBinding(), PRODUCT)
    first = await cache.read(["pid"])
    os.kill(victim, signal.SIGKILL)

    async def is_respawned() -> bool:
        now = await prefork.nodes()
        return "shop-1" in now and now["shop-1"].port != before["shop-1"].port

    await eventually(is_respawned, "the worker is respawned under its name")
    now = await prefork.nodes()
    assert sorted(now) == ["shop-0", "shop-1"]
    assert now["shop-0"] == before["shop-0"]
    assert await prefork.pid_at(now["shop-1"]) not in (victim, None)
    dead = await cache.read(["pid"])
    assert [reading.result for reading in dead.readings] == [Result.UNKNOWN]
    await server.close()
    fresh = connect(now["shop-1"], auth={"token": {"env": "WORKER_TOKEN"}})
    second = await fresh.open(InprocessBinding(), PRODUCT).read(["pid"])
    assert second.identity not in ("", first.identity)
    await fresh.close()


async def test_an_application_that_stops_takes_its_nodes_away(prefork: Prefork) -> None:
    prefork.stop()
    assert list(prefork.folder.glob("*.json")) == []
    found = await prefork.discovery.discover()
    assert (found.targets, found.problems) == ((), ())
    assert sorted(target.name for target in found.gone) == ["shop-0", "shop-1"]


async def test_an_application_that_is_killed_leaves_entries_that_are_no_nodes(
    prefork: Prefork,
) -> None:
    prefork.stop(signal.SIGKILL)
    assert len(list(prefork.folder.glob("*.json"))) == 2
    assert await prefork.nodes() == {}


# The parts, in this process and in forks of it.


@pytest.fixture
def forked(tmp_path: Path) -> Iterator[int]:
    """A fork that has registered as `app-0`, and does nothing more."""
    pid = os.fork()
    if pid == 0:
        try:
            register("app", {"product": Copies()}, token="secret", folder=tmp_path)
            signal.pause()
        finally:
            os._exit(0)
    wait_until((tmp_path / "app-0.json").exists, "the fork registers")
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_fork_of_a_worker_neither_holds_nor_takes_away_its_place(
    tmp_path: Path,
) -> None:
    registration = register("app", {"product": Copies()}, token="secret", folder=tmp_path)
    pid = os.fork()
    if pid == 0:
        try:
            registration.close()
            own = register("app", {"product": Copies()}, token="secret", folder=tmp_path)
            os._exit(0 if own.worker.node == "app-1" else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (tmp_path / "app-0.json").exists()
    assert not is_held(tmp_path / "app-1.lock"), "the fork has ended"
    again = register("app", {"product": Copies()}, token="secret", folder=tmp_path)
    assert again.worker.node == "app-1", "the place of who has ended, not our own"
    again.close()
    registration.close()
    registration.close()
    assert list(tmp_path.glob("*.json")) == []


def test_a_lock_is_held_as_long_as_its_process_lives(tmp_path: Path, forked: int) -> None:
    assert is_held(tmp_path / "app-0.lock")
    assert not is_held(tmp_path / "none.lock")
    os.kill(forked, signal.SIGSTOP)
    assert is_held(tmp_path / "app-0.lock"), "a hanging worker is not a dead one"


async def test_a_worker_lists_its_keys(tmp_path: Path) -> None:
    copies = Copies({f"product:{number}": Entry(version=1) for number in range(1500)})
    copies["basket:1"] = Entry(version=1)
    registration = register("app", {"product": copies}, token="secret", folder=tmp_path)
    server = connect(
        Target("app-0", "127.0.0.1", registration.port), auth={"token": {"env": "WORKER_TOKEN"}}
    )
    cache = server.open(InprocessBinding(key="product:{key}"), PRODUCT)
    first = await cache.walk()
    second = await cache.walk(first.cursor)
    assert sorted([*first.keys, *second.keys]) == sorted(str(n) for n in range(1500))
    assert second.cursor == ""
    other = server.open(InprocessBinding(keyspace="orders"), PRODUCT)
    with pytest.raises(SourceError, match="404"):
        await other.walk()
    registration.close()
    with pytest.raises(SourceError):
        await cache.walk()
    await server.close()


async def test_another_worker_at_a_known_port_is_noticed(tmp_path: Path) -> None:
    registration = register("app", {"product": Copies()}, token="secret", folder=tmp_path)
    target = Target("app-0", "127.0.0.1", registration.port)
    server = connect(target, auth={"token": {"env": "WORKER_TOKEN"}})
    cache = server.open(InprocessBinding(), PRODUCT)
    assert (await cache.read(["a"])).readings[0].result is Result.MISS
    object.__setattr__(registration.worker, "node", "app-7")  # as another worker would answer
    (reading,) = (await cache.read(["a"])).readings
    assert (reading.result, reading.why) == (Result.UNKNOWN, "another worker answers there")
    registration.close()
    await server.close()


async def test_a_worker_is_safe_from_large_and_strange_requests(tmp_path: Path) -> None:
    registration = register("app", {"product": Copies()}, token="secret", folder=tmp_path)
    for request, status in (
        (b"POST /cache/v1/read HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b" 413 "),
        (b"POST /cache/v1/read HTTP/1.1\r\nContent-Length: x\r\n\r\n", b" 413 "),
        (b"POST /other HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b" 404 "),
        (b"GET /other HTTP/1.1\r\n\r\n", b" 404 "),
        (b"GET /cache/v1/info HTTP/1.1\r\n\r\n", b" 401 "),
        (b"DELETE / HTTP/1.1\r\n\r\n", b" 501 "),
    ):
        assert status in _first_line(registration.port, request), request
    registration.close()


def _first_line(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        wire.sendall(request)
        return wire.recv(65536).partition(b"\r\n")[0]


@pytest.mark.parametrize("node", ["", "a/b", "../a", ".a"])
def test_a_node_is_named_like_a_file(node: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a node's name"):
        register(node, {}, token="secret", folder=tmp_path)
    with pytest.raises(ValueError, match="a token"):
        register("app", {}, token="", folder=tmp_path)
