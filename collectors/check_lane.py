"""Event-triggered checks that are due at one node: read in batches, several of one key at once."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.base import NowNs, Reply
from collectors.journal import Journal
from collectors.node_watch import NodeWatch
from collectors.suspects import Suspects
from freshness.check import Seen, is_timely, judge_check

ORIGIN_AT_NS: Final = 60 * 10**9


@dataclass(slots=True, eq=False)
class Event:
    """News of one version of one key; `received` is the stamp at which it reached us.

    It stands for `weight` events. A broad one names no version: whatever it covers is suspected.
    """

    key: str
    version: int | None
    received: int
    weight: float = 1.0
    is_broad: bool = False


@dataclass(frozen=True, slots=True)
class Horizon:
    """So long after an event each node is read; at the origin's, doubtful copies are asked for."""

    after_ns: int
    asks_origin: bool


@dataclass(frozen=True, slots=True)
class Due:
    """One event at one horizon."""

    event: Event
    horizon: Horizon

    @property
    def at(self) -> int:
        """The stamp at which it is due."""
        return self.event.received + self.horizon.after_ns

    def seen(self, reading_seen: Seen, late_ns: int) -> Seen:
        """The outcome, which a read that came too late has none of."""
        return reading_seen if is_timely(late_ns, self.horizon.after_ns) else Seen.SKIPPED


class CheckLane:
    """One node's checks. A node that is slow delays its own alone.

    It reads at most `per_s` batches a second. What it finds behind goes to `suspects`. `skipped`
    counts what it was too late for.
    """

    def __init__(
        self, node: NodeWatch, journal: Journal, suspects: Suspects, now_ns: NowNs, per_s: float
    ) -> None:
        self.node = node
        self.per_s = per_s
        self.skipped = 0
        self._journal = journal
        self._suspects = suspects
        self._now_ns = now_ns
        self._due: deque[Due] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is due that has not been read."""
        return self._task is not None

    def put(self, due: Iterable[Due]) -> None:
        """Take what is due here; the reading begins at once, unless one is under way."""
        self._due.extend(each for each in due if self.node.holds(each.event.key))
        if self._due and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    def skip(self, due: Iterable[Due]) -> None:
        """Count what nobody could read."""
        for each in due:
            if self.node.holds(each.event.key):
                self.skipped += 1
                self._count(each, Seen.SKIPPED, None)

    def drop(self) -> None:
        """The node is gone: what is due there says nothing, and nobody reads it."""
        self._due.clear()
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Let go of what is due."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self) -> None:
        try:
            while self._due:
                batch = self._next_batch()
                if batch:
                    reply = await self.node.glance(list(batch))
                    if reply is None:
                        self.skip(due for each in batch.values() for due in each)
                    else:
                        self._note(batch, reply)
                await asyncio.sleep(1 / self.per_s)
        finally:
            self._task = None

    def _next_batch(self) -> dict[str, list[Due]]:
        """What is read next, by key; what is too late by now is skipped."""
        now, most = self._now_ns(), max(1, self.node.cache.batch_keys)
        batch: dict[str, list[Due]] = {}
        late = []
        while self._due and (len(batch) < most or self._due[0].event.key in batch):
            due = self._due.popleft()
            if not self.node.holds(due.event.key):
                continue  # it has moved since
            if is_timely(now - due.at, due.horizon.after_ns):
                batch.setdefault(due.event.key, []).append(due)
            else:
                late.append(due)
        self.skip(late)
        return batch

    def _note(self, batch: dict[str, list[Due]], reply: Reply) -> None:
        if not reply.was_asked:
            self.skip(due for each in batch.values() for due in each)
            return
        for (key, dues), reading in zip(batch.items(), reply.readings, strict=True):
            is_suspect = False
            for due in dues:
                late_ns = max(0, reply.start_ns - due.at)
                seen = due.seen(judge_check(due.event.version, reading), late_ns)
                self._count(due, seen, late_ns)
                is_suspect |= seen is Seen.BEHIND
                is_suspect |= seen is Seen.AMBIGUOUS and due.horizon.asks_origin
            if is_suspect:
                self._suspects.add(self.node, [key])

    def _count(self, due: Due, seen: Seen, late_ns: int | None) -> None:
        place, event = self.node.settings, due.event
        self._journal.count_check(
            place.layer, place.name, due.horizon.after_ns, due.at, seen, event.weight, late_ns
        )


def horizons_of(after_ns: Sequence[int]) -> list[Horizon]:
    """The horizons in order; the origin is asked at the first from a minute on, or at the last."""
    ordered = sorted(set(after_ns))
    origin_at = next((each for each in ordered if each >= ORIGIN_AT_NS), max(ordered, default=0))
    return [Horizon(each, each == origin_at) for each in ordered]
