"""Builds the shop, runs it until it is told to stop, and leaves no process behind."""

import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import httpx2
from redis.asyncio import Redis

from lab.catalogue import CHANNEL, HOST, NodeAddress, Topology
from lab.config import write_config
from lab.control import ControlLine, RemoteNode
from lab.faults.schedule import Schedule
from lab.http_service import Service, listen
from lab.layers.node import Target
from lab.layers.process import ProcessPlan, listening, run_process
from lab.layers.regional import RegionalNode
from lab.origin import Origin
from lab.redis_server import find_redis_server, start_redis
from lab.truth import DIRECTORY, TruthLog
from lab.workload import Workload
from lab.writer import Writer
from stalewatch_sdk.publisher import Publisher

APP_NODES_A_REGION: Final = 2
STOP_TIMEOUT_S: Final = 3.0
START_TIMEOUT_S: Final = 10.0
_TICK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What a lab is started with. `listen` is where the server shall listen."""

    lab_dir: Path
    seed: int = 1
    has_faults: bool = True
    regions: tuple[str, ...] = ("eu", "us")
    listen: str = "127.0.0.1:8080"


@dataclass(slots=True)
class Parts:
    """All that was started."""

    topology: Topology
    token_file: Path
    origin_listener: socket.socket
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    processes: list[BaseProcess] = field(default_factory=list)
    lines: dict[tuple[str, str], ControlLine] = field(default_factory=dict)


def run_shop(options: Options) -> None:
    """Runs a lab until SIGTERM, SIGINT or the end of its standard input."""
    with started(options) as parts:
        asyncio.run(_run(options, parts))


@contextlib.contextmanager
def started(options: Options) -> Iterator[Parts]:
    """Starts Redis and the region's processes; ends them all on the way out.

    The processes are forked from here, before any event loop or thread runs, so that each is up
    in milliseconds and imports nothing twice.
    """
    program = find_redis_server()
    shutil.rmtree(options.lab_dir / DIRECTORY, ignore_errors=True)  # of a run before
    listeners: dict[str, socket.socket] = {}
    parts = _laid_out(options, listeners)
    try:
        buses = [("bus", parts.topology.bus_port)]
        buses += [(node.name, node.port) for node in parts.topology.of("regional")]
        for name, port in buses:
            parts.servers.append(start_redis(program, port, options.lab_dir, name))
        for _, port in buses:
            _wait_for(port)
        _fork(options, parts, listeners)
        yield parts
    finally:
        _stop(parts)


def _laid_out(options: Options, listeners: dict[str, socket.socket]) -> Parts:
    token_file = options.lab_dir / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(secrets.token_urlsafe(24))
    nodes: list[NodeAddress] = []
    for region in options.regions:
        names = [("edge", f"{region}-edge-1")]
        names += [("app", f"{region}-app-{n + 1}") for n in range(APP_NODES_A_REGION)]
        for layer, name in names:
            listeners[name] = listen()
            nodes.append(NodeAddress(layer, name, region, _port(listeners[name])))
    free = _free_ports(1 + len(options.regions))
    nodes += [
        NodeAddress("regional", f"{region}-redis-1", region, free.pop())
        for region in options.regions
    ]
    origin_listener = listen()
    topology = Topology(_port(origin_listener), free.pop(), tuple(nodes))
    return Parts(topology, token_file, origin_listener)


def _fork(options: Options, parts: Parts, listeners: dict[str, socket.socket]) -> None:
    fork = multiprocessing.get_context("fork")
    ours: list[socket.socket] = [parts.origin_listener]
    for region in options.regions:
        for layer in ("app", "edge"):
            here, there = socket.socketpair()
            names = [node.name for node in parts.topology.of(layer, region)]
            plan = ProcessPlan(
                layer=layer,
                region=region,
                topology=parts.topology,
                listeners=tuple(listeners.pop(name) for name in names),
                control=there,
                lab_dir=options.lab_dir,
                token=parts.token_file.read_text(),
            )
            ours.append(here)
            inherited = [*ours, *listeners.values()]
            process = fork.Process(target=run_process, args=(plan, inherited), daemon=True)
            process.start()
            parts.processes.append(process)
            parts.lines[layer, region] = ControlLine(here)
            for handed_over in (there, *plan.listeners):
                handed_over.close()


async def _run(options: Options, parts: Parts) -> None:
    stopped = asyncio.Event()
    _stop_on_signals(parts, stopped.set)
    log = TruthLog(options.lab_dir, "shop")
    origin = Origin(options.lab_dir, log, options.seed)
    regionals = [RegionalNode(node, origin, log) for node in parts.topology.of("regional")]
    service = Service(origin.answer, parts.origin_listener)
    serving = asyncio.create_task(service.run_until_exit())
    for line in parts.lines.values():
        await asyncio.wait_for(line.open(), START_TIMEOUT_S)
    ears = [node.ear.hear for node in regionals]
    async with listening(parts.topology.bus_port, ears), _writer(options, parts, origin) as writer:
        _announce(options, parts)
        async with _traffic(options, parts, writer, regionals, log):
            await stopped.wait()
    log.ticked()
    service.should_exit = True
    await serving
    for node in regionals:
        await node.cache.client.aclose()
    origin.close()
    log.close()


@contextlib.asynccontextmanager
async def _writer(options: Options, parts: Parts, origin: Origin) -> AsyncIterator[Writer]:
    bus = Redis(host=HOST, port=parts.topology.bus_port)
    publisher = Publisher(bus, CHANNEL, f"shop-{os.getpid()}-{secrets.token_hex(4)}")
    yield Writer(origin, publisher, random.Random(f"{options.seed}:prices"))
    await bus.aclose()


@contextlib.asynccontextmanager
async def _traffic(
    options: Options,
    parts: Parts,
    writer: Writer,
    regionals: Sequence[RegionalNode],
    log: TruthLog,
) -> AsyncIterator[None]:
    """The workload, the faults and the ticks of the truth, while the block runs."""
    remotes = [
        RemoteNode(node, parts.lines[node.layer, node.region])
        for node in parts.topology.nodes
        if node.layer != "regional"
    ]
    targets: list[Target] = [*remotes, *regionals]
    async with httpx2.AsyncClient(timeout=2, trust_env=False) as http:
        runs = [Workload(writer, parts.topology, http, options.seed).run(), _tick(log)]
        if options.has_faults:
            runs.append(Schedule(targets, writer, log, options.seed).run())
        tasks = [asyncio.create_task(run) for run in runs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _tick(log: TruthLog) -> None:
    while True:
        log.ticked()
        await asyncio.sleep(_TICK_S)


def _stop_on_signals(parts: Parts, stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    for process in parts.processes:
        loop.add_reader(process.sentinel, stop)  # without one of its parts the lab is none
    mode = os.fstat(0).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stop())


def _announce(options: Options, parts: Parts) -> None:
    config = write_config(options.lab_dir, parts.topology, parts.token_file, options.listen)
    nodes = [
        {"layer": node.layer, "name": node.name, "region": node.region, "address": node.target}
        for node in parts.topology.nodes
    ]
    ready = {
        "config": str(config),
        "dir": str(options.lab_dir),
        "pid": os.getpid(),
        "nodes": nodes,
    }
    print(json.dumps(ready), flush=True)


def _stop(parts: Parts) -> None:
    for line in parts.lines.values():
        with contextlib.suppress(OSError):  # the child was faster
            line.close()
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    for process in parts.processes:
        process.join(max(0.0, deadline_s - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
    for server in parts.servers:
        server.terminate()
    for server in parts.servers:
        try:
            server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)


def _free_ports(count: int) -> list[int]:
    listeners = [listen() for _ in range(count)]
    ports = [_port(listener) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
