"""A source that is read no more often than its budget allows.

What the budget starves is told as such: the keys are unknown, which is coverage lost, never fresh.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from collectors.base import (
    Cache,
    KeyPage,
    NowNs,
    Origin,
    ProbeEffect,
    Reply,
    Source,
    SourceError,
    unanswered,
)
from collectors.budget import NS, Budget

STARVED: Final = "the read budget is used up"


class Throttled:
    """A source behind a budget; the budget of a server is shared by the keyspaces read there.

    A read waits at most `patience_ns` for its turn.
    """

    def __init__(self, source: Source, budget: Budget, now_ns: NowNs, patience_ns: int) -> None:
        self._source = source
        self._budget = budget
        self._now_ns = now_ns
        self._patience_ns = patience_ns

    @property
    def batch_keys(self) -> int:
        """How many keys one batch should hold now."""
        return self._source.batch_keys

    async def read(self, keys: Sequence[str]) -> Reply:
        """Read keys when it is their turn."""
        return await self._in_turn(keys, self._source.read)

    async def _in_turn(
        self, keys: Sequence[str], read: Callable[[Sequence[str]], Awaitable[Reply]]
    ) -> Reply:
        asked_ns = self._now_ns()
        wait_ns = self._budget.wait_ns(asked_ns)
        if wait_ns > self._patience_ns:
            return replace(unanswered(keys, asked_ns, asked_ns, STARVED), was_asked=False)
        exchanges = max(1, -(-len(keys) // max(1, self.batch_keys)))
        for _ in range(exchanges):
            self._budget.spend(asked_ns)
        if wait_ns:
            await asyncio.sleep(wait_ns / NS)
        reply = await read(keys)
        took_ns = (reply.end_ns - reply.start_ns) // exchanges
        self._budget.note(self._now_ns(), took_ns, reply.size_bytes, failed=bool(reply.why))
        return reply


class ThrottledCache(Throttled):
    """A cache behind a budget."""

    def __init__(self, cache: Cache, budget: Budget, now_ns: NowNs, patience_ns: int) -> None:
        super().__init__(cache, budget, now_ns, patience_ns)
        self._cache = cache

    @property
    def effect(self) -> ProbeEffect:
        """What a read does to the cache."""
        return self._cache.effect

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """Read suspected keys with all that the cache can tell."""
        return await self._in_turn(keys, self._cache.inspect)

    async def walk(self, cursor: str = "") -> KeyPage:
        """A page of the keys that the node holds, when it is its turn. Raises SourceError.

        Nobody waits for it as for a probe, so it waits for as long as its turn takes.
        """
        asked_ns = self._now_ns()
        wait_ns = self._budget.wait_ns(asked_ns)
        self._budget.spend(asked_ns)
        await asyncio.sleep(wait_ns / NS)
        try:
            page = await self._cache.walk(cursor)
        except SourceError:
            self._budget.note(self._now_ns(), 0, 0, failed=True)
            raise
        self._budget.note_bytes(self._now_ns(), sum(map(len, page.keys)))
        return page


class ThrottledOrigin(Throttled):
    """An origin behind a budget."""

    def __init__(self, origin: Origin, budget: Budget, now_ns: NowNs, patience_ns: int) -> None:
        super().__init__(origin, budget, now_ns, patience_ns)
        self._origin = origin

    @property
    def linearizable(self) -> bool:
        """Whether the last reply was the leader's."""
        return self._origin.linearizable

    async def list_keys(self) -> Sequence[str]:
        """Every key that the origin lists."""
        return await self._origin.list_keys()

    async def list_traffic(self) -> Mapping[str, float]:
        """The traffic of keys, from an origin that tells it. Raises SourceError."""
        ask: Callable[[], Awaitable[Mapping[str, float]]] | None = getattr(
            self._origin, "list_traffic", None
        )
        if ask is None:
            raise SourceError("origins of this kind tell no traffic")
        return await ask()
