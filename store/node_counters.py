"""Counters of a window, by node and source, read from any store: for pages, the API and rules.

Windows of more than six hours are read from hours; minutes and hours take the same rows at once,
so that neither lags behind the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from freshness.counters import GAUGES, GROWING, Bounded, HitRate, hit_rate, less
from store.base import Store
from store.counters import CounterRow

NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * NS
HOUR_NS: Final = 60 * MINUTE_NS
MINUTES_UP_TO_NS: Final = 6 * HOUR_NS


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """One node as one source counted it: bucket by bucket, and all together."""

    total: CounterRow
    buckets: Sequence[CounterRow]


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """[since, until) as it was read, in buckets of `width_ns`; nodes by layer, name and source."""

    since_ns: int
    until_ns: int
    width_ns: int
    nodes: Sequence[NodeCounts]


def read_counts(
    store: Store, since_ns: int, until_ns: int, layer: str | None = None, node: str | None = None
) -> CountedWindow:
    """What nodes counted in a window, from the start of its first bucket on."""
    is_wide = until_ns - since_ns > MINUTES_UP_TO_NS
    width_ns = HOUR_NS if is_wide else MINUTE_NS
    since_ns = since_ns // width_ns * width_ns
    rows = store.counters("hour" if is_wide else "minute", since_ns, until_ns, layer, node)
    places: dict[tuple[str, str, str], list[CounterRow]] = {}
    for row in rows:
        places.setdefault((row.layer, row.node, row.source), []).append(row)
    nodes = [NodeCounts(add_up(found), found) for _, found in sorted(places.items())]
    return CountedWindow(since_ns, until_ns, width_ns, nodes)


def add_up(rows: Sequence[CounterRow]) -> CounterRow:
    """Rows of one node and source in order of time, as one. Needs one at least."""
    counts: dict[str, Any] = {
        **{name: _total(getattr(row, name) for row in rows) for name in GROWING},
        **{name: _newest(getattr(row, name) for row in rows) for name in GAUGES},
    }
    sums = ("covered_ns", "answered", "unanswered", "restarts")
    return replace(
        rows[-1],
        start_s=rows[0].start_s,
        own_hits=_bounds(row.own_hits for row in rows),
        own_misses=_bounds(row.own_misses for row in rows),
        **{name: sum(getattr(row, name) for row in rows) for name in sums},
        **counts,
    )


def rate_of(row: CounterRow) -> HitRate | None:
    """The hit rate of others in a row; None where nothing is known of it."""
    return hit_rate(row.hits, row.misses, Bounded(*row.own_hits), Bounded(*row.own_misses))


def others_hits(row: CounterRow) -> Bounded | None:
    """Hits of others; None where the node does not tell."""
    return None if row.hits is None else less(row.hits, Bounded(*row.own_hits))


def others_misses(row: CounterRow) -> Bounded | None:
    """Misses of others; None where the node does not tell."""
    return None if row.misses is None else less(row.misses, Bounded(*row.own_misses))


def per_second(count: int | None, row: CounterRow) -> float | None:
    """A count of the row over the time that it speaks for; None where that is none."""
    return None if count is None or row.covered_ns == 0 else count * NS / row.covered_ns


def mean_request_s(row: CounterRow) -> float | None:
    """How long a request took in the node, in seconds; None where the node does not tell."""
    if row.request_us is None or not row.requests:
        return None
    return row.request_us / row.requests / 1e6


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _newest(gauges: Iterable[int | None]) -> int | None:
    known = [gauge for gauge in gauges if gauge is not None]
    return known[-1] if known else None


def _bounds(parts: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    lower, value, upper = (sum(column) for column in zip(*parts, strict=True))
    return lower, value, upper
