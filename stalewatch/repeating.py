"""Work that is done again and again on the event loop that starts it, until it is stopped."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

AFTER_A_FAULT_S: Final = 10.0

log = structlog.get_logger()


class Repeating:
    """One such task. `work` gives the seconds until its next turn; a fault of it ends nothing."""

    def __init__(self, name: str, work: Callable[[], Awaitable[float]]) -> None:
        self._name = name
        self._work = work
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, at once."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self, grace_s: float = 0.0) -> None:
        """Take no other turn; what is under way has so long to end."""
        self._stopped.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=grace_s)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                wait_s = await self._work()
            except Exception:
                log.exception("a task failed and goes on", task=self._name)
                wait_s = AFTER_A_FAULT_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait_s)
