"""The roll-ups of a window, a cell for each bucket of time and place, read from any store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Final, NamedTuple

from freshness.rollup import Grain, Rollup, RollupKey
from freshness.strata import is_representative
from store.base import ORIGIN, Store

_SECOND_NS: Final = 10**9
MINUTE_NS: Final = Grain.MINUTE * _SECOND_NS
HOUR_NS: Final = Grain.HOUR * _SECOND_NS
MINUTES_UP_TO_NS: Final = 6 * HOUR_NS
"""Longer windows are read from hours."""


class Place(NamedTuple):
    """Where the reads of a cell were made; `start_s` is the Unix second its bucket begins at."""

    start_s: int
    keyspace: str
    layer: str
    node: str


@dataclass(frozen=True, slots=True)
class Cells:
    """All cells of a window that begins with a whole minute or hour, the widest bucket `grain_s`.

    `sampled` holds the reads that stand for all keys alike, `everything` those of all strata, each
    with the clusters of one place counted once; `strata` are the rows as they were kept.
    """

    since_ns: int
    until_ns: int
    grain_s: int
    sampled: Mapping[Place, Rollup]
    everything: Mapping[Place, Rollup]
    strata: Sequence[tuple[RollupKey, Rollup]]

    @property
    def minutes(self) -> int:
        """Minutes that begin in the window."""
        return -(-(self.until_ns - self.since_ns) // MINUTE_NS)

    def total(self) -> Rollup:
        """All sampled reads together."""
        return add_up(self.sampled.values())


def read_cells(
    store: Store,
    since_ns: int,
    until_ns: int,
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
) -> Cells:
    """Minutes for up to six hours, beyond that hours and the newest minutes."""
    where = keyspace, layer, node
    grain = Grain.HOUR if until_ns - since_ns > MINUTES_UP_TO_NS else Grain.MINUTE
    since_ns = since_ns // (grain * _SECOND_NS) * grain * _SECOND_NS
    rows: list[tuple[RollupKey, Rollup]] = []
    minutes_from_ns = since_ns
    if grain is Grain.HOUR:
        # The hour that runs and the one before it may not have been folded yet.
        minutes_from_ns = (until_ns // HOUR_NS - 1) * HOUR_NS
        rows += store.rollups("hour", since_ns, minutes_from_ns, *where)
    rows += store.rollups("minute", minutes_from_ns, until_ns, *where)
    rows = [(key, cell) for key, cell in rows if key.layer != ORIGIN]
    sampled = [(key, cell) for key, cell in rows if is_representative(key.stratum)]
    places = by_place(sampled)
    everything = places if len(sampled) == len(rows) else by_place(rows)
    return Cells(since_ns, until_ns, int(grain), places, everything, rows)


def by_place(rows: Iterable[tuple[RollupKey, Rollup]]) -> dict[Place, Rollup]:
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
