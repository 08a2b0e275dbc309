"""A refill that read the old value before the write lands after the invalidation was applied."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from lab.faults.base import APART_S, Scene

APPLY_TIMEOUT_S = 2.0
_POLL_S = 0.005


class RefillRace:
    """The copy is filled after the write, and stale from its first moment."""

    kind: ClassVar[str] = "refill_race"
    key_count: ClassVar[int] = 1

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def prepare(self) -> None:
        """Needs nothing: the old value is read of the origin just before the write."""

    async def inject(self) -> None:
        """Reads, writes, waits until the invalidation is applied, and fills with what it read."""
        (key,) = self._scene.keys
        (old,) = self._scene.writer.origin.read([key])
        version = await self._scene.writer.write(key)
        async with asyncio.timeout(APPLY_TIMEOUT_S):
            while await self._scene.target.told(key) < version:  # noqa: ASYNC110  # in a process
                await asyncio.sleep(_POLL_S)
        await asyncio.sleep(APART_S)
        await self._scene.target.plant(old)

    async def repair(self) -> Sequence[str]:
        """Applies the invalidation once more."""
        await self._scene.target.restore(self._scene.keys)
        return self._scene.keys
