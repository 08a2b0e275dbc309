"""A copy has the latest version but not its content: half of the update is missing."""

from collections.abc import Collection
from dataclasses import replace
from typing import ClassVar

from lab.faults.base import Fault, Shows, until_told


class TornValue(Fault):
    """The new version with the old price. Copies filled from it, above, are torn as well."""

    kind: ClassVar[str] = "torn_value"
    shows: ClassVar[Shows] = "torn"

    async def inject(self) -> None:
        """Writes, and plants a mixture of the two values."""
        (key,) = self.scene.keys
        (old,) = self.writer.origin.read([key])
        version = await self.writer.write(key)
        (new,) = self.writer.origin.read([key])
        await until_told(self.target, key, version)
        price = old.price if old.price != new.price else old.price + 1
        await self.target.plant(replace(new, price=price))

    async def repair(self) -> Collection[str]:
        """Removes the copy, and writes again, so that what was filled from it goes too."""
        await self.target.restore(self.scene.keys)
        await self.target.purge(self.scene.keys)
        for key in self.scene.keys:
            await self.writer.write(key)
        return self.scene.keys
