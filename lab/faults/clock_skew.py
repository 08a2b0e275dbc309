"""The clock by which a node stamps what it says is some seconds off."""

from collections.abc import Collection
from typing import ClassVar, Final

from lab.faults.base import Fault, Shows, until_told, warm

OFFSETS_S: Final = (7.0, -7.0)


class ClockSkew(Fault):
    """Receipts, ages, remaining lifetimes and dates shift alike; the copies are right."""

    kind: ClassVar[str] = "clock_skew"
    key_count: ClassVar[int] = 3
    layers: ClassVar[tuple[str, ...]] = ("edge", "app")  # a Redis here has the machine's own clock
    takes_node: ClassVar[bool] = True
    shows: ClassVar[Shows] = "skew"

    async def prepare(self) -> None:
        """Draws which way it is off."""
        await super().prepare()
        self._offset_s = self.scene.rng.choice(OFFSETS_S)
        self.wrong = {"offset_s": self._offset_s}

    async def inject(self) -> None:
        """Shifts the clock, and writes a few keys so that there are receipts to see it by."""
        await self.target.skew(self._offset_s)
        versions = {key: await self.writer.write(key) for key in self.scene.keys}
        for key, version in versions.items():
            await until_told(self.target, key, version)
        await warm(self.target, self.writer, self.scene.keys)

    async def repair(self) -> Collection[str]:
        """Sets the clock right."""
        await self.target.skew(0.0)
        return self.scene.keys
