"""Polls of the tracing back ends of a config, each on its own interval, from start to stop."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog

from collectors.trace_kinds import TRACE_SOURCES
from collectors.trace_poll import Polled, Poller
from collectors.traces import TraceError, TraceSource
from stalewatch.clock import wall_ns
from stalewatch.config.model import Config
from stalewatch.mapping import make_mapper, make_names
from stalewatch.metrics import Metrics
from stalewatch.tracing import span
from store.base import Store, StoreError

END_S: Final = 5.0
"""How long a poll that is under way may take once everything is to end."""
NS_PER_S: Final = 1_000_000_000

log = structlog.get_logger()


def open_sources(config: Config) -> dict[str, TraceSource]:
    """Every source of a config, by name; nobody is asked yet."""
    names = make_names(config)
    return {
        name: TRACE_SOURCES[entry.kind].connect(entry, names)
        for name, entry in config.traces.poll.items()
    }


class TracePolling:
    """A task a source. A source that is down is told and asked again; it ends nothing."""

    def __init__(self, config: Config, store: Store, metrics: Metrics) -> None:
        # What an entry has besides its kind, the model of the kind knows.
        self._entries: dict[str, Any] = {**config.traces.poll}
        self._sources = open_sources(config)
        self._pollers = {
            name: Poller(
                source, make_mapper(config, store), store, wall_ns, self._entries[name].lookback.ns
            )
            for name, source in self._sources.items()
        }
        self._metrics = metrics.traces
        self._problems: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._is_ending = asyncio.Event()

    def start(self) -> None:
        """Begin, on the running loop."""
        self._tasks = [asyncio.create_task(self._run(name)) for name in self._sources]

    async def stop(self) -> None:
        """End the polls that are under way, and let go of every connection."""
        self._is_ending.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for source in self._sources.values():
            await source.close()

    def problems(self) -> Sequence[str]:
        """What is wrong with sources now; empty where nothing is."""
        return [f"trace source {name}: {why}" for name, why in sorted(self._problems.items())]

    async def _run(self, name: str) -> None:
        interval_ns = self._entries[name].interval.ns
        due_ns = time.monotonic_ns()
        while not self._is_ending.is_set():
            await self._poll(name)
            # A poll that took longer than the interval is followed by a pause all the same.
            due_ns = max(due_ns + interval_ns, time.monotonic_ns() + interval_ns // 10)
            left_s = (due_ns - time.monotonic_ns()) / NS_PER_S
            try:
                await asyncio.wait_for(self._is_ending.wait(), max(0.0, left_s))
            except TimeoutError:
                continue

    async def _poll(self, name: str) -> None:
        polled, began_ns, why = Polled(), time.monotonic_ns(), ""
        with span("poll traces", {"stalewatch.trace_source": name}) as current:
            try:
                await self._pollers[name].poll(polled)
            except TraceError as error:
                why = str(error)
            except StoreError as error:
                why = f"the store takes no messages: {error}"
            except Exception:
                log.exception("a poll failed", source=name)
                why = "the poll failed; the log says how"
            current.end(why, {"stalewatch.searches": polled.searches})
        seconds = (time.monotonic_ns() - began_ns) / NS_PER_S
        self._metrics.observe(name, seconds, polled.outcomes, polled.cut, is_up=not why)
        if not why and polled.cut:
            why = "not everything was read: " + ", ".join(sorted(polled.cut))
        self._tell(name, why)

    def _tell(self, name: str, why: str) -> None:
        """Log a change, once."""
        before = self._problems.get(name, "")
        if why and why != before:
            log.warning("a trace source has a problem", source=name, why=why)
        elif before and not why:
            log.info("a trace source is well again", source=name)
        self._problems[name] = why
        if not why:
            del self._problems[name]
