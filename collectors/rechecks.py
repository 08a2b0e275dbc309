"""Second reads: a copy that lags is read again once it may be proven stale, or confirmed so."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from collectors.base import NowNs
from collectors.node_watch import NodeWatch

NS_PER_S = 1_000_000_000
MOST_WAITING = 20_000
"""Second reads that wait; of more, the next round of the key has to tell."""
Reread = Callable[[NodeWatch, str], Awaitable[None]]
"""Reads one key at the origin, then at a node, and judges it."""


class Rechecks:
    """Reads to come, one for each node and key at a time. `done` is called after each."""

    def __init__(self, now_ns: NowNs, reread: Reread, done: Callable[[], None]) -> None:
        self._now_ns = now_ns
        self._reread = reread
        self._done = done
        self._tasks: dict[tuple[str, str, str], asyncio.Task[None]] = {}

    @property
    def waiting(self) -> Sequence[asyncio.Task[None]]:
        """What is still to come."""
        return list(self._tasks.values())

    def has(self, node: NodeWatch, key: str) -> bool:
        """Whether the key is to be read again at the node."""
        return (node.settings.layer, node.settings.name, key) in self._tasks

    def plan(self, node: NodeWatch, key: str, stamp: int) -> None:
        """Read the key at the node again when the stamp has come."""
        name = (node.settings.layer, node.settings.name, key)
        if name in self._tasks or len(self._tasks) >= MOST_WAITING:
            return
        task = asyncio.get_running_loop().create_task(self._run(node, key, stamp))
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._end(name, done))

    def drop(self, layer: str, node: str) -> None:
        """Plan nothing more at a node that is gone."""
        for name, task in self._tasks.items():
            if name[:2] == (layer, node):
                task.cancel()

    def _end(self, name: tuple[str, str, str], task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        report_failure(task)

    async def _run(self, node: NodeWatch, key: str, stamp: int) -> None:
        """Wait, read again, and confirm what that read opens."""
        await asyncio.sleep(max(0, stamp - self._now_ns()) / NS_PER_S)
        was_found = key in node.findings
        await self._reread(node, key)
        if key in node.findings and not was_found:
            await self._reread(node, key)
        self._done()


def report_failure(task: asyncio.Task[None]) -> None:
    """Hand what a task failed with to the loop's handler: nobody awaits it."""
    if not task.cancelled() and task.exception() is not None:
        context = {"message": "a probe failed", "exception": task.exception(), "task": task}
        task.get_loop().call_exception_handler(context)
