"""Times to live of a few entries now and then: whether they are what is documented.

Where a node's ordinary answers carry them, they are taken from there. Where only `inspect` tells
them, and a read does nothing to the cache, a handful of keys is inspected. Nothing is judged.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from collectors.base import Cache, ProbeEffect, Reply
from collectors.journal import Journal, NodeSettings
from freshness.model import Reading, Result

TURN_NS: Final = 10 * 10**9
"""How long one node is left alone between two turns."""
REST_NS: Final = 600 * 10**9
"""The same of a node that tells no times to live."""
HANDFUL: Final = 5
BARREN_TURNS: Final = 3
"""So many turns with entries and no time to live among them make such a node."""


class TtlSampling:
    """The turns of one node, as one keyspace reads it. Stamps are the observer's."""

    def __init__(self, settings: NodeSettings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._due_at: int | None = None
        self._barren = 0
        self._at = 0

    def is_due(self, now: int) -> bool:
        """Whether its turn has come."""
        return self._due_at is None or now >= self._due_at

    def note(self, keys: Sequence[str], reply: Reply) -> None:
        """Take from an ordinary answer what it tells, if the turn has come."""
        if not self.is_due(reply.end_ns) or not reply.was_asked:
            return
        start = self._at % max(1, len(keys))
        pairs = list(zip(keys, reply.readings, strict=True))
        told = [pair for pair in pairs[start:] + pairs[:start] if _has_ttl(pair[1])]
        if told:
            self._take(islice(told, HANDFUL), reply)

    async def inspect(self, cache: Cache, keys: Sequence[str], now: int) -> None:
        """Ask for a handful of keys, if the turn has come and asking does nothing to the cache."""
        if not keys or not self.is_due(now) or cache.effect is not ProbeEffect.NONE:
            return
        self._due_at = now + TURN_NS
        start = self._at % len(keys)
        few = [*keys[start:], *keys[:start]][:HANDFUL]
        reply = await cache.inspect(few)
        told = [pair for pair in zip(few, reply.readings, strict=True) if _has_ttl(pair[1])]
        if told:
            self._take(told, reply)
        elif any(reading.result is Result.VALUE for reading in reply.readings):
            self._barren += 1
            if self._barren >= BARREN_TURNS:
                self._due_at = now + REST_NS
        self._at += HANDFUL

    def _take(self, told: Iterable[tuple[str, Reading]], reply: Reply) -> None:
        node = self._settings
        for key, reading in told:
            assert reading.ttl_s is not None
            least_s = reading.ttl_s - node.ttl_resolution_s
            self._journal.count_ttl(node.layer, node.name, key, least_s, reply.end_ns)
        self._due_at, self._barren = reply.end_ns + TURN_NS, 0
        self._at += HANDFUL


def _has_ttl(reading: Reading) -> bool:
    """A cached not-found has a time of its own, and what our read filled is no entry of theirs."""
    is_entry = reading.value is not None and not reading.value.absent and not reading.filled
    return is_entry and reading.ttl_s is not None
