"""One node as one source counts it: from look to look, what goes to the store."""

from collections import deque
from dataclasses import replace
from typing import Final

from collectors.base import Clock
from collectors.counters.base import CounterSample, CounterSource
from collectors.counters.own import OwnReads
from freshness.counters import GAUGES, GROWING, Gap, Own, Sample, difference
from store.counters import CounterRow

NS: Final = 1_000_000_000
_MINUTE_S: Final = 60


class NodeCounters:
    """Remembers the last look at a node, and says what has happened since.

    `source` is the store's name of whoever counts; `own` is the account of our reads there. A node
    that is not `is_prompt` may not have counted yet what it has answered since the look before.
    """

    def __init__(
        self, layer: str, node: str, source: str, own: OwnReads, clock: Clock,
        *, is_prompt: bool = True,
    ) -> None:  # fmt: skip
        self.layer, self.node, self.source = layer, node, source
        self._is_prompt = is_prompt
        self._own_then = own.now()
        self._own = own
        self._clock = clock
        self._last: Sample | None = None

    async def look(self, source: CounterSource) -> CounterRow:
        """Ask the node now."""
        then, self._own_then = self._own_then, self._own.now()
        before = self._own_then if self._is_prompt else then
        told = await source.sample()
        return self.take(told, before, self._own.now())

    def take(self, told: CounterSample, before: Own, after: Own) -> CounterRow:
        """What a look adds to its minute; our own reads stood like that around it."""
        at_ns = told.end_ns + self._clock.as_row().wall_offset_ns
        start_s = at_ns // NS // _MINUTE_S * _MINUTE_S
        row = CounterRow(start_s, self.layer, self.node, self.source, last_at_ns=at_ns)
        if told.counters is None:
            return replace(row, unanswered=1, why=told.why)
        sample = Sample(
            self._clock.as_row().id, told.start_ns, told.end_ns, told.counters, before, after,
            told.identity, told.uptime_s,
        )  # fmt: skip
        last, self._last = self._last, sample
        gauges = {name: getattr(told.counters, name) for name in GAUGES}
        row = replace(row, answered=1, **gauges)
        return row if last is None else _with_growth(row, last, sample)


class ScrapedNode:
    """A node that Prometheus scrapes: the same values twice are one look, seen twice.

    What a look shows was read from the node after the look before the last began: the last did not
    show it, and no scrape takes longer than from one look to the next. So our own reads since then
    may lie on either side of it.
    """

    def __init__(self, counters: NodeCounters, own: OwnReads) -> None:
        self._counters = counters
        self._own = own
        self._seen: CounterSample | None = None
        self._starts: deque[Own] = deque(maxlen=3)

    def begin(self) -> None:
        """A look begins."""
        self._starts.append(self._own.now())

    def take(self, told: CounterSample) -> CounterRow | None:
        """What the look that began adds; None where it shows nothing new, and at first."""
        seen, self._seen = self._seen, told
        if told.counters is None:
            return self._counters.take(told, self._starts[0], self._own.now())
        if seen is None or seen.counters is None or len(self._starts) < 3:
            return None  # when it was scraped nobody can tell
        if (seen.counters, seen.uptime_s) == (told.counters, told.uptime_s):
            return None
        since = replace(told, start_ns=seen.start_ns)
        return self._counters.take(since, self._starts[0], self._own.now())


def _with_growth(row: CounterRow, last: Sample, sample: Sample) -> CounterRow:
    found = difference(last, sample)
    if isinstance(found, Gap):
        return replace(row, restarts=0 if found is Gap.NEW_CLOCK else 1)
    return replace(
        row,
        covered_ns=found.end_ns - found.start_ns,
        own_hits=(*found.own_hits,),
        own_misses=(*found.own_misses,),
        **{name: getattr(found.grown, name) for name in GROWING},
    )
