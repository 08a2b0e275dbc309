"""Staleness by node over time: the largest proven staleness of each bucket, and what is unknown."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dashboard.address import Window
from dashboard.wording import SECOND_NS
from freshness.rollup import Grain, Rollup
from store.base import ORIGIN, NodeRow
from store.cells import Cells, Place, add_up

_WIDTHS_S: Final = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 86_400)
MOST_COLUMNS: Final = 100


class Sight(StrEnum):
    """What a bucket can speak for; an empty bucket is no square at all."""

    JUDGED = "judged"
    PARTLY = "partly"
    """Judged reads beside unknown ones."""
    UNKNOWN = "unknown"
    """Reads were tried, and none could be judged."""
    MISSES = "misses"
    """Only misses: the node answered and held no copy."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row: one node of one layer. `state` is the catalogue's word on it now."""

    layer: str
    node: str
    region: str
    state: str


@dataclass(frozen=True, slots=True)
class Square:
    """A bucket of a lane. `largest_ns` is the largest staleness proven in it (a lower bound)."""

    lane: int
    start_ns: int
    sight: Sight
    largest_ns: int
    fresh: int
    stale: int
    indeterminate: int
    unknown: int
    misses: int


@dataclass(frozen=True, slots=True)
class HeatView:
    """Lanes from top to bottom, and their squares, each `width_ns` wide."""

    window: Window
    width_ns: int
    lanes: Sequence[Lane]
    squares: Sequence[Square]


def heat(
    cells: Cells,
    window: Window,
    nodes: Sequence[NodeRow],
    layer: str | None,
    node: str | None,
) -> HeatView:
    """Nodes grouped by layer and region, also those that nothing was read from."""
    lanes = _lanes(cells, nodes, layer, node)
    width_s = _width_s(cells, window)
    grouped: defaultdict[tuple[int, int], list[Rollup]] = defaultdict(list)
    index = {(lane.layer, lane.node): at for at, lane in enumerate(lanes)}
    for place, cell in cells.everything.items():
        lane = index.get((place.layer, place.node))
        if lane is not None:
            grouped[lane, place.start_s - place.start_s % width_s].append(cell)
    squares = [
        _square(lane, start_s, add_up(group)) for (lane, start_s), group in sorted(grouped.items())
    ]
    return HeatView(window, width_s * SECOND_NS, lanes, squares)


def _lanes(
    cells: Cells, nodes: Sequence[NodeRow], layer: str | None, node: str | None
) -> list[Lane]:
    known = {
        (row.layer, row.node): Lane(row.layer, row.node, row.region, row.state)
        for row in nodes
        if row.layer != ORIGIN
    }
    seen = {(place.layer, place.node) for place in cells.everything}
    shown = {at: lane for at, lane in known.items() if lane.state != "gone" or at in seen}
    for at in sorted(seen - set(shown)):
        shown[at] = Lane(*at, region="", state="gone")
    lanes = [
        lane for lane in shown.values() if layer in {None, lane.layer} and node in {None, lane.node}
    ]
    return sorted(lanes, key=lambda lane: (lane.layer, lane.region, lane.node))


def _width_s(cells: Cells, window: Window) -> int:
    span_s = (window.until_ns - window.since_ns) // SECOND_NS
    least = max(cells.grain_s, span_s // MOST_COLUMNS)
    return next((width for width in _WIDTHS_S if width >= least), int(Grain.DAY))


def _square(lane: int, start_s: int, cell: Rollup) -> Square:
    largest = cell.s_lo.quantile(1.0) if cell.judged.n else None
    return Square(
        lane=lane,
        start_ns=start_s * SECOND_NS,
        sight=_sight(cell),
        largest_ns=int(largest.low_ns) if largest else 0,
        fresh=cell.fresh.n,
        stale=cell.stale.n,
        indeterminate=cell.indeterminate.n,
        unknown=cell.unknown.n,
        misses=cell.misses,
    )


def _sight(cell: Rollup) -> Sight:
    if cell.judged.n:
        return Sight.PARTLY if cell.unknown.n else Sight.JUDGED
    return Sight.UNKNOWN if cell.unknown.n else Sight.MISSES


__all__ = ["HeatView", "Lane", "Place", "Sight", "Square", "heat"]
