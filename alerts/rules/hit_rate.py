"""The hit rate of a layer or of its nodes, below a share, or lower than it was.

It rests on what nodes count of themselves, without our own reads. These are known up to bounds, so
the rate is a value with bounds: it fires where even the upper one is too low.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Final, Literal, NamedTuple

from alerts.chart import BARS, Chart, freeze
from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import (
    NS_PER_S,
    Common,
    in_seconds,
    listed_nodes,
    place_in_words,
    share_in_words,
)
from freshness.counters import Bounded, hit_rate
from freshness.counters import HitRate as Rate
from freshness.spark import fill_grid
from store.base import NodeRow, Store
from store.counters import NODE, CounterRow
from store.node_counters import (
    HOUR_NS,
    MINUTE_NS,
    MINUTES_UP_TO_NS,
    CountedWindow,
    NodeCounts,
    add_up,
    read_counts,
)

LEAST_COVERED: Final = 0.75
"""The part of a window that counters must speak for: looks and minutes do not meet exactly."""
NodeName = tuple[str, str]


class Counted(NamedTuple):
    """What the nodes of one look counted in a window.

    `whole` of `nodes` told enough of it, and `rate` is of these; None where nobody looked up
    anything, or the accounts do not agree.
    """

    nodes: int
    whole: int
    rate: Rate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRate(Common):
    """The rule. `below` is a share, `drop` the share by which the rate fell against before.

    Both are judged where both are given. A window with fewer than `least` lookups says nothing.
    """

    kind: ClassVar[str] = "hit-rate"
    layer: str
    node: str | None = None
    by: Literal["node", "layer"] = "node"
    window_ns: int = 600 * NS_PER_S
    below: float | None = None
    drop: float | None = None
    least: int = 100

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each node of the layer, or one at the layer."""
        since_ns = now_ns - self.window_ns
        own = listed_nodes(store.nodes(), self.layer, self.node)
        newest = self._read(store, since_ns, now_ns)
        before = self._read(store, since_ns - self.window_ns, since_ns) if self.drop else {}
        groups = [own] if self.by == "layer" and own else [[row] for row in own]
        return [
            self.judge(group, self._count(group, newest), self._count(group, before), now_ns)
            for group in groups
        ]

    def judge(self, nodes: Sequence[NodeRow], now: Counted, before: Counted, now_ns: int) -> Look:
        """What the counters of these nodes say, taken together."""
        first = nodes[0]
        labels = {"layer": first.layer}
        labels |= {"node": first.node} if self.by == "node" else {}
        conditions = [
            *([self._below(now, self.below)] if self.below is not None else []),
            *([self._dropped(now, before, self.drop)] if self.drop is not None else []),
        ]
        condition, summary = min(conditions, key=lambda each: _FIRMEST.index(each[0]))
        rate = now.rate
        name = first.layer if self.by == "layer" else f"{first.layer}/{first.node}"
        return Look(
            labels=labels,
            condition=condition,
            summary=f"{name}: {summary}",
            value=None if rate is None else rate.share,
            evidence=[f"{name}: {said}" for _, said in conditions],
            link=overview_link(labels, now_ns),
            is_inhibited=not any(row.state == "up" for row in nodes),
            figures=_figures(rate, before.rate),
        )

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:
        """The hit rate by minute over an hour, or both windows where these are longer."""
        span_ns = max(HOUR_NS, 2 * self.window_ns)
        grain_ns = MINUTE_NS if span_ns <= MINUTES_UP_TO_NS else HOUR_NS
        width_ns = -(-span_ns // (BARS * grain_ns)) * grain_ns
        # What has not ended yet was not counted whole.
        until_ns = now_ns // width_ns * width_ns
        bars = -(-span_ns // width_ns)
        since_ns = until_ns - bars * width_ns
        node = labels.get("node", self.node)
        counted = read_counts(store, since_ns, until_ns, self.layer, node)
        nodes = [(row.layer, row.node) for row in listed_nodes(store.nodes(), self.layer, node)]
        by = {HOUR_NS: "hour", MINUTE_NS: "minute"}.get(width_ns, in_seconds(width_ns))
        return freeze(
            f"Hit rate of {'/'.join(filter(None, (self.layer, node)))}, by {by}",
            "share",
            (since_ns, until_ns),
            fill_grid(
                _by_bucket(counted, nodes, width_ns),
                since_ns // NS_PER_S,
                width_ns // NS_PER_S,
                bars,
            ),
            self.below,
            is_floor=True,
        )

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        whole = f"the whole layer {self.layer}"
        of = whole if self.by == "layer" else place_in_words(self.layer, self.node)
        window = in_seconds(self.window_ns)
        ways = [
            f"is below {share_in_words(self.below)}" if self.below is not None else "",
            f"fell by more than {share_in_words(self.drop)} against the {window} before"
            if self.drop is not None
            else "",
        ]
        return (
            f"Fires when the hit rate of {of} over {window}, our own reads left out,"
            f" {' or '.join(filter(None, ways))}, for certain; of {self.least} lookups at least."
        )

    def _below(self, now: Counted, below: float) -> tuple[Condition, str]:
        rate = now.rate
        why = self._why_unknown(now)
        if rate is None or why:
            return Condition.UNKNOWN, why
        said = f"the hit rate is {_between(rate)}"
        if rate.upper < below:
            return Condition.HOLDS, f"{said}, below {share_in_words(below)}"
        if rate.lower < below:
            return Condition.UNKNOWN, f"{said}, and may be below {share_in_words(below)} or not"
        return Condition.CLEAR, said

    def _dropped(self, now: Counted, before: Counted, drop: float) -> tuple[Condition, str]:
        rate, earlier = now.rate, before.rate
        why = self._why_unknown(now) or self._why_unknown(before, "before")
        if rate is None or earlier is None or why:
            return Condition.UNKNOWN, why
        said = f"the hit rate is {_between(rate)}, and was {_between(earlier)} before"
        if earlier.lower - rate.upper > drop:
            return Condition.HOLDS, said
        if earlier.upper - rate.lower > drop:
            return Condition.UNKNOWN, f"{said}: it may have fallen by so much or not"
        return Condition.CLEAR, said

    def _why_unknown(self, counted: Counted, when: str = "") -> str:
        window = f"{in_seconds(self.window_ns)}{f' {when}' if when else ''}"
        if counted.whole < counted.nodes:
            return (
                f"{counted.nodes - counted.whole} of {counted.nodes} nodes did not count hits"
                f" and misses for the last {window}"
            )
        if counted.rate is None:
            return f"nobody looked up anything in the last {window}, but for ourselves"
        if counted.rate.lookups < self.least:
            return f"only {counted.rate.lookups} lookups in the last {window}"
        return ""

    def _read(self, store: Store, since_ns: int, until_ns: int) -> dict[NodeName, CounterRow]:
        """The counts of each node: its own word, else that of a Prometheus."""
        found = read_counts(store, since_ns, until_ns, self.layer, self.node).nodes
        rows = sorted((each.total for each in found), key=lambda row: row.source == NODE)
        return {(row.layer, row.node): row for row in rows}

    def _count(self, nodes: Iterable[NodeRow], rows: dict[NodeName, CounterRow]) -> Counted:
        names = [(row.layer, row.node) for row in nodes]
        found = [rows[name] for name in names if name in rows]
        told = [row for row in found if _is_whole(row, self.window_ns)]
        return Counted(len(names), len(told), _rate(told))


_FIRMEST: Final = (Condition.HOLDS, Condition.UNKNOWN, Condition.CLEAR)


def _is_whole(row: CounterRow, width_ns: int) -> bool:
    tells = row.hits is not None and row.misses is not None
    return tells and row.covered_ns >= LEAST_COVERED * width_ns


def _by_bucket(
    counted: CountedWindow, nodes: Sequence[NodeName], width_ns: int
) -> Iterator[tuple[int, float]]:
    """The hit rate of each bucket, by its Unix second, of which all these nodes told enough."""
    told: dict[int, dict[NodeName, CounterRow]] = {}
    for each in sorted(counted.nodes, key=lambda each: each.total.source == NODE):
        name = (each.total.layer, each.total.node)
        for start_s, row in _buckets(each, width_ns):
            if _is_whole(row, width_ns):
                told.setdefault(start_s, {})[name] = row
    for start_s, rows in told.items():
        found = [rows[name] for name in nodes if name in rows]
        rate = _rate(found) if len(found) == len(nodes) else None
        if rate is not None:
            yield start_s, rate.share


def _buckets(each: NodeCounts, width_ns: int) -> Iterator[tuple[int, CounterRow]]:
    width_s = width_ns // NS_PER_S
    for start_s, rows in groupby(each.buckets, lambda row: row.start_s // width_s * width_s):
        yield start_s, add_up(list(rows))


def _rate(rows: Sequence[CounterRow]) -> Rate | None:
    hits = sum(row.hits or 0 for row in rows)
    misses = sum(row.misses or 0 for row in rows)
    own_hits = [Bounded(*row.own_hits) for row in rows]
    own_misses = [Bounded(*row.own_misses) for row in rows]
    return hit_rate(hits, misses, _sum(own_hits), _sum(own_misses))


def _sum(parts: Sequence[Bounded]) -> Bounded:
    return Bounded(
        sum(part.lower for part in parts),
        sum(part.value for part in parts),
        sum(part.upper for part in parts),
    )


def _between(rate: Rate) -> str:
    if rate.lower == rate.upper:
        return share_in_words(rate.share)
    return f"{share_in_words(rate.lower)} to {share_in_words(rate.upper)}"


def _figures(now: Rate | None, before: Rate | None) -> dict[str, str]:
    figures = {}
    if now is not None:
        figures = {"hit rate": _between(now), "lookups by others": f"{now.lookups:,}"}
    if before is not None:
        figures["hit rate before"] = _between(before)
    return figures
