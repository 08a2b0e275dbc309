"""A promise end to end: what the lifetimes of a layer and of those below it add up to.

A copy that goes by its lifetime may have been filled, at its last moment of truth, from a copy
below that was itself about to end: their lifetimes add up. A message takes a copy away at once,
but what comes in its place is as old as what the layer below holds, and stays for a lifetime: so
lifetimes add up wherever a layer that goes by them stands below. All durations are nanoseconds.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Final, NamedTuple

BY_TIME: Final = "ttl"


class Tier(NamedTuple):
    """A layer as declared. `longest_ttl_ns` is its lifetime with its jitter, None where unsaid."""

    mechanism: str
    max_staleness_ns: int
    longest_ttl_ns: int | None = None
    fills_from: Sequence[str] = ()


class Kept(StrEnum):
    """Whether the documented lifetimes keep a layer's promise."""

    KEPT = "kept"
    EXCEEDED = "exceeded"
    """They add up to more."""
    UNDOCUMENTED = "undocumented"
    """A lifetime that adds to it is not documented."""
    BY_MESSAGES = "by-messages"
    """No lifetime adds to it: messages keep it, or nothing does."""


class Part(NamedTuple):
    """What one layer adds: its longest lifetime, or the maximum that messages keep it to."""

    layer: str
    ns: int | None
    is_lifetime: bool


class Promise(NamedTuple):
    """One layer's promise beside the parts that add up, from the layer down."""

    layer: str
    kept: Kept
    max_staleness_ns: int
    parts: Sequence[Part]

    @property
    def adds_up_ns(self) -> int | None:
        """The sum, None where a part of it is not known."""
        lengths = [part.ns for part in self.parts]
        return None if None in lengths else sum(each or 0 for each in lengths)


def weigh_promise(name: str, tiers: Mapping[str, Tier]) -> Promise:
    """One layer's promise; what it names and is not among `tiers` adds nothing."""
    parts, most = _parts(name, tiers, ()), tiers[name].max_staleness_ns
    if not any(part.is_lifetime for part in parts):
        return Promise(name, Kept.BY_MESSAGES, most, parts)
    known = sum(part.ns or 0 for part in parts)
    if known > most:
        return Promise(name, Kept.EXCEEDED, most, parts)
    is_known = all(part.ns is not None for part in parts)
    return Promise(name, Kept.KEPT if is_known else Kept.UNDOCUMENTED, most, parts)


def _parts(name: str, tiers: Mapping[str, Tier], above: Sequence[str]) -> list[Part]:
    """The slowest way down, which is what a promise has to cover."""
    tier, seen = tiers[name], (*above, name)
    ways = [
        _parts(below, tiers, seen)
        for below in tier.fills_from
        if below in tiers and below not in seen
    ]
    slowest = max(ways, key=_length, default=[])
    is_timed_below = any(part.is_lifetime for way in ways for part in way)
    if tier.mechanism == BY_TIME or is_timed_below:
        return [Part(name, tier.longest_ttl_ns, is_lifetime=True), *slowest]
    return [Part(name, tier.max_staleness_ns, is_lifetime=False)]


def _length(parts: Sequence[Part]) -> float:
    return sum(inf if part.ns is None else part.ns for part in parts)
