"""A refill that read the old value before the write lands after the invalidation was applied."""

import asyncio
from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import APART_S, Fault, until_told


class RefillRace(Fault):
    """The copy is filled after the write, and stale from its first moment."""

    kind: ClassVar[str] = "refill_race"

    async def prepare(self) -> None:
        """Needs nothing: the old value is read of the origin just before the write."""

    async def inject(self) -> None:
        """Reads, writes, waits until the invalidation is applied, and fills with what it read."""
        (key,) = self.scene.keys
        (old,) = self.writer.origin.read([key])
        version = await self.writer.write(key)
        await until_told(self.target, key, version)
        await asyncio.sleep(APART_S)
        await self.target.plant(old)

    async def repair(self) -> Collection[str]:
        """Applies the invalidation once more."""
        await self.target.restore(self.scene.keys)
        return self.scene.keys
