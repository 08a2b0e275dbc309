"""A node refills several keys from a replica of the origin that has stalled."""

import asyncio
from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import APART_S, Fault, until_told


class ReplicaLagRefill(Fault):
    """The copies are filled after the writes with what the replica still shows."""

    kind: ClassVar[str] = "replica_lag_refill"
    key_count: ClassVar[int] = 4
    layers: ClassVar[tuple[str, ...]] = ("regional", "app")  # what refills from the origin itself

    async def prepare(self) -> None:
        """Names the replica."""
        await super().prepare()
        self.wrong = {"replica": self.target.address.region}

    async def inject(self) -> None:
        """Stalls the replica, writes, and lets the node refill from it once it was told."""
        replica = self.writer.origin.replica(self.target.address.region)
        replica.stall()
        versions = {key: await self.writer.write(key) for key in self.scene.keys}
        for key, version in versions.items():
            await until_told(self.target, key, version)
        await asyncio.sleep(APART_S)
        for lagging in replica.read(self.scene.keys):
            await self.target.plant(lagging)

    async def repair(self) -> Collection[str]:
        """Lets the replica catch up, and the node drop what it filled."""
        self.writer.origin.replica(self.target.address.region).catch_up()
        await self.target.restore(self.scene.keys)
        return self.scene.keys
