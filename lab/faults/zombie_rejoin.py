"""A node stands still for a while, and comes back with the copies of before."""

import asyncio
import time
from collections.abc import Collection
from typing import ClassVar, Final

from lab.faults.base import APART_S, Fault

AWAY_S: Final = 2 * APART_S
"""Half of it before the writes: a node that had just answered might have missed them in time."""


class ZombieRejoin(Fault):
    """The node answers nobody, misses all messages, and then serves what it held."""

    kind: ClassVar[str] = "zombie_rejoin"
    key_count: ClassVar[int] = 3
    takes_node: ClassVar[bool] = True
    takes_all_written: ClassVar[bool] = True
    _start_ns = 0

    async def prepare(self) -> None:
        """Says how long it will be away."""
        await super().prepare()
        self.wrong = {"away_s": AWAY_S}

    async def inject(self) -> None:
        """Stops the node, writes while it is away, and lets it back in."""
        self._start_ns = time.time_ns()
        await self.target.leave(AWAY_S)
        await asyncio.sleep(AWAY_S / 2)
        for key in self.scene.keys:
            await self.writer.write(key)
        await asyncio.sleep(AWAY_S / 2)
        await self.target.rejoin(self.scene.keys)

    async def repair(self) -> Collection[str]:
        """Drops all that is too old; the messages stay lost."""
        await self.target.forget(self.scene.keys)
        await self.target.forget(None)
        return self.writer.written_since(self._start_ns)
