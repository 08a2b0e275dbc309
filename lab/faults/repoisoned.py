"""A node that was told in time refills from a node below that is stale."""

import asyncio
from collections.abc import Collection
from typing import ClassVar, Literal

from lab.faults.base import APART_S, Fault, until_told, warm
from lab.truth import Beside


class Repoisoned(Fault):
    """The node below lost its message; the one above fills the old version after its own."""

    kind: ClassVar[str] = "repoisoned"
    layers: ClassVar[tuple[str, ...]] = ("edge", "app")
    partner: ClassVar[Literal["peer", "below"] | None] = "below"

    async def prepare(self) -> None:
        """Makes both nodes hold the latest version."""
        await warm(self.other, self.writer, self.scene.keys)
        await super().prepare()
        below = self.other.address
        self.wrong = {"source": below.name}
        self.beside = (Beside(below.layer, below.name, "lost_invalidation"),)

    async def inject(self) -> None:
        """Writes while the lower node is deaf; the upper one drops its copy and refills there."""
        (key,) = self.scene.keys
        (old,) = self.writer.origin.read([key])
        await self.other.deafen([key])
        version = await self.writer.write(key)
        await until_told(self.target, key, version)
        await asyncio.sleep(APART_S)
        await self.target.plant(old)

    async def repair(self) -> Collection[str]:
        """Heals the lower node, then the upper one."""
        await self.other.forget(self.scene.keys)
        await self.target.restore(self.scene.keys)
        return self.scene.keys
