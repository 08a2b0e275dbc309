"""A node's subscription is dead, and the node does not notice: it serves and refills as ever."""

import time
from collections.abc import Collection
from typing import ClassVar

from lab.faults.base import Fault


class DeafSubscriber(Fault):
    """Every copy that is written goes stale; the node's sequence stands while others go on."""

    kind: ClassVar[str] = "deaf_subscriber"
    key_count: ClassVar[int] = 3
    takes_node: ClassVar[bool] = True
    takes_all_written: ClassVar[bool] = True
    _start_ns = 0

    async def inject(self) -> None:
        """Silences the bus for the node and writes; the workload's own writes add to it."""
        self._start_ns = time.time_ns()
        await self.target.mute()
        for key in self.scene.keys:
            await self.writer.write(key)

    async def repair(self) -> Collection[str]:
        """Subscribes again and drops what is too old; what was missed never comes."""
        await self.target.forget(None)
        return self.writer.written_since(self._start_ns)
