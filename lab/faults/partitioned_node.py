"""One node reaches neither the bus nor the layer below: all that is written goes stale there."""

import time
from collections.abc import Sequence
from typing import ClassVar

from lab.faults.base import Scene, warm


class PartitionedNode:
    """The node serves what it holds and fills nothing until the partition heals."""

    kind: ClassVar[str] = "partitioned_node"
    key_count: ClassVar[int] = 3

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._start_ns = 0

    async def prepare(self) -> None:
        """Makes the node hold a few keys that will be written."""
        await warm(self._scene)

    async def inject(self) -> None:
        """Cuts the node off and writes; the workload's own writes add to it."""
        self._start_ns = time.time_ns()
        await self._scene.target.deafen(None)
        for key in self._scene.keys:
            await self._scene.writer.write(key)

    async def repair(self) -> Sequence[str]:
        """Lets everything through that was held back."""
        await self._scene.target.restore(None)
        return sorted(self._scene.writer.written_since(self._start_ns))
