"""The roll-ups of a window that ends now, a cell for each minute or hour and place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from freshness.rollup import Grain, Rollup, RollupKey
from freshness.strata import is_representative
from stalewatch.api.asked import HOUR_NS, NS_PER_S, WindowAsked
from stalewatch.api.items import Item, times
from store.base import ORIGIN, Store

MINUTES_UP_TO_NS: Final = 6 * HOUR_NS
"""Longer windows are read from hours."""
_MINUTE_NS: Final = Grain.MINUTE * NS_PER_S


class Place(NamedTuple):
    """Where the reads of a cell were made, and when its bucket begins."""

    start_s: int
    keyspace: str
    layer: str
    node: str


@dataclass(frozen=True, slots=True)
class Cells:
    """`walked` holds the reads that make up the share (R), `every` those of all strata."""

    since_ns: int
    until_ns: int
    walked: Mapping[Place, Rollup]
    every: Mapping[Place, Rollup]

    @property
    def minutes(self) -> int:
        """Minutes that begin in the window."""
        return -(-(self.until_ns - self.since_ns) // _MINUTE_NS)

    def window(self) -> Item:
        """The window as it was read: it begins with a whole minute, or hour."""
        return times(since=self.since_ns, until=self.until_ns)


def read_cells(store: Store, asked: WindowAsked, now_ns: int) -> Cells:
    """The cells of a window; the hours that may still be open are read as minutes."""
    where = (asked.keyspace, asked.layer, asked.node)
    since_ns = (now_ns - asked.window) // _MINUTE_NS * _MINUTE_NS
    rows: list[tuple[RollupKey, Rollup]] = []
    minutes_from_ns = since_ns
    if asked.window > MINUTES_UP_TO_NS:
        since_ns = since_ns // HOUR_NS * HOUR_NS
        minutes_from_ns = (now_ns // HOUR_NS - 1) * HOUR_NS
        rows += store.rollups("hour", since_ns, minutes_from_ns, *where)
    rows += store.rollups("minute", minutes_from_ns, now_ns, *where)
    rows = [row for row in rows if row[0].layer != ORIGIN]
    walked = [row for row in rows if is_representative(row[0].stratum)]
    return Cells(since_ns, now_ns, _by_place(walked), _by_place(rows))


def add_up(cells: Iterable[Rollup]) -> Rollup:
    """The sum of cells of distinct places, whose clusters are distinct too."""
    total = Rollup()
    for cell in cells:
        total = total + cell
    return total


def _by_place(rows: Iterable[tuple[RollupKey, Rollup]]) -> dict[Place, Rollup]:
    """Strata and definitions of one node and minute are one cluster: the largest counts."""
    places: dict[Place, Rollup] = {}
    for key, cell in rows:
        place = Place(key.start_s, key.keyspace, key.layer, key.node)
        known = places.get(place, Rollup())
        clusters = max(known.clusters, cell.minutes_with_reads)
        places[place] = replace(known + cell, clusters=clusters)
    return places
