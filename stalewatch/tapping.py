"""The taps of a config, each a task on the server's loop: begun, kept through a reload, ended."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from collectors.base import VersionType
from collectors.naming import hashed, plain
from collectors.taps.base import Setting, Tap
from collectors.taps.coverage import NOT_RUNNING, Coverage
from collectors.taps.kinds import TAPS
from collectors.taps.listening import listen
from stalewatch.clock import wall_ns
from stalewatch.config.model import Config
from stalewatch.ear import Books, Evidence, Sink, TapEar
from stalewatch.tap_metrics import TapMetrics
from store.base import StoreError
from store.gaps import GapRow, Gaps

BOOKS_S: Final = 5.0
"""How often it is written how far each tap has heard; a crash widens its gap by as much."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Running:
    options: Any
    setting: Setting
    ear: TapEar
    listening: asyncio.Task[Any]
    books: asyncio.Task[None]
    ends: asyncio.Event


class Tapping:
    """Runs the taps from `start` to `stop`; the store must outlive it.

    Messages go to `sink`, which is called from a thread. Those that come after their commit go to
    `evidence` as well, once they are durable, with their keys as they are.
    """

    def __init__(
        self,
        gaps: Gaps,
        metrics: TapMetrics,
        sink: Sink,
        evidence: Evidence = lambda _: None,
    ) -> None:
        self._gaps, self._metrics, self._sink, self._evidence = gaps, metrics, sink, evidence
        self._running: dict[str, _Running] = {}

    async def start(self, config: Config) -> None:
        """Begin to listen; taps that an earlier process had and that are gone are closed."""
        await self._close_gone(set(config.taps))
        await self._begin(config)

    async def reload(self, config: Config) -> None:
        """Go on with another config: a tap that is as it was goes on listening meanwhile."""
        for name, running in list(self._running.items()):
            options, setting = _plan(config, name)
            if _told(options) != _told(running.options) or setting != running.setting:
                await self._end(name)
        await self.start(config)

    async def stop(self) -> None:
        """Let go of every connection, and write how far each has heard."""
        for name in list(self._running):
            await self._end(name)

    async def _begin(self, config: Config) -> None:
        naming = hashed if config.store.keys == "hashed" else plain
        books = Books(self._sink, naming, self._evidence, self._metrics, wall_ns)
        for name in config.taps:
            if name not in self._running:
                await self._begin_one(name, config, books)

    async def _begin_one(self, name: str, config: Config, books: Books) -> None:
        options, setting = _plan(config, name)
        kind = TAPS[options.kind]
        tap = kind.open(options, setting)
        coverage, position = await self._recall(name, tap.about, resumes=kind.resumes)
        proves = kind.is_commit_ordered(options)
        ear = TapEar(tap.about, coverage, books, position, proves=proves)
        self._metrics.begin(name)
        ends = asyncio.Event()
        listening = asyncio.create_task(listen(tap, ear), name=f"tap {name}")
        books_task = asyncio.create_task(self._keep_books(ear, ends), name=f"books of tap {name}")
        self._running[name] = _Running(options, setting, ear, listening, books_task, ends)

    async def _recall(self, name: str, about: str, *, resumes: bool) -> tuple[Coverage, str]:
        """Where the tap was left, and the gap since then."""
        now_ns = wall_ns()
        place = await asyncio.to_thread(self._gaps.place, name)
        if place is None or place.about != about:
            await self._close(await self._open_gaps(name))
            return Coverage(name, resumes, now_ns), ""
        coverage = Coverage(name, resumes, min(place.sure_until_ns, now_ns))
        left = await self._open_gaps(name)
        coverage.open = left[0] if left else None
        coverage.lost(now_ns, NOT_RUNNING)
        return coverage, place.position

    async def _open_gaps(self, name: str | None) -> list[GapRow]:
        now_ns = wall_ns()
        found = await asyncio.to_thread(self._gaps.gaps, now_ns, now_ns + 1, name)
        return [gap for gap in found if gap.until_ns is None]

    async def _close_gone(self, names: set[str]) -> None:
        await self._close([gap for gap in await self._open_gaps(None) if gap.source not in names])

    async def _close(self, gaps: list[GapRow]) -> None:
        """Whoever is listened to no longer has no gap that goes on."""
        if gaps:
            now_ns = wall_ns()
            closed = [replace(gap, until_ns=max(now_ns, gap.since_ns)) for gap in gaps]
            await asyncio.to_thread(self._gaps.write_gaps, closed)

    async def _end(self, name: str) -> None:
        running = self._running.pop(name)
        running.listening.cancel()
        await asyncio.gather(running.listening, return_exceptions=True)
        # Not cancelled: what it has taken to write would be lost, or be written after the last.
        running.ends.set()
        running.ear.changed.set()
        await asyncio.gather(running.books, return_exceptions=True)
        self._metrics.end(name)

    async def _keep_books(self, ear: TapEar, ends: asyncio.Event) -> None:
        while not ends.is_set():
            await self._write_books(ear)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BOOKS_S):
                    await ear.changed.wait()
        await self._write_books(ear)

    async def _write_books(self, ear: TapEar) -> None:
        written, withdrawn, place = ear.take_books()
        try:
            await asyncio.to_thread(self._gaps.write_gaps, written, withdrawn, [place])
        except StoreError as error:
            ear.give_back(written, withdrawn)
            log.error("the store takes no gaps", tap=ear.coverage.source, why=str(error))


def open_taps(config: Config) -> dict[str, Tap]:
    """The taps of a config, which connect when they are asked to."""
    planned = {name: _plan(config, name) for name in config.taps}
    return {
        name: TAPS[options.kind].open(options, setting)
        for name, (options, setting) in planned.items()
    }


def _told(options: Any) -> Any:
    """What a file says of a tap: each file has models of its own, which are never equal."""
    return options and options.model_dump()


def _plan(config: Config, name: str) -> tuple[Any, Setting]:
    """A tap's options, None where the config has none of that name, and its setting."""
    options: Any = config.taps.get(name)
    versions: dict[str, VersionType] = {
        keyspace: each.version.type for keyspace, each in config.keyspaces.items()
    }
    return options, Setting(name, wall_ns, versions)
