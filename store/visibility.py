"""Event-triggered checks of a window, by layer or node and horizon: what a version's age shows."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from freshness.check import CheckCell
from store.base import Store
from store.propagation import Place


class Visibility(NamedTuple):
    """All checks of one place at one horizon."""

    place: Place
    horizon_ns: int
    cell: CheckCell


def read_visibility(
    store: Store,
    since_ns: int,
    until_ns: int,
    by: Literal["layer", "node"] = "layer",
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
) -> Sequence[Visibility]:
    """In order of place and horizon; minutes that begin in [since, until)."""
    cells: defaultdict[tuple[Place, int], CheckCell] = defaultdict(CheckCell)
    for key, cell in store.checks(since_ns, until_ns, keyspace):
        if layer in (None, key.layer) and node in (None, key.node):
            place = Place(key.layer, key.node if by == "node" else None)
            cells[place, key.horizon_ns] += cell
    found = [Visibility(*at, cell) for at, cell in cells.items()]
    return sorted(found, key=lambda each: (each.place.layer, each.place.node or "", each[1]))
