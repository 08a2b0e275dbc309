"""Two messages for a key come in the wrong order to a node that compares no versions."""

import asyncio
from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import APART_S, Fault


class Reordered(Fault):
    """The node has the newest version, then applies the one before it, and so regresses."""

    kind: ClassVar[str] = "reordered"

    async def inject(self) -> None:
        """Writes twice; the node takes the second message, and much later the first."""
        (key,) = self.scene.keys
        await self.target.deafen([key])
        older = await self.writer.write(key)
        (old,) = self.writer.origin.read([key])
        newer = await self.writer.write(key)
        await self.target.deliver(key, newer)
        await self.target.warm(key)
        await asyncio.sleep(APART_S)
        await self.target.apply_blindly(key, older, old)

    async def repair(self) -> Collection[str]:
        """Removes the copy, since both messages have come."""
        await self.target.forget(self.scene.keys)
        return self.scene.keys
