"""Event-triggered checks of one keyspace: each node is read at every horizon after an event.

Delays are constants, so there is one queue a horizon, and an event moves from one to the next. It
is not run late under an old label: what was missed is counted as skipped, which is coverage lost.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from collectors.base import Clock
from collectors.budget import LEAST_SHARE, RECOVERY
from collectors.check_lane import CheckLane, Due, Event, horizons_of
from collectors.journal import Journal
from collectors.node_watch import NodeWatch
from collectors.suspects import Suspects
from freshness.check import LATE_NS, Admission, is_timely
from store.messages import InvalidationRow

TICK_S: Final = 0.005
"""Horizons that fall due within this are taken together."""
REST_S: Final = 0.5
"""How often what was counted is handed on while nothing falls due."""
ADAPTED_EVERY_NS: Final = 10**9
TIDIED_EVERY_NS: Final = 10**9
TIDIED_AT_ONCE: Final = 5_000
KNOWN_IDS: Final = 50_000
BROAD_KEYS: Final = 50
"""Keys that stand for all that a prefix, or everything, covers."""
SEARCHED_KEYS: Final = 100_000
Place = tuple[str, str]


class EventChecks:
    """All calls belong to one event loop.

    `key_of` gives the key that the store names so, `listed` all that are watched. `done` hands on
    what was counted. `let_go` forgets keys, but for those that it returns.
    """

    def __init__(
        self,
        after_ns: Sequence[int],
        journal: Journal,
        clock: Clock,
        suspects: Suspects,
        listed: Callable[[], Sequence[str]],
        key_of: Callable[[str], str | None],
        done: Callable[[], None],
        let_go: Callable[[Sequence[str]], set[str]],
    ) -> None:
        self._horizons = horizons_of(after_ns)
        self._queues: list[deque[Event]] = [deque() for _ in self._horizons]
        self._journal = journal
        self._clock = clock
        self._suspects = suspects
        self._listed = listed
        self._key_of = key_of
        self._done = done
        self._let_go = let_go
        self._lanes: dict[Place, CheckLane] = {}
        self._admission = Admission()
        self._share, self._skipped, self._adapted_at = 1.0, 0, 0
        self._known: OrderedDict[str, None] = OrderedDict()
        self._pending: Counter[str] = Counter()
        self._over: dict[str, int] = {}
        self._tidied_at = 0
        last_ns = self._horizons[-1].after_ns if self._horizons else 0
        # So late may a check of the last horizon still be read.
        self._last_read_ns = max(LATE_NS, last_ns // 10) + 2 * 10**9
        self._pump: asyncio.Task[None] | None = None

    def add_node(self, node: NodeWatch) -> None:
        """Check a node from now on; of a pool nobody knows which node answers."""
        place, per_s = node.settings, node.settings.checks_per_s
        if per_s > 0 and not place.is_pool:
            self._lanes[place.layer, place.name] = CheckLane(
                node, self._journal, self._suspects, self._clock.now_ns, per_s
            )

    def drop_node(self, layer: str, name: str) -> None:
        """The node is gone: what was due there says nothing."""
        lane = self._lanes.pop((layer, name), None)
        if lane is not None:
            lane.drop()

    def hear(self, rows: Iterable[InvalidationRow]) -> None:
        """Take messages that have just become durable; one that is known already is let go."""
        now, rate = self._clock.now_ns(), self._rate_per_s()
        if not self._horizons or not self._lanes:
            return
        for row in rows:
            if self._is_new(row):
                received = row.received_at_ns - self._clock.as_row().wall_offset_ns
                self._queues[0].extend(self._admit(row, min(received, now), rate, now))
        self._start()
        self._advance(now)

    def rebuild(self, rows: Sequence[InvalidationRow], seen_until: int) -> None:
        """Go on where an earlier process stopped; `rows` oldest first.

        Horizons that fell due after `seen_until` (a stamp) and have passed are counted as skipped.
        """
        now = self._clock.now_ns()
        if not self._horizons or not rows:
            return
        rate = self._rate_per_s()
        for row in rows:
            if self._is_new(row):
                received = row.received_at_ns - self._clock.as_row().wall_offset_ns
                for event in self._admit(row, received, rate, received):
                    self._take_up(event, now, seen_until)
        self._start()

    async def close(self) -> None:
        """End every read that is under way, and forget what was to come."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        for lane in self._lanes.values():
            await lane.close()

    def _is_new(self, row: InvalidationRow) -> bool:
        if row.id in self._known:
            return False
        self._known[row.id] = None
        if len(self._known) > KNOWN_IDS:
            self._known.popitem(last=False)
        return True

    def _rate_per_s(self) -> float:
        """Events a second that every node's share of its budget can carry through all horizons."""
        slowest = min(
            (lane.per_s * lane.node.cache.batch_keys for lane in self._lanes.values()), default=0.0
        )
        return self._share * slowest / max(1, len(self._horizons))

    def _adapt(self) -> None:
        """Draw fewer events where some come too late: a sample says more than a gap."""
        now, skipped = self._clock.now_ns(), sum(lane.skipped for lane in self._lanes.values())
        if now - self._adapted_at < ADAPTED_EVERY_NS:
            return
        is_behind = skipped > self._skipped
        share = self._share / 2 if is_behind else self._share + RECOVERY
        self._share = min(1.0, max(LEAST_SHARE, share))
        self._skipped, self._adapted_at = skipped, now

    def _admit(
        self, row: InvalidationRow, received: int, rate_per_s: float, now: int
    ) -> list[Event]:
        """The events of one message that are drawn."""
        if row.scope != "key":
            return [Event(key, None, received, is_broad=True) for key in self._covered(row)]
        events = []
        for name in row.keys:
            weight = self._admission.weigh(_number(row.id, name), rate_per_s, now)
            key = self._key_of(name) if weight is not None else None
            if key is not None and weight is not None:
                events.append(Event(key, row.version, received, weight))
                self._pending[key] += 1
        return events

    def _covered(self, row: InvalidationRow) -> list[str]:
        """Some of the keys that a broad message covers; which a tag does, nobody here knows."""
        if row.scope == "tag":
            return []
        listed, begin = self._listed(), _number(row.id)
        prefixes = tuple(row.keys) if row.scope == "prefix" else ("",)
        searched = range(begin, begin + min(len(listed), SEARCHED_KEYS))
        turned = (listed[at % len(listed)] for at in searched)
        found = list(islice((key for key in turned if key.startswith(prefixes)), BROAD_KEYS))
        self._pending.update(found)
        return found

    def _take_up(self, event: Event, now: int, seen_until: int) -> None:
        for at, horizon in enumerate(self._horizons):
            due = Due(event, horizon)
            if is_timely(now - due.at, horizon.after_ns):
                self._queues[at].append(event)
                return
            if due.at > seen_until and not event.is_broad:
                for lane in self._lanes.values():
                    lane.skip([due])
        self._end([event])

    def _start(self) -> None:
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """Move events on as they fall due, until none is left."""
        try:
            while self._is_busy():
                self._advance(self._clock.now_ns())
                self._adapt()
                self._tidy()
                self._done()
                await asyncio.sleep(self._rest_s())
        finally:
            self._pump = None

    def _is_busy(self) -> bool:
        lanes = self._lanes.values()
        return bool(any(self._queues) or self._over or any(lane.is_busy for lane in lanes))

    def _rest_s(self) -> float:
        now = self._clock.now_ns()
        waits = [
            queue[0].received + horizon.after_ns - now
            for queue, horizon in zip(self._queues, self._horizons, strict=True)
            if queue
        ]
        return min(REST_S, max(TICK_S, min(waits, default=10**9) / 10**9))

    def _advance(self, now: int) -> None:
        for at, horizon in enumerate(self._horizons):
            queue, due = self._queues[at], []
            while queue and queue[0].received + horizon.after_ns <= now:
                due.append(queue.popleft())
            if not due:
                continue
            self._check([Due(event, horizon) for event in due])
            if at + 1 < len(self._queues):
                self._queues[at + 1].extend(due)
            else:
                self._end(due)

    def _check(self, due: Sequence[Due]) -> None:
        narrow = [each for each in due if not each.event.is_broad]
        broad = [each.event.key for each in due if each.event.is_broad]
        for lane in self._lanes.values():
            lane.put(narrow)
            self._suspects.add(lane.node, broad)

    def _end(self, events: Iterable[Event]) -> None:
        now = self._clock.now_ns()
        for event in events:
            self._pending[event.key] -= 1
            if self._pending[event.key] <= 0:
                del self._pending[event.key]
                self._over[event.key] = now + self._last_read_ns

    def _tidy(self) -> None:
        """Let go of keys that only events made known, once nothing more is to be read of them."""
        now = self._clock.now_ns()
        if now - self._tidied_at < TIDIED_EVERY_NS:
            return
        self._tidied_at = now
        over = [key for key, at in self._over.items() if key not in self._pending and at <= now]
        kept = self._let_go(over[:TIDIED_AT_ONCE])
        for key in over[:TIDIED_AT_ONCE]:
            del self._over[key]
        # What is still in doubt, or has an open finding, is asked about again after a while.
        self._over.update(dict.fromkeys(kept, now + self._last_read_ns))


def _number(*names: str) -> int:
    """A number of 64 bits for names: the same in every process."""
    text = "\0".join(names).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
