"""One node reaches neither the bus nor the layer below: all that is written goes stale there."""

import time
from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import Fault, warm


class PartitionedNode(Fault):
    """The node serves what it holds and fills nothing until the partition heals."""

    kind: ClassVar[str] = "partitioned_node"
    key_count: ClassVar[int] = 3
    takes_node: ClassVar[bool] = True
    takes_all_written: ClassVar[bool] = True
    _start_ns = 0

    async def prepare(self) -> None:
        """Makes the node hold a few keys that will be written."""
        await warm(self.target, self.writer, self.scene.keys)

    async def inject(self) -> None:
        """Cuts the node off and writes; the workload's own writes add to it."""
        self._start_ns = time.time_ns()
        await self.target.deafen(None)
        for key in self.scene.keys:
            await self.writer.write(key)

    async def repair(self) -> Collection[str]:
        """Lets everything through that was held back."""
        await self.target.restore(None)
        return self.writer.written_since(self._start_ns)
