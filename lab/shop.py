"""Runs the shop in its processes until it is told to stop."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from redis.asyncio import Redis

from lab.catalogue import CHANNEL, HOST, SHARD
from lab.config import write_config
from lab.control import RemoteNode
from lab.ending import end_all
from lab.faults.schedule import Schedule
from lab.http_service import Service
from lab.inbox import Inbox
from lab.layers.process import listening
from lab.layers.regional import RegionalNode
from lab.layers.shard import Shards
from lab.layers.target import LocalTarget, Target
from lab.origin import Origin
from lab.parts import START_TIMEOUT_S, Options, Parts, started
from lab.ports import port_of
from lab.tracing import traced
from lab.truth import TruthLog
from lab.workload import Workload, clients_of
from lab.writer import Writer
from stalewatch_sdk.publisher import Publisher

_TICK_S: Final = 0.5


def run_shop(options: Options) -> None:
    """Runs a lab until SIGTERM, SIGINT or the end of its standard input."""
    # The tracer comes after the other processes were forked: it has a thread.
    with started(options) as parts, traced(parts.topology.traces_port, "shop"):
        asyncio.run(_run(options, parts))


async def _run(options: Options, parts: Parts) -> None:
    stopped = asyncio.Event()
    _stop_on_signals(parts, stopped.set)
    log = TruthLog(options.lab_dir, "shop")
    origin = Origin(options.lab_dir, log, options.seed, options.regions)
    regionals = [RegionalNode(node, origin, log) for node in parts.topology.of("regional")]
    sharded = [RegionalNode(node, origin, log) for node in parts.topology.of(SHARD)]
    shards = Shards(sharded, origin, options.seed) if sharded else None
    inbox = Inbox()
    taking = await inbox.listen(parts.inbox_listener)
    services = [
        Service(origin.answer, parts.origin_listener),
        Service(inbox.answer, parts.inbox_page_listener),
        *(
            Service(origin.answer_as(region), listener)
            for region, listener in parts.replica_listeners.items()
        ),
    ]
    serving = [asyncio.create_task(service.run_until_exit()) for service in services]
    for line in parts.lines.values():
        await asyncio.wait_for(line.open(), START_TIMEOUT_S)
    ears = [*(node.ear.hear for node in regionals), *(shards.ears() if shards else ())]
    async with listening(parts.topology.bus_port, ears), _writer(options, parts, origin) as writer:
        _announce(options, parts)
        async with _traffic(
            options, parts, writer, [*regionals, *sharded], shards, log, stopped.set
        ):
            await stopped.wait()
    log.ticked()
    taking.close()
    for service in services:
        service.should_exit = True
    await asyncio.gather(*serving)
    for node in (*regionals, *sharded):
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
    redises: Sequence[RegionalNode],
    shards: Shards | None,
    log: TruthLog,
    stop: Callable[[], None],
) -> AsyncIterator[None]:
    """The workload, the faults and the ticks of the truth, while the block runs."""
    remotes = [
        RemoteNode(node, parts.lines[node.layer, node.region])
        for node in parts.topology.nodes
        if node.name not in {redis.address.name for redis in redises}
    ]
    targets: list[Target] = [*remotes, *(LocalTarget(node) for node in redises)]
    async with clients_of(parts.topology) as clients:
        schedule = Schedule(
            targets, writer, log, options.seed, None if shards is None else shards.owner
        )
        runs = [Workload(writer, parts.topology, clients, options.seed).run(), _tick(log)]
        runs.append(_obey(schedule, stop))
        if shards is not None:
            runs.append(shards.read_on())
        if options.has_faults:
            runs.append(schedule.run())
        tasks = [asyncio.create_task(run) for run in runs]
        try:
            yield
        finally:
            await end_all(tasks)
            await schedule.cancel()


async def _tick(log: TruthLog) -> None:
    while True:
        log.ticked()
        await asyncio.sleep(_TICK_S)


async def _obey(schedule: Schedule, stop: Callable[[], None]) -> None:
    """Injects the faults asked for on standard input, a JSON object a line; its end is ours.

    Each order is answered by a JSON object on a line of standard output.
    """
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return  # a terminal, or nothing: nobody started us to be stopped so
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(_answer(schedule, line)), flush=True)
    stop()


def _answer(schedule: Schedule, line: bytes) -> dict[str, str]:
    try:
        order = json.loads(line)
        return {"fault": schedule.inject(order["kind"], order.get("node"), order["duration_s"])}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"error": f"not an order: {error!r}"}


def _stop_on_signals(parts: Parts, stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    for process in parts.processes:
        loop.add_reader(process.sentinel, stop)  # without one of its parts the lab is none


def _announce(options: Options, parts: Parts) -> None:
    config = write_config(
        options.lab_dir,
        parts.topology,
        parts.token_file,
        options.listen,
        port_of(parts.inbox_listener),
        reads_replicas=options.reads_replicas,
    )
    nodes = [
        {"layer": node.layer, "name": node.name, "region": node.region, "address": node.target}
        for node in parts.topology.nodes
    ]
    ready = {
        "config": str(config),
        "dir": str(options.lab_dir),
        "pid": os.getpid(),
        "nodes": nodes,
        "inbox": f"http://{HOST}:{port_of(parts.inbox_page_listener)}/",
    }
    print(json.dumps(ready), flush=True)
