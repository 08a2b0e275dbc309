"""A node takes so long for each message that the rest queue up behind it."""

import time
from collections.abc import Collection
from typing import ClassVar, Final

from lab.faults.base import Fault

EACH_S: Final = 1.0
"""What one message takes: the first is this late, and each behind it by as much more."""


class LateInvalidation(Fault):
    """Every copy heals when its message has its turn; the delay grows with the queue."""

    kind: ClassVar[str] = "late_invalidation"
    key_count: ClassVar[int] = 4
    takes_node: ClassVar[bool] = True
    takes_all_written: ClassVar[bool] = True
    _start_ns = 0

    async def prepare(self) -> None:
        """Says how slow it will be."""
        await super().prepare()
        self.wrong = {"each_s": EACH_S}

    async def inject(self) -> None:
        """Slows the node down and writes several keys in a row."""
        self._start_ns = time.time_ns()
        await self.target.slow(EACH_S)
        for key in self.scene.keys:
            await self.writer.write(key)

    async def repair(self) -> Collection[str]:
        """Lets the node work off its queue at once."""
        await self.target.restore(None)
        return self.writer.written_since(self._start_ns)
