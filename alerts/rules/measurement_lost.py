"""Measurement itself is lost: rounds that did not run, an origin or a layer that does not answer,
a source of messages that could not be heard.

Other alerts are frozen by such a loss; this one is what tells of it, so it is never unknown but
about a past that is not kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final

from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import (
    NS_PER_S,
    Common,
    first_lines,
    in_seconds,
    listed_nodes,
    share_in_words,
)
from store.base import ORIGIN, NodeRow, Store
from store.gaps import GapRow
from store.past import UNTOLD

MINUTE_NS: Final = 60 * NS_PER_S
HOUR_NS: Final = 60 * MINUTE_NS
LEAST_COVERAGE: Final = 0.9
Seen = tuple[Condition, str, list[str]]


@dataclass(frozen=True, slots=True)
class Minutes:
    """The minutes of one keyspace in which anything was read, from `since_ns` on, as starts."""

    keyspace: str
    since_ns: int
    starts: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementLost(Common):
    """The rule. `intervals_ns` has the time from round to round of each keyspace.

    `origins` and `layers` are those in use, `sources` the taps that should be heard.
    """

    kind: ClassVar[str] = "measurement-lost"
    intervals_ns: Mapping[str, int]
    origins: Sequence[str] = ()
    layers: Sequence[str] = ()
    sources: Sequence[str] = field(default=())
    window_ns: int = 15 * MINUTE_NS
    coverage: float = LEAST_COVERAGE
    stale_after_ns: int = 5 * MINUTE_NS

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each keyspace, origin, layer and source."""
        nodes = store.nodes()
        looks = [self.judge_rounds(each, now_ns) for each in self._minutes(store, nodes, now_ns)]
        looks += self.judge_places(nodes, now_ns)
        gaps = store.gaps(now_ns - self.window_ns, now_ns + 1) if self.sources else []
        return [*looks, *(self.judge_source(each, gaps, now_ns) for each in self.sources)]

    def judge_rounds(self, minutes: Minutes, now_ns: int) -> Look:
        """Whether rounds ran: the newest one, and the share of those that should have."""
        width_ns = self._slice_ns(minutes.keyspace)
        until_ns = now_ns // width_ns * width_ns
        since_ns = max(until_ns - self._span_ns(minutes.keyspace), minutes.since_ns)
        expected = range(-(-since_ns // width_ns) * width_ns, until_ns, width_ns)
        missing = [at for at in expected if not _has_any(minutes.starts, at, width_ns)]
        newest_ns = max(minutes.starts, default=minutes.since_ns - MINUTE_NS) + MINUTE_NS
        behind_ns = now_ns - newest_ns
        seen = self._rounds(minutes, missing, len(expected), behind_ns)
        missed = sum(self._slice_ns(minutes.keyspace) for _ in missing)
        figures = {"rounds missing for": in_seconds(missed)} if missed else {}
        labels = {"keyspace": minutes.keyspace}
        return _look(labels, seen, now_ns, max(0, behind_ns) / NS_PER_S, figures)

    def judge_places(self, nodes: Sequence[NodeRow], now_ns: int) -> list[Look]:
        """Whether each origin answers, and any node of each layer."""
        looks = [
            _look({"origin": row.node}, _origin(row), now_ns)
            for row in nodes
            if row.layer == ORIGIN and row.node in self.origins
        ]
        for layer in self.layers:
            own = listed_nodes(nodes, layer)
            looks += [_look({"layer": layer}, _layer(layer, own), now_ns)] if own else []
        return looks

    def judge_source(self, source: str, gaps: Sequence[GapRow], now_ns: int) -> Look:
        """Whether a source could be heard all the time."""
        own = [row for row in gaps if row.source == source]
        lines = [_line(row, now_ns) for row in own]
        seen: Seen = Condition.CLEAR, f"source {source} was heard all the time", []
        if own:
            seen = Condition.HOLDS, f"source {source} could not be heard: {own[0].why}", lines
        return _look({"source": source}, seen, now_ns)

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        window = in_seconds(self.window_ns)
        source = f", or a source of messages could not be heard in {window}" if self.sources else ""
        return (
            f"Fires when no round of a keyspace was read for {in_seconds(self.stale_after_ns)} or"
            f" less than {share_in_words(self.coverage)} of those in {window}, an origin or every"
            f" node of a layer does not answer{source}."
        )

    def _rounds(self, minutes: Minutes, missing: Sequence[int], of: int, behind_ns: int) -> Seen:
        name, width = minutes.keyspace, in_seconds(self._slice_ns(minutes.keyspace))
        lines = first_lines([f"nothing was read of {name} at {_minute(at)}" for at in missing])
        if behind_ns > max(self.stale_after_ns, 3 * self._slice_ns(name)):
            return Condition.HOLDS, f"{name} was not read for {in_seconds(behind_ns)}", lines
        if len(missing) > (1 - self.coverage) * of:
            said = f"{name} was not read in {len(missing)} of {of} stretches of {width}"
            return Condition.HOLDS, said, lines
        return Condition.CLEAR, f"{name} was read in {of - len(missing)} of {of} stretches", []

    def _minutes(self, store: Store, nodes: Sequence[NodeRow], now_ns: int) -> Iterator[Minutes]:
        """What was read of each keyspace; what was before its first read is not missing."""
        known_ns = min((row.since_at_ns for row in nodes), default=now_ns)
        for keyspace in self.intervals_ns:
            since_ns = (now_ns - 2 * self._span_ns(keyspace)) // MINUTE_NS * MINUTE_NS
            cells = store.rollups("minute", since_ns, now_ns + 1, keyspace)
            starts = frozenset(key.start_s * NS_PER_S for key, _ in cells)
            began_ns = min([known_ns, *starts])
            if began_ns > since_ns and _has_older(store, keyspace, since_ns):
                began_ns = since_ns
            yield Minutes(keyspace, max(since_ns, began_ns), starts)

    def _slice_ns(self, keyspace: str) -> int:
        """Each stretch of this width should have a round, two where they are seldom."""
        return max(1, -(-2 * self.intervals_ns[keyspace] // MINUTE_NS)) * MINUTE_NS

    def _span_ns(self, keyspace: str) -> int:
        return max(self.window_ns, 5 * self._slice_ns(keyspace))


def _has_older(store: Store, keyspace: str, before_ns: int) -> bool:
    """Whether it was measured in the day before: nodes that a restart met anew do not tell."""
    before_ns = before_ns // HOUR_NS * HOUR_NS
    return bool(store.rollups("hour", before_ns - 24 * HOUR_NS, before_ns, keyspace))


def _minute(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _has_any(starts: frozenset[int], at: int, width_ns: int) -> bool:
    return any(start in starts for start in range(at, at + width_ns, MINUTE_NS))


def _origin(row: NodeRow) -> Seen:
    if row.why == UNTOLD:
        return Condition.UNKNOWN, f"origin {row.node}: {UNTOLD}", []
    if row.state == "up":
        return Condition.CLEAR, f"origin {row.node} answers", []
    why = row.why or "no answer yet"
    return Condition.HOLDS, f"origin {row.node} does not answer", [f"{row.address}: {why}"]


def _layer(layer: str, nodes: Sequence[NodeRow]) -> Seen:
    if any(row.state == "up" for row in nodes):
        return Condition.CLEAR, f"layer {layer} answers", []
    if any(row.why == UNTOLD for row in nodes):
        return Condition.UNKNOWN, f"layer {layer}: {UNTOLD}", []
    lines = [f"{row.node} at {row.address}: {row.why or 'no answer yet'}" for row in nodes]
    return Condition.HOLDS, f"no node of layer {layer} answers", first_lines(lines)


def _line(row: GapRow, now_ns: int) -> str:
    length = in_seconds((row.until_ns or now_ns) - row.since_ns)
    goes_on = ", and it goes on" if row.until_ns is None else ""
    return f"{row.source} could not be heard for {length}{goes_on}: {row.why}"


def _look(
    labels: Mapping[str, str],
    seen: Seen,
    now_ns: int,
    value: float | None = None,
    figures: Mapping[str, str] | None = None,
) -> Look:
    condition, summary, evidence = seen
    return Look(
        labels=labels,
        condition=condition,
        summary=summary,
        value=value,
        evidence=evidence,
        link=overview_link(labels, now_ns),
        figures=figures or {},
    )
