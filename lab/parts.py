"""Starts every process of the lab and ends them all: none is left behind."""

import contextlib
import gc
import multiprocessing
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from lab.catalogue import HOST, SHARD, NodeAddress, Topology
from lab.control import ControlLine
from lab.layers.process import ProcessPlan, run_process
from lab.ports import free_port, listen, port_of
from lab.redis_server import find_redis_server, start_redis
from lab.truth import DIRECTORY

APP_NODES_A_REGION: Final = 2
STOP_TIMEOUT_S: Final = 3.0
START_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a lab is started with. `listen` is where the server shall listen."""

    lab_dir: Path
    seed: int = 1
    has_faults: bool = True
    regions: tuple[str, ...] = ("eu", "us")
    listen: str = "127.0.0.1:8080"
    reads_replicas: bool = False
    """Whether the config has the origin's replicas read, as what caches are filled from."""
    shards: int = 0
    """Redis nodes over which a ring spreads the keys; 0: no such layer."""


@dataclass(slots=True)
class Parts:
    """All that was started."""

    topology: Topology
    token_file: Path
    origin_listener: socket.socket
    inbox_listener: socket.socket
    """Where the inbox takes mail."""
    inbox_page_listener: socket.socket
    """Where the inbox is read."""
    replica_listeners: dict[str, socket.socket]
    """Where the replica of each region answers."""
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    processes: list[BaseProcess] = field(default_factory=list)
    lines: dict[tuple[str, str], ControlLine] = field(default_factory=dict)


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
        redises = (*parts.topology.of("regional"), *parts.topology.of(SHARD))
        buses += [(node.name, node.port) for node in redises]
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
            nodes.append(NodeAddress(layer, name, region, port_of(listeners[name])))
    nodes += [
        NodeAddress("regional", f"{region}-redis-1", region, free_port())
        for region in options.regions
    ]
    nodes += [
        NodeAddress(SHARD, f"shard-{n + 1}", options.regions[0], free_port())
        for n in range(options.shards)
    ]
    origin_listener = listen()
    replicas = {region: listen() for region in options.regions}
    topology = Topology(
        port_of(origin_listener),
        free_port(),
        tuple(nodes),
        free_port(),
        tuple(
            NodeAddress("replica", f"{region}-replica-1", region, port_of(listener))
            for region, listener in replicas.items()
        ),
    )
    return Parts(topology, token_file, origin_listener, listen(), listen(), replicas)


def _fork(options: Options, parts: Parts, listeners: dict[str, socket.socket]) -> None:
    gc.freeze()  # what is imported stays, here and in the children: no collection walks it again
    fork = multiprocessing.get_context("fork")
    ours = [parts.origin_listener, parts.inbox_listener, parts.inbox_page_listener]
    ours += parts.replica_listeners.values()
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
