"""Taps as `up` runs them, over a real store, from a real config file."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stalewatch.config import Config, load
from stalewatch.metrics import Metrics
from stalewatch.tapping import Tapping
from store.gaps import GapRow
from store.messages import InvalidationRow
from store.sqlite import SqliteStore
from tests.servers import eventually
from tests.stalewatch.config.configs import GOOD, written

EVER = 2**62


def config_of(folder: Path, taps: dict[str, Any], base: str = GOOD) -> Config:
    """The good config with these taps."""
    document = YAML(typ="safe").load(base)
    document["taps"] = taps
    file = written(folder, "")
    with file.open("w") as out:
        YAML().dump(document, out)
    return load(file)


class Site:
    """A store, and the taps of a config over it; a second site over the same store is a restart."""

    def __init__(self, store: SqliteStore, config: Config) -> None:
        self.store, self.config = store, config
        self.metrics = Metrics()
        self.evidence: list[InvalidationRow] = []
        self.tapping = Tapping(store, self.metrics.taps, store, self._prove)

    def _prove(self, rows: Sequence[InvalidationRow]) -> None:
        self.evidence += rows

    def rows(self) -> list[InvalidationRow]:
        """All that was heard, oldest first."""
        page = self.store.invalidations(0, EVER, limit=100_000)
        return [told.invalidation for told in page.items][::-1]

    def versions(self) -> list[int | None]:
        return [row.version for row in self.rows()]

    def gaps(self) -> Sequence[GapRow]:
        return self.store.gaps(0, EVER)

    def counted(self, name: str, **labels: str) -> float | None:
        told = {"tap": "bus", **labels}
        return self.metrics.registry.get_sample_value(f"stalewatch_tap_{name}", told)

    @property
    def is_connected(self) -> bool:
        return self.counted("connected") == 1

    async def hears(self, count: int) -> None:
        """Wait until so many messages are stored."""
        await eventually(
            lambda: asyncio.to_thread(lambda: len(self.rows()) >= count), f"{count} messages", 30
        )


@asynccontextmanager
async def listening(
    store: SqliteStore, config: Config, *, waits: bool = True
) -> AsyncIterator[Site]:
    """Taps that run; by the end they have written how far each heard."""
    site = Site(store, config)
    await site.tapping.start(config)
    try:
        if waits:
            await eventually(lambda: site.is_connected, "the tap listens", 30)
        yield site
    finally:
        await site.tapping.stop()
