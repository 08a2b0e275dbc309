"""How spans are read under a config, whichever way they come: names, keyspaces, known nodes."""

import contextlib
import time
from typing import Final

from collectors.base import NowNs, VersionType
from collectors.naming import hashed, plain
from collectors.otlp.mapping import Mapper, names_of
from stalewatch.config.model import Config
from store.base import Store, StoreError

LOOK_AGAIN_S: Final = 1.0


class KnownNodes:
    """Which layers and nodes there are: those of the config and those of the store's catalogue."""

    def __init__(self, config: Config, store: Store, monotonic_ns: NowNs) -> None:
        self._named = {
            (name, entry.name)
            for name, layer in config.layers.items()
            for entry in layer.nodes
            if entry.name is not None
        }
        self._known: set[tuple[str, str]] = set(self._named)
        self._store, self._monotonic_ns = store, monotonic_ns
        self._looked_at_ns: int | None = None

    def __call__(self, layer: str, node: str) -> bool:
        """Whether there is such a node; the store is asked at most once a second."""
        if (layer, node) not in self._known:
            self._look()
        return (layer, node) in self._known

    def _look(self) -> None:
        now_ns = self._monotonic_ns()
        if self._looked_at_ns is not None and now_ns - self._looked_at_ns < LOOK_AGAIN_S * 10**9:
            return
        self._looked_at_ns = now_ns
        with contextlib.suppress(StoreError):
            self._known = self._named | {(row.layer, row.node) for row in self._store.nodes()}


def make_names(config: Config) -> dict[str, str]:
    """Which attributes are read, and what each stands for."""
    return names_of(dict(config.traces.mapping.items()))


def make_mapper(config: Config, store: Store) -> Mapper:
    """What makes rows of spans; it belongs to one thread at a time."""
    ordered = {
        name
        for name, keyspace in config.keyspaces.items()
        if keyspace.version.type is VersionType.INTEGER
    }
    naming = hashed if config.store.keys == "hashed" else plain
    return Mapper(KnownNodes(config, store, time.monotonic_ns), ordered, naming)
