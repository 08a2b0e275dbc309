"""The same message comes twice, which a node bears, if not always without a miss."""

import asyncio
from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import APART_S, Fault, Shows


class Duplicate(Fault):
    """No copy becomes stale; a node that keeps no ids removes a good one the second time."""

    kind: ClassVar[str] = "duplicate"
    shows: ClassVar[Shows] = "none"

    async def prepare(self) -> None:
        """Draws which kind of node it is."""
        await super().prepare()
        self.wrong = {"adds_miss": self.scene.rng.random() < 0.5}

    async def inject(self) -> None:
        """Delivers the message, lets the node refill, and delivers it again."""
        (key,) = self.scene.keys
        await self.target.deafen([key])
        version = await self.writer.write(key)
        await self.target.deliver(key, version)
        await self.target.warm(key)
        await asyncio.sleep(APART_S)
        if self.wrong["adds_miss"]:
            await self.target.apply_blindly(key, version, None)
        else:
            await self.target.deliver(key, version)

    async def repair(self) -> Collection[str]:
        """Only lets the node hear of the key again."""
        await self.target.forget(self.scene.keys)
        return self.scene.keys
