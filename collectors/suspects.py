"""Copies that a check found behind, or could not tell: the origin first, then the node again.

What comes of it is judged as any other read is. One look at the origin serves all nodes, and the
budget of the origin decides how soon it comes.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from collectors.base import NowNs
from collectors.node_watch import NodeWatch
from collectors.origin_watch import OriginWatch

AGAIN_S: Final = 0.25
"""How soon an origin is asked again that could not be asked for want of budget."""
PATIENCE_NS: Final = 60 * 10**9
MOST_WAITING: Final = 20_000


@dataclass(slots=True)
class _Suspect:
    """One key, the nodes whose copy is suspected, and since when (a stamp)."""

    since: int
    nodes: dict[tuple[str, str], NodeWatch] = field(default_factory=dict)


class Suspects:
    """`settled` is called after each look, `counted` with how many copies came out how.

    Outcomes: `asked`, and `starved` where the origin's budget or our memory had no room in time.
    """

    def __init__(
        self,
        origin: OriginWatch,
        now_ns: NowNs,
        settled: Callable[[], None],
        counted: Callable[[str, int], None],
    ) -> None:
        self._origin = origin
        self._now_ns = now_ns
        self._settled = settled
        self._counted = counted
        self._waiting: dict[str, _Suspect] = {}
        self._asked: Mapping[str, _Suspect] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether any suspect waits for its look."""
        return self._task is not None

    def has(self, node: NodeWatch, key: str) -> bool:
        """Whether the node's copy of the key waits for its look, or is being looked at."""
        place = node.settings.layer, node.settings.name
        return any(
            key in suspects and place in suspects[key].nodes
            for suspects in (self._waiting, self._asked)
        )

    def add(self, node: NodeWatch, keys: Iterable[str]) -> None:
        """Suspect the copies of these keys at a node; one that it should not hold nobody reads."""
        place = node.settings.layer, node.settings.name
        for key in filter(node.holds, keys):
            if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
                self._counted("starved", 1)
                continue
            self._waiting.setdefault(key, _Suspect(self._now_ns())).nodes[place] = node
        if self._waiting and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def close(self) -> None:
        """Let go of those who wait."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                # Whoever is suspected while the answer is under way has a later look of its own.
                keys = list(self._waiting)[: max(1, self._origin.origin.batch_keys)]
                self._asked = {key: self._waiting.pop(key) for key in keys}
                await self._ask(self._asked)
        finally:
            self._task, self._asked = None, {}

    async def _ask(self, asked: Mapping[str, _Suspect]) -> None:
        look, _ = await self._origin.ask(list(asked))
        if look is None:
            self._put_back(asked)
            await asyncio.sleep(AGAIN_S)
            return
        nodes = {place: node for each in asked.values() for place, node in each.nodes.items()}
        reads: list[Awaitable[None]] = []
        counts: Counter[str] = Counter()
        for place, node in nodes.items():
            if node.state == "gone":
                continue
            at = [n for n, key in enumerate(look.keys) if place in asked[key].nodes]
            reads.append(node.inspect(look.only(at)))
            counts["asked"] += len(at)
        await asyncio.gather(*reads)
        for outcome, n in counts.items():
            self._counted(outcome, n)
        self._settled()

    def _put_back(self, asked: Mapping[str, _Suspect]) -> None:
        """They wait on, those who have waited too long excepted."""
        now = self._now_ns()
        for key, suspect in asked.items():
            if now - suspect.since > PATIENCE_NS:
                self._counted("starved", len(suspect.nodes))
                continue
            waiting = self._waiting.setdefault(key, suspect)
            waiting.nodes.update(suspect.nodes)
            waiting.since = min(waiting.since, suspect.since)
