"""When each place of an objective was listed, and how far its measuring is complete."""

from typing import Final

from freshness.budget_coverage import Listing
from freshness.series import Place
from freshness.track import Track
from freshness.window import Window
from store.objective_feed import Feed
from store.objective_spec import Spec

SETTLE_S: Final = 30
"""So long after its end a minute is complete: rounds end, and their batch is written."""
FOLD_S: Final = 150
"""And an hour: minutes are folded once a minute."""
HOUR_S: Final = 3_600
_ALWAYS_S: Final = 2**40
NS: Final = 10**9


def list_places(spec: Spec, track: Track, feed: Feed) -> Listing:
    """From the first cell of each place to when the catalogue dropped its node.

    A node without a cell is listed since the catalogue has it, and not before the first cell of its
    keyspace: measuring was set up then. Pairs have no grid, and are told since their first cell.
    """
    firsts = {place: cells.starts[0] for place, cells in track.places.items() if cells.starts}
    if not firsts:
        return {}
    if not spec.measure.is_on_grid:
        return {place: [Window(min(firsts.values()), _ALWAYS_S)] for place in firsts}
    began: dict[str, int] = {}
    for place, first in firsts.items():
        began[place.keyspace] = min(first, began.get(place.keyspace, first))
    listing = {place: [_listed(track, place, first)] for place, first in firsts.items()}
    for row in feed.nodes:
        for place in _places_of(spec, feed, row.layer, row.node):
            since_s = row.since_at_ns // NS
            if place in firsts:
                until_s = max(firsts[place], since_s) if row.state == "gone" else _ALWAYS_S
                listing[place] = [Window(firsts[place], until_s)]
            elif row.state != "gone" and place.keyspace in began:
                listing[place] = [Window(max(since_s, began[place.keyspace]), _ALWAYS_S)]
    return dict(sorted(listing.items()))


def find_watermark(spec: Spec, track: Track, now_s: int, counted_s: int | None = None) -> int:
    """Up to where everything is measured, never past `now_s`; 0 where nothing is.

    The least over keyspaces of the end of the newest slice with reads, answered or not. Of pairs
    it is `counted_s`, up to where messages were counted.
    """
    if not spec.measure.is_on_grid:
        return 0 if counted_s is None else min(counted_s, now_s)
    slice_s = spec.objective.slice_s
    newest: dict[str, int] = {}
    for place, cells in track.places.items():
        if cells.starts:
            last = cells.starts[-1]
            newest[place.keyspace] = max(last, newest.get(place.keyspace, last))
    if not newest:
        return 0
    settled_s = now_s - (FOLD_S if slice_s >= HOUR_S else SETTLE_S)
    ended_s = min(newest.values())
    return min(settled_s - settled_s % 60, ended_s - ended_s % slice_s + slice_s)


def _places_of(spec: Spec, feed: Feed, layer: str, node: str) -> list[Place]:
    places = (Place(keyspace, layer, node) for keyspace in spec.placement)
    return [place for place in places if spec.covers(place, feed.regions)]


def _listed(track: Track, place: Place, first: int) -> Window:
    """Of a place that no catalogue has: as long as it was read."""
    last = track.places[place].starts[-1]
    return Window(first, last + track.slice_s)
