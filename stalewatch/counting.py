"""Reads the counters of nodes on a schedule, of themselves or of a Prometheus, and keeps them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import structlog

from collectors.counters.base import CounterSource
from collectors.counters.kinds import COUNTERS
from collectors.counters.nginx import NginxCounters
from collectors.counters.node import NodeCounters, ScrapedNode
from collectors.counters.own import OwnReads
from collectors.counters.presets import promql
from collectors.counters.prometheus import Look, Place, PrometheusSource, Query
from collectors.counters.prometheus_link import PrometheusLink
from collectors.counters.varnish import VarnishCounters
from stalewatch.config.counters import CounterQuery, PrometheusSettings
from stalewatch.counter_metrics import CounterMetrics
from stalewatch.wiring import Connected, LayerNodes, Wiring
from store.base import Store, StoreError
from store.counters import NODE, CounterRow

MOST_WAITING: Final = 5_000
"""Rows that wait for a store which takes none; beyond that the oldest are let go."""
NS: Final = 1_000_000_000

log = structlog.get_logger()


class Job(NamedTuple):
    """What is to run every so often."""

    name: str
    work: Callable[[], Awaitable[None]]
    every_s: float


@dataclass(frozen=True, slots=True)
class _Followed:
    """A node whose counters are read from itself; another connection is another node."""

    connected: Connected
    source: CounterSource
    counters: NodeCounters


@dataclass(slots=True)
class _Scraping:
    """A Prometheus, the nodes that it scrapes, and what was told of it last."""

    source: PrometheusSource
    nodes: dict[Place, tuple[Connected, ScrapedNode]]
    told: tuple[Sequence[str], ...] = ()


class Counting:
    """Counters of every node of a wiring, as long as it lasts; for the loop of the probes."""

    def __init__(self, wiring: Wiring, store: Store, metrics: CounterMetrics) -> None:
        self._wiring = wiring
        self._store = store
        self._metrics = metrics
        self._followed: dict[Place, _Followed] = {}
        self._scraping = {
            name: _Scraping(_prometheus(settings, wiring.clock.now_ns), {})
            for name, settings in wiring.config.prometheus.items()
        }
        self._waiting: list[CounterRow] = []

    def jobs(self) -> Iterator[Job]:
        """A job for each layer that counts, and for each Prometheus.

        The scheduler awaits what it knows for a coroutine function: a partial, and no lambda.
        """
        for name, layer in self._wiring.layers.items():
            settings = layer.layer.counters
            if settings.enabled and _counts(layer):
                yield Job(
                    f"counters {name}",
                    partial(self.look_at_layer, layer),
                    settings.interval.seconds,
                )
        for name, prometheus in self._wiring.config.prometheus.items():
            every_s = prometheus.interval.seconds
            yield Job(f"prometheus {name}", partial(self.look_at_prometheus, name), every_s)

    async def close(self) -> None:
        """Let go of everything that was opened for counters alone."""
        for followed in self._followed.values():
            await followed.source.close()
        for scraping in self._scraping.values():
            await scraping.source.close()

    async def look_at_layer(self, layer: LayerNodes) -> None:
        """Read the counters of every node of a layer, and keep what has come."""
        start_ns = self._wiring.clock.now_ns()
        await self._follow(layer)
        here = [each for place, each in self._followed.items() if place.layer == layer.name]
        rows = await asyncio.gather(*(each.counters.look(each.source) for each in here))
        self._observe(NODE, start_ns, rows)
        await self._keep(rows)

    async def look_at_prometheus(self, name: str) -> None:
        """Ask a Prometheus for every node that it is to know, and keep what has come."""
        scraping = self._scraping[name]
        start_ns, source = self._wiring.clock.now_ns(), f"prometheus:{name}"
        nodes = self._scraped(scraping, source)
        for _, node in nodes.values():
            node.begin()
        look = await scraping.source.look()
        known = {place: each for place, each in look.samples.items() if place in nodes}
        taken = [nodes[place][1].take(each) for place, each in known.items()]
        rows = [row for row in taken if row is not None]
        self._observe(source, start_ns, rows)
        self._tell(name, scraping, look)
        await self._keep(rows)

    async def _follow(self, layer: LayerNodes) -> None:
        """Follow the nodes that are connected now, and let go of those that are not any more."""
        for place, followed in list(self._followed.items()):
            _, connected = layer.nodes.get(place.node, (None, None))
            if place.layer == layer.name and connected is not followed.connected:
                await followed.source.close()
                del self._followed[place]
        for node, (_, connected) in layer.nodes.items():
            place = Place(layer.name, node)
            found = None if place in self._followed else self._open(layer, node)
            if found is not None:
                source, own = found
                is_prompt = not isinstance(source, VarnishCounters)
                counters = NodeCounters(*place, NODE, own, self._wiring.clock, is_prompt=is_prompt)
                self._followed[place] = _Followed(connected, source, counters)

    def _open(self, layer: LayerNodes, node: str) -> tuple[CounterSource, OwnReads] | None:
        """The source of a node's counters, and the account of what to take from them."""
        target, connected = layer.nodes[node]
        settings, now_ns = layer.layer.counters, self._wiring.clock.now_ns
        if settings.varnish is not None and node in settings.varnish.nodes:
            folder, command = settings.varnish.nodes[node], settings.varnish.command
            return VarnishCounters(folder, now_ns, command), connected.own
        if settings.nginx is not None and node in settings.nginx.nodes:
            # Its log names us: what we read is not in the counts.
            return NginxCounters(settings.nginx.nodes[node], now_ns, _agent(layer)), OwnReads()
        kind = COUNTERS.get(layer.layer.kind)
        if kind is None or kind.connect is None:
            return None
        return kind.connect(connected.server, target, layer.layer, now_ns), connected.own

    def _scraped(
        self, scraping: _Scraping, source: str
    ) -> dict[Place, tuple[Connected, ScrapedNode]]:
        """The nodes that are connected now, each followed since it was."""
        for layer in self._wiring.layers.values():
            for node, (_, connected) in layer.nodes.items():
                place = Place(layer.name, node)
                known = scraping.nodes.get(place)
                if known is None or known[0] is not connected:
                    counters = NodeCounters(*place, source, connected.own, self._wiring.clock)
                    scraping.nodes[place] = connected, ScrapedNode(counters, connected.own)
        for place in list(scraping.nodes):
            if place.node not in self._wiring.layers[place.layer].nodes:
                del scraping.nodes[place]
        return scraping.nodes

    def _tell(self, name: str, scraping: _Scraping, look: Look) -> None:
        """Say once what is amiss, and again when it has changed."""
        self._metrics.follow_unmapped(name, len(look.unmapped))
        strangers = [f"{p.layer}/{p.node}" for p in look.samples if p not in scraping.nodes]
        told = (look.unmapped, look.problems, strangers)
        if told == scraping.told:
            return
        scraping.told = told
        if look.problems:
            log.warning("prometheus does not tell all", prometheus=name, why=look.problems[:20])
        if look.unmapped:
            log.warning(
                "series of no node; write them down in nodes, or leave them out by match",
                prometheus=name, count=len(look.unmapped), series=look.unmapped[:20],
            )  # fmt: skip
        if strangers:
            log.warning("no such nodes", prometheus=name, nodes=strangers[:20])

    def _observe(self, source: str, start_ns: int, rows: Sequence[CounterRow]) -> None:
        self._metrics.observe_round(source, (self._wiring.clock.now_ns() - start_ns) / NS)
        for row in rows:
            self._metrics.note_look(row.layer, source, is_answered=not row.unanswered)

    async def _keep(self, rows: Sequence[CounterRow]) -> None:
        """Write what has come, with what waits; a store that takes nothing gets it next time."""
        waiting = [*self._waiting, *rows]
        self._waiting = []
        if not waiting:
            return
        try:
            await asyncio.to_thread(self._store.write_counters, waiting)
        except StoreError as error:
            log.error("counters wait for the store", rows=len(waiting), why=str(error))
            self._waiting = [*waiting, *self._waiting][-MOST_WAITING:]


