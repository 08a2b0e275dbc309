"""A node that was told in time refills from the layer below, which is stale."""

import asyncio
from collections.abc import Collection
from typing import ClassVar, Literal

from lab.faults.base import APART_S, Fault, until_told, warm
from lab.truth import Beside


class Repoisoned(Fault):
    """The layer below lost its message; the node above fills the old version after its own.

    All nodes of the region there: whichever of them serves the fill has the old version.
    """

    kind: ClassVar[str] = "repoisoned"
    layers: ClassVar[tuple[str, ...]] = ("edge", "app")
    partner: ClassVar[Literal["peer", "below"] | None] = "below"

    async def prepare(self) -> None:
        """Makes all of them hold the latest version."""
        for below in self.scene.partners:
            await warm(below, self.writer, self.scene.keys)
        await super().prepare()
        sources = [below.address for below in self.scene.partners]
        self.wrong = {"sources": [source.name for source in sources]}
        self.beside = tuple(
            Beside(source.layer, source.name, "lost_invalidation") for source in sources
        )

    async def inject(self) -> None:
        """Writes while the lower nodes are deaf; the upper one drops its copy and refills there."""
        (key,) = self.scene.keys
        (old,) = self.writer.origin.read([key])
        for below in self.scene.partners:
            await below.deafen([key])
        version = await self.writer.write(key)
        await until_told(self.target, key, version)
        await asyncio.sleep(APART_S)
        await self.target.plant(old)

    async def repair(self) -> Collection[str]:
        """Heals the lower nodes, then the upper one."""
        for below in self.scene.partners:
            await below.forget(self.scene.keys)
        await self.target.restore(self.scene.keys)
        return self.scene.keys
