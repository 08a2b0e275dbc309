"""What happened at a cache between two looks at its counters, less what our own reads added.

Counters grow until the server restarts or somebody resets them. A difference is taken within one
such life alone: where it may have ended between the two looks, the interval is unknown, and nothing
is made up for it. Our own reads are known to the lookup, but not always whether one that was under
way came before a look or after it: so what is left is a value with bounds.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final, NamedTuple

NS: Final = 1_000_000_000
UPTIME_SLACK_NS: Final = 2 * NS
"""Servers tell their uptime in whole seconds."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a node counts. None is "it does not say", never 0.

    `invalidations` are deletions that were asked for, `request_us` the microseconds that `requests`
    took together. The last three are gauges.
    """

    hits: int | None = None
    misses: int | None = None
    evictions: int | None = None
    expirations: int | None = None
    invalidations: int | None = None
    requests: int | None = None
    request_us: int | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    items: int | None = None


GAUGES: Final = ("memory_bytes", "memory_limit_bytes", "items")
GROWING: Final = tuple(each.name for each in fields(Counters) if each.name not in GAUGES)


class Own(NamedTuple):
    """Our own lookups at a node so far: those answered, those of unknown fate, those under way."""

    hits: int = 0
    misses: int = 0
    unsure: int = 0
    open: int = 0


NO_READS: Final = Own()


class Bounded(NamedTuple):
    """A count that is known up to bounds."""

    lower: int = 0
    value: int = 0
    upper: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the counters of a node, between two stamps of one clock.

    `own_before` is how our own reads stood at `start_ns`, `own_after` at `end_ns`. `identity` is
    what changes when the server restarts, empty where it does not say.
    """

    clock: str
    start_ns: int
    end_ns: int
    counters: Counters
    own_before: Own = NO_READS
    own_after: Own = NO_READS
    identity: str = ""
    uptime_s: float | None = None


class Gap(StrEnum):
    """Why nothing is known of the time between two looks."""

    RESTARTED = "restarted"
    WENT_BACK = "went-back"
    """A counter is lower than it was: it was reset."""
    NEW_CLOCK = "new-clock"
    """The stamps of the two are of different clocks."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two looks: growth of counters, and gauges as they were last.

    `own_hits` and `own_misses` are what our own reads have of it.
    """

    start_ns: int
    end_ns: int
    grown: Counters
    own_hits: Bounded
    own_misses: Bounded


class HitRate(NamedTuple):
    """The share of lookups by others that hit, with bounds, and how many lookups it rests on."""

    share: float
    lower: float
    upper: float
    lookups: int


def difference(before: Sample, after: Sample) -> Interval | Gap:
    """What happened from one look to the next, or why that is not known."""
    if before.clock != after.clock:
        return Gap.NEW_CLOCK
    if before.identity != after.identity or _is_too_young(before, after):
        return Gap.RESTARTED
    grown = {name: _growth(name, before.counters, after.counters) for name in GROWING}
    if any(each is not None and each < 0 for each in grown.values()):
        return Gap.WENT_BACK
    return Interval(
        before.end_ns,
        after.end_ns,
        replace(after.counters, **grown),
        *_own_reads(before, after),
    )


def hit_rate(
    hits: int | None, misses: int | None, own_hits: Bounded, own_misses: Bounded
) -> HitRate | None:
    """The hit rate of others; None without lookups by others, or where the accounts do not agree.

    They do not where we surely looked up more than the node has counted.
    """
    if hits is None or misses is None or hits < own_hits.lower or misses < own_misses.lower:
        return None
    hit, missed = less(hits, own_hits), less(misses, own_misses)
    lookups = hit.value + missed.value
    if lookups == 0:
        return None
    return HitRate(
        hit.value / lookups,
        _share(hit.lower, missed.upper, 0.0),
        _share(hit.upper, missed.lower, 1.0),
        lookups,
    )


def less(count: int, own: Bounded) -> Bounded:
    """A count without our own part of it, which it cannot be less than."""
    return Bounded(
        max(0, count - own.upper),
        max(0, count - min(max(own.value, own.lower), own.upper)),
        max(0, count - own.lower),
    )


def _is_too_young(before: Sample, after: Sample) -> bool:
    """Whether the server has been up for less time than has passed since the look before."""
    if before.uptime_s is None or after.uptime_s is None:
        return False
    passed_ns = after.start_ns - before.end_ns - UPTIME_SLACK_NS
    return after.uptime_s < before.uptime_s or after.uptime_s * NS < passed_ns


def _growth(name: str, before: Counters, after: Counters) -> int | None:
    first, last = getattr(before, name), getattr(after, name)
    return None if first is None or last is None else last - first


def _own_reads(before: Sample, after: Sample) -> tuple[Bounded, Bounded]:
    """Hits and misses of ours between the two looks.

    Surely between them are reads that began after the first look and were answered before the
    second; possibly those that were under way at any instant between them.
    """
    unsure = after.own_after.unsure - before.own_before.unsure + after.own_after.open
    return (
        _own(*(_settled(before, after, "hits")), before.own_after.open, unsure),
        _own(*(_settled(before, after, "misses")), before.own_after.open, unsure),
    )


def _settled(before: Sample, after: Sample, name: str) -> tuple[int, int, int]:
    """Answered from the end of one look to the start of the next, by starts, and in all."""
    b0, b1 = getattr(before.own_before, name), getattr(before.own_after, name)
    a0, a1 = getattr(after.own_before, name), getattr(after.own_after, name)
    return a0 - b1, a0 - b0, a1 - b0


def _own(inside: int, usual: int, outside: int, under_way: int, unsure: int) -> Bounded:
    lower, upper = max(0, inside - under_way), outside + unsure
    return Bounded(lower, min(max(usual, lower), upper), upper)


def _share(part: int, rest: int, otherwise: float) -> float:
    return part / (part + rest) if part + rest else otherwise