def _counts(layer: LayerNodes) -> bool:
    kind, settings = COUNTERS.get(layer.layer.kind), layer.layer.counters
    has_own = kind is not None and kind.connect is not None
    return has_own or settings.varnish is not None or settings.nginx is not None


def _agent(layer: LayerNodes) -> str:
    """The User-Agent of our own requests."""
    headers = getattr(getattr(layer.layer, "request", None), "headers", {})
    named = (value for name, value in headers.items() if name.lower() == "user-agent")
    return next(named, "stalewatch")


def _prometheus(settings: PrometheusSettings, now_ns: Callable[[], int]) -> PrometheusSource:
    link = PrometheusLink(
        settings.url,
        now_ns,
        timeout_s=settings.timeout.seconds,
        auth=settings.auth,
        tls=settings.tls,
    )
    queries = [query for asked in settings.queries for query in _queries(asked)]
    return PrometheusSource(link, queries, now_ns)


def _queries(asked: CounterQuery) -> list[Query]:
    """A query for each counter of a preset, or the one."""
    if asked.preset is not None:
        found = promql(asked.preset, asked.label, asked.match)
    else:
        found = {asked.counter or "": asked.promql or ""}
    return [
        Query(asked.layer, counter, text, asked.label, asked.nodes)
        for counter, text in found.items()
    ]
