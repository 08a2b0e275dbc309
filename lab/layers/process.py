"""One process of a region: all its edge nodes, or all its application servers."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from redis.asyncio import Redis

from lab.catalogue import CHANNEL, HOST, Topology
from lab.control import answer_until_closed
from lab.http_service import Service
from lab.layers import app, edge
from lab.layers.node import CacheNode
from lab.layers.regional import RegionalCache
from lab.layers.target import LocalTarget, answering
from lab.tracing import HostClocks, traced
from lab.truth import TruthLog


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """What one process runs. `listeners` are bound, one for each node of the layer and region."""

    layer: str
    region: str
    topology: Topology
    listeners: tuple[socket.socket, ...]
    control: socket.socket
    lab_dir: Path
    token: str


def run_process(plan: ProcessPlan, inherited: Sequence[socket.socket]) -> None:
    """The whole life of the process. `inherited` belong to others and are closed here first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    for other in inherited:
        other.close()
    ends = contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError)
    with ends, traced(plan.topology.traces_port, f"{plan.region}-{plan.layer}") as clocks:
        asyncio.run(_run(plan, clocks))


async def _run(plan: ProcessPlan, clocks: HostClocks) -> None:
    truth = TruthLog(plan.lab_dir, f"{plan.region}-{plan.layer}")
    async with httpx2.AsyncClient(timeout=2, trust_env=False) as http:
        nodes = _nodes(plan, http, truth, clocks)
        handlers = [_handler(plan, node) for node in nodes.values()]
        pairs = zip(handlers, plan.listeners, strict=True)
        services = [Service(handler, listener) for handler, listener in pairs]
        serving = [asyncio.create_task(service.run_until_exit()) for service in services]
        ears = [node.ear.hear for node in nodes.values()]
        targets = {name: LocalTarget(node) for name, node in nodes.items()}
        async with listening(plan.topology.bus_port, ears):
            await answer_until_closed(plan.control, answering(targets))
        for service in services:
            service.should_exit = True
        await asyncio.gather(*serving)
    truth.close()


@contextlib.asynccontextmanager
async def listening(bus_port: int, ears: Sequence[Callable[[bytes], Awaitable[None]]]) -> Any:
    """Hands each message of the bus to all ears while the block runs; subscribed on entry."""
    client = Redis(host=HOST, port=bus_port, socket_timeout=None)
    subscription = client.pubsub(ignore_subscribe_messages=True)
    await subscription.subscribe(CHANNEL)
    # Only the server's word that we are subscribed ends the time in which messages would be lost.
    await subscription.get_message(timeout=5)

    async def pump() -> None:
        async for message in subscription.listen():
            await asyncio.gather(*(hear(message["data"]) for hear in ears))

    pumping = asyncio.create_task(pump())
    try:
        yield
    finally:
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
        await client.aclose()


def _nodes(
    plan: ProcessPlan, http: httpx2.AsyncClient, truth: TruthLog, clocks: HostClocks
) -> Mapping[str, CacheNode]:
    topology = plan.topology
    if plan.layer == "edge":
        fetch = edge.fetch_from(topology.of("app", plan.region), http)
    else:
        (redis,) = topology.of("regional", plan.region)
        fetch = app.fetch_from(RegionalCache(redis, truth), http, topology.origin_port)
    return {
        address.name: CacheNode(address, fetch, truth, clocks)
        for address in topology.of(plan.layer, plan.region)
    }


def _handler(plan: ProcessPlan, node: CacheNode) -> Any:
    is_edge = plan.layer == "edge"
    return (edge.EdgeServer(node) if is_edge else app.AppServer(node, plan.token)).answer
