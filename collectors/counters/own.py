"""What our own reads add to the counters of a node: counted where they pass, a lookup at a time."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

from collectors.base import Cache, KeyPage, ProbeEffect, Reply
from freshness.counters import Own
from freshness.model import Reading, Result


class Tally(NamedTuple):
    """Lookups of one batch, as the node has counted them."""

    hits: int = 0
    misses: int = 0
    unsure: int = 0
    """Those that may have counted as either, or not at all."""


class Weigh(NamedTuple):
    """What a read of one key adds to a node's counters, in lookups.

    `read` and `inspect` are of the two ways to read a `Cache`. `tells` is what a reading says for
    sure of how the node has counted it.
    """

    read: int
    inspect: int
    tells: Literal["hits and misses", "hits", "nothing"] = "hits and misses"


class OwnReads:
    """The account of one node; every keyspace that is read there shares it. For one event loop."""

    def __init__(self) -> None:
        self._hits = self._misses = self._unsure = self._open = 0

    def begin(self, lookups: int) -> None:
        """A batch is about to be sent."""
        self._open += lookups

    def settle(self, lookups: int, tally: Tally) -> None:
        """The batch that began with so many lookups has ended."""
        self._open -= lookups
        self._hits += tally.hits
        self._misses += tally.misses
        self._unsure += tally.unsure

    def now(self) -> Own:
        """How the account stands."""
        return Own(self._hits, self._misses, self._unsure, self._open)


class CountedCache:
    """A cache whose reads are put to the account of its node."""

    def __init__(self, cache: Cache, own: OwnReads, weigh: Weigh) -> None:
        self._cache = cache
        self._own = own
        self._weigh = weigh

    @property
    def batch_keys(self) -> int:
        """How many keys one batch should hold now."""
        return self._cache.batch_keys

    @property
    def effect(self) -> ProbeEffect:
        """What a read does to the cache."""
        return self._cache.effect

    async def read(self, keys: Sequence[str]) -> Reply:
        """Read keys, and count it."""
        return await self._counted(keys, self._weigh.read, self._cache.read)

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """Read suspected keys, and count it."""
        return await self._counted(keys, self._weigh.inspect, self._cache.inspect)

    async def walk(self, cursor: str = "") -> KeyPage:
        """A page of keys, which counts as no read of them. Raises SourceError."""
        return await self._cache.walk(cursor)

    async def _counted(
        self, keys: Sequence[str], weight: int, read: Callable[[Sequence[str]], Awaitable[Reply]]
    ) -> Reply:
        lookups = len(keys) * weight
        tally = Tally(unsure=lookups)  # also of a read that is cancelled on its way
        self._own.begin(lookups)
        try:
            reply = await read(keys)
            tally = weighed(reply.readings, weight, self._weigh.tells)
            return reply
        finally:
            self._own.settle(lookups, tally)


def weighed(readings: Sequence[Reading], weight: int, tells: str = "hits and misses") -> Tally:
    """What a node has counted for these readings, each of `weight` lookups."""
    hits = misses = 0
    if tells == "hits and misses":
        hits = sum(each.result in (Result.VALUE, Result.UNREADABLE) for each in readings)
        misses = sum(each.result is Result.MISS for each in readings)
    elif tells == "hits":
        hits = sum(each.result is Result.VALUE and not each.filled for each in readings)
    unsure = len(readings) - hits - misses
    return Tally(hits * weight, misses * weight, unsure * weight)
