"""The roll-up cells of a window, with the strata that make one cluster put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Final, NamedTuple

from dashboard.address import Window
from dashboard.wording import SECOND_NS
from freshness.rollup import Grain, Rollup, RollupKey
from freshness.strata import is_representative
from store.base import ORIGIN, Store

HOUR_NS: Final = Grain.HOUR * SECOND_NS
MINUTES_UP_TO_NS: Final = 6 * HOUR_NS
"""Windows longer than this are read from hours."""


class Place(NamedTuple):
    """Where and when the reads of a cell were made; `start_s` is the start of its bucket."""

    start_s: int
    keyspace: str
    layer: str
    node: str


@dataclass(frozen=True, slots=True)
class Cells:
    """All cells of a window; `grain_s` is the widest bucket among them."""

    window: Window
    grain_s: int
    sampled: Mapping[Place, Rollup]
    everything: Mapping[Place, Rollup]

    def total(self) -> Rollup:
        """All sampled reads together."""
        return add_up(self.sampled.values())


def read_cells(
    store: Store,
    window: Window,
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
) -> Cells:
    """The cells of a window: minutes up to six hours, beyond that hours and the newest minutes."""
    rows: list[tuple[RollupKey, Rollup]] = []
    minutes_from_ns, grain = window.since_ns, Grain.MINUTE
    if window.until_ns - window.since_ns > MINUTES_UP_TO_NS:
        # The hour that runs and the one before it may not have been folded yet.
        minutes_from_ns, grain = (window.until_ns // HOUR_NS - 1) * HOUR_NS, Grain.HOUR
        since_ns = window.since_ns // HOUR_NS * HOUR_NS
        rows += store.rollups("hour", since_ns, minutes_from_ns, keyspace, layer, node)
    since_ns = minutes_from_ns // (60 * SECOND_NS) * 60 * SECOND_NS
    rows += store.rollups("minute", since_ns, window.until_ns, keyspace, layer, node)
    rows = [(key, cell) for key, cell in rows if key.layer != ORIGIN]
    sampled = [(key, cell) for key, cell in rows if is_representative(key.stratum)]
    places = by_place(sampled)
    everything = places if len(sampled) == len(rows) else by_place(rows)
    return Cells(window, int(grain), places, everything)


def by_place(rows: Sequence[tuple[RollupKey, Rollup]]) -> dict[Place, Rollup]:
    """One cell a place. Strata of one node and minute are one cluster, so the largest counts."""
    places: dict[Place, Rollup] = {}
    for key, cell in rows:
        place = Place(key.start_s, key.keyspace, key.layer, key.node)
        known = places.get(place)
        clusters = max(known.clusters if known else 0, cell.minutes_with_reads)
        places[place] = replace(known + cell if known else cell, clusters=clusters)
    return places


def add_up(cells: Iterable[Rollup]) -> Rollup:
    """The sum of cells of distinct places; their clusters add up too."""
    return reduce(add, cells, Rollup())
