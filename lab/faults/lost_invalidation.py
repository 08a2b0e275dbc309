"""The message for one key does not reach one node, which goes on serving its old copy."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from lab.faults.base import APART_S, Scene, warm


class LostInvalidation:
    """The copy predates the write, and stays until the message is delivered or its TTL ends."""

    kind: ClassVar[str] = "lost_invalidation"
    key_count: ClassVar[int] = 1

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def prepare(self) -> None:
        """Makes the node hold the latest version, for as long as copies are old in life."""
        await warm(self._scene)
        await asyncio.sleep(APART_S)

    async def inject(self) -> None:
        """Writes the key while the node is deaf to it."""
        (key,) = self._scene.keys
        await self._scene.target.deafen([key])
        await self._scene.writer.write(key)

    async def repair(self) -> Sequence[str]:
        """Delivers the message after all."""
        await self._scene.target.restore(self._scene.keys)
        return self._scene.keys
