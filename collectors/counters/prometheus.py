"""Counters of cache nodes from a Prometheus that scrapes their exporters already.

All counters of a layer are asked for in one query, so that they are of one scrape. Which series is
which node is written down, never guessed; a series that nobody has mapped is counted and told. When
a value was scraped Prometheus' clock would say, not ours: so a value counts from the first look
that shows it, and our own reads since the look before are of unknown side.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from collectors.base import NowNs
from collectors.counters.base import CounterSample, whole
from collectors.counters.presets import UPTIME
from collectors.counters.prometheus_link import PrometheusLink, QueryError
from collectors.options import shown
from freshness.counters import Counters

COUNTER: Final = "stalewatch_counter"
"""The label that we put on each part of a query, to know its counter by."""
MOST_TOLD: Final = 20


class Place(NamedTuple):
    """A node of ours."""

    layer: str
    node: str


@dataclass(frozen=True, slots=True)
class Query:
    """One counter of one layer; `nodes` maps values of `label` to names of nodes."""

    layer: str
    counter: str
    promql: str
    label: str
    nodes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """What one Prometheus said of all its layers at one time."""

    samples: Mapping[Place, CounterSample]
    unmapped: Sequence[str] = ()
    """Series that no node is written down for, as `layer/label value`; each once."""
    problems: Sequence[str] = ()
    """Why a layer, or one counter of a node, is not known."""


@dataclass(slots=True)
class _Found:
    """Values of one layer, as they are gathered."""

    values: dict[tuple[str, str], int | None] = field(default_factory=dict)
    unmapped: dict[str, None] = field(default_factory=dict)
    twice: dict[tuple[str, str], None] = field(default_factory=dict)


class PrometheusSource:
    """One Prometheus, and what is asked of it."""

    def __init__(self, link: PrometheusLink, queries: Sequence[Query], now_ns: NowNs) -> None:
        self._link = link
        self._now_ns = now_ns
        self._layers: dict[str, list[Query]] = {}
        for query in queries:
            self._layers.setdefault(query.layer, []).append(query)

    async def look(self) -> Look:
        """Ask for every layer. Never raises for what Prometheus does."""
        looks = [await self._look_at(layer, asked) for layer, asked in self._layers.items()]
        samples = {place: each for look in looks for place, each in look.samples.items()}
        return Look(
            samples,
            [name for look in looks for name in look.unmapped],
            [why for look in looks for why in look.problems],
        )

    async def close(self) -> None:
        """Let go of every connection."""
        await asyncio.to_thread(self._link.close)

    async def _look_at(self, layer: str, queries: Sequence[Query]) -> Look:
        nodes = sorted({node for query in queries for node in query.nodes.values()})
        start_ns = self._now_ns()
        try:
            series = await asyncio.to_thread(self._link.ask, combined(queries))
        except QueryError as error:
            end_ns, why = self._now_ns(), f"prometheus: {error}"
            failed = CounterSample(start_ns, end_ns, why=why)
            return Look({Place(layer, node): failed for node in nodes}, (), [f"{layer}: {why}"])
        end_ns, found = self._now_ns(), sort_out(series, queries)
        samples = {Place(layer, node): _sample(node, found, start_ns, end_ns) for node in nodes}
        problems = [
            f"{layer}: {node}: several series for {counter}; sum them in the query"
            for node, counter in found.twice
        ]
        return Look(samples, [f"{layer}/{name}" for name in found.unmapped], problems)


def combined(queries: Iterable[Query]) -> str:
    """One query for all of them, each part under a label of its own."""
    parts = [
        f'label_replace(({query.promql}), "{COUNTER}", "{number}", "", "")'
        for number, query in enumerate(queries)
    ]
    return " or ".join(parts)


def sort_out(series: Sequence[Any], queries: Sequence[Query]) -> _Found:
    """Which value is which counter of which node. What two series claim is known of neither."""
    found = _Found()
    for each in series:
        query, name, value = _read(each, queries)
        if query is None:
            continue
        node = query.nodes.get(name)
        if node is None:
            found.unmapped[shown(name, 80)] = None
        elif (node, query.counter) in found.values:
            found.values[node, query.counter] = None
            found.twice[node, query.counter] = None
        else:
            found.values[node, query.counter] = value
    return found


def _read(series: Any, queries: Sequence[Query]) -> tuple[Query | None, str, int | None]:
    """The query that a series answers, the value of its label, and its count."""
    try:
        labels, (_, text) = series["metric"], series["value"]
        query = queries[int(labels[COUNTER])]
        return query, str(labels.get(query.label, "")), whole(text)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError):
        return None, "", None


def _sample(node: str, found: _Found, start_ns: int, end_ns: int) -> CounterSample:
    values = {counter: count for (name, counter), count in found.values.items() if name == node}
    uptime_s = values.pop(UPTIME, None)
    if not values:
        return CounterSample(start_ns, end_ns, why="prometheus: has no series of this node")
    if values.get("memory_limit_bytes") == 0:  # 0 is no limit
        values["memory_limit_bytes"] = None
    return CounterSample(start_ns, end_ns, Counters(**values), uptime_s=uptime_s)
