"""The traffic of a keyspace, read anew once what tells it may have changed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from collectors.base import Origin, SourceError
from collectors.traffic import read_traffic_file
from freshness.traffic import Traffic
from stalewatch.config.model import TrafficSettings

ORIGIN_S: Final = 300.0
"""How often an origin is asked."""


class TrafficFeed:
    """Where one keyspace's traffic comes from."""

    def __init__(self, settings: TrafficSettings) -> None:
        self._settings = settings
        self._file_state: tuple[int, int, int] | None = None
        self._due_s = 0.0

    async def news(self, origin: Origin) -> Traffic | None:
        """What is told now; None where it was told before. Raises SourceError or OSError."""
        if self._settings.file is not None:
            told = await asyncio.to_thread(self._read_file, self._settings.file)
        else:
            told = await self._ask(origin)
        return None if told is None else Traffic(told, self._settings.others)

    def _read_file(self, file: Path) -> Mapping[str, float] | None:
        stat = file.stat()
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if state == self._file_state:
            return None
        # A file with a mistake is read again each time, so that its mistake goes on being told.
        told = read_traffic_file(file)
        self._file_state = state
        return told

    async def _ask(self, origin: Origin) -> Mapping[str, float] | None:
        if time.monotonic() < self._due_s:
            return None
        ask: Callable[[], Awaitable[Mapping[str, float]]] | None = getattr(
            origin, "list_traffic", None
        )
        if ask is None:
            raise SourceError("origins of this kind tell no traffic")
        told = await ask()
        self._due_s = time.monotonic() + ORIGIN_S
        return told
