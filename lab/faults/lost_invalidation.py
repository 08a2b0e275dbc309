"""The message for one key does not reach one node, which goes on serving its old copy."""

from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import Fault


class LostInvalidation(Fault):
    """The copy predates the write, and stays until its TTL ends or somebody removes it."""

    kind: ClassVar[str] = "lost_invalidation"

    async def inject(self) -> None:
        """Writes the key while the node is deaf to it."""
        await self.target.deafen(self.scene.keys)
        for key in self.scene.keys:
            await self.writer.write(key)

    async def repair(self) -> Collection[str]:
        """Removes the copy; the message never comes."""
        await self.target.forget(self.scene.keys)
        return self.scene.keys
