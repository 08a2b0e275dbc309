"""Sweeps of a running server: those that are asked for in its store, one after the other."""

import asyncio
from typing import Final

import structlog

from collectors.sweep import Sweep
from collectors.watch import Watch
from stalewatch.clock import wall_ns
from stalewatch.wiring import Wiring
from store.base import Store, StoreError
from store.sweeps import SweepRow

LOOK_S: Final = 1.0
"""How often it looks for sweeps that are asked for, and whether the one under way is to rest."""

log = structlog.get_logger()


class Sweeping:
    """Runs on the event loop of the probes, from `start` to `stop`; the store outlives it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self, wiring: Wiring) -> None:
        """Begin to look for sweeps of the keyspaces that are watched."""
        self._task = asyncio.get_running_loop().create_task(self._run(wiring))

    async def stop(self) -> None:
        """The one under way rests; a later process goes on with it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self, wiring: Wiring) -> None:
        while True:
            try:
                row = await asyncio.to_thread(self._next, wiring)
                if row is not None:
                    await self._sweep(row, wiring.watches[row.keyspace])
            except StoreError as error:
                log.error("sweeps cannot be looked for", why=str(error))
            except Exception:
                log.exception("a sweep failed")
            await asyncio.sleep(LOOK_S)

    def _next(self, wiring: Wiring) -> SweepRow | None:
        """The oldest that is open and is not to rest."""
        rows = self._store.sweeps(open_only=True)
        due = (
            row
            for row in reversed(rows)
            if row.keyspace in wiring.watches and not self._store.is_sweep_paused(row.id)
        )
        return next(due, None)

    async def _sweep(self, row: SweepRow, watch: Watch) -> None:
        log.info("sweep begins", sweep=row.id, keyspace=row.keyspace, layer=row.layer)
        task = asyncio.create_task(Sweep(row, watch, wall_ns).run())
        try:
            while not task.done():
                await asyncio.wait([task], timeout=LOOK_S)
                if await asyncio.to_thread(self._store.is_sweep_paused, row.id):
                    task.cancel()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            done = task.result()
            log.info("sweep ended", sweep=row.id, state=done.state, why=done.why)


async def sweep_here(row: SweepRow, wiring: Wiring) -> SweepRow:
    """Run one sweep to its end in this process; cancelled, it rests."""
    return await Sweep(row, wiring.watches[row.keyspace], wall_ns).run()
