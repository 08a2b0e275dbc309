"""How invalidations spread, from what a store holds: for the API, the pages and the rules alike.

A layer is expected to hear of a keyspace where its nodes are probed for it, or spoke of it. Only so
many messages and keys are looked at in one question; what was not looked at is said to be so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from freshness.propagation import Caveat, Tally, tally
from store.base import ORIGIN, NodeRow, Store
from store.messages import Told
from store.page import Page
from store.sights import Sightings
from store.spread import Ground, NodeSpread, Spread
from store.streams import Streams

NS_PER_S: Final = 10**9
AROUND_NS: Final = 600 * NS_PER_S
"""How far before and after a message its neighbours are read, for what sequences prove."""
MOST_TOLD: Final = 3_000
MOST_AROUND: Final = 500
_PAGE: Final = 500
_HOUR_NS: Final = 3_600 * NS_PER_S


class Place(NamedTuple):
    """What a lag is told of: a layer, or one node of it."""

    layer: str
    node: str | None


class LagFigures(NamedTuple):
    """Many invalidations at one place; `is_known` is whether the catalogue has it."""

    place: Place
    is_known: bool
    region: str
    limit_ns: int | None
    invalidations: int
    claimed: Tally
    observed: Tally
    caveats: dict[Caveat, int]


@dataclass(frozen=True, slots=True)
class Lag:
    """The invalidations of a window; `is_all` is false where there are more than were read."""

    spreads: Sequence[Spread]
    streams: Streams
    is_all: bool


def read_spread(store: Store, id: str, now_ns: int) -> Spread | None:
    """One invalidation; None where there is no such."""
    told = store.invalidation(id)
    return None if told is None else _assemble(store, [told], now_ns)[0][0]


def read_spreads(
    store: Store,
    since_ns: int,
    until_ns: int,
    now_ns: int,
    keyspace: str | None = None,
    key: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Spread]:
    """A page of those received in [since, until), newest first."""
    page = store.invalidations(since_ns, until_ns, keyspace, key, limit, cursor)
    return Page(_assemble(store, page.items, now_ns)[0], page.next)


def read_lag(
    store: Store,
    since_ns: int,
    until_ns: int,
    keyspace: str | None = None,
    now_ns: int | None = None,
    limit_ns: int | None = None,
) -> Lag:
    """Those received in a window that ends now, or before `now_ns`; the newest of them.

    `limit_ns` stands in for the maximum staleness of every layer.
    """
    tolds, is_all = _read_tolds(store, since_ns, until_ns, MOST_TOLD, keyspace)
    spreads, streams = _assemble(store, tolds, until_ns if now_ns is None else now_ns, limit_ns)
    return Lag(spreads, streams, is_all)


def figure_lag(
    spreads: Iterable[Spread],
    by: Literal["layer", "node"],
    layer: str | None = None,
    node: str | None = None,
) -> list[LagFigures]:
    """What each layer, or each node, makes of many invalidations; never both sides in one."""
    places: defaultdict[Place, list[NodeSpread]] = defaultdict(list)
    messages: defaultdict[Place, int] = defaultdict(int)
    for spread in spreads:
        asked = [e for e in spread.nodes if layer in (None, e.layer) and node in (None, e.node)]
        found = [(_place(each, by), each) for each in asked]
        for place, each in found:
            places[place].append(each)
        for place in {place for place, _ in found}:
            messages[place] += 1
    ordered = sorted(places, key=lambda place: (place.layer, place.node or ""))
    return [_figures(place, places[place], messages[place]) for place in ordered]


def _place(each: NodeSpread, by: Literal["layer", "node"]) -> Place:
    return Place(each.layer, each.node if by == "node" else None)


def _figures(place: Place, nodes: Sequence[NodeSpread], messages: int) -> LagFigures:
    claims = [each.claimed for each in nodes if each.claimed is not None]
    regions = {each.region for each in nodes}
    return LagFigures(
        place,
        any(each.is_known for each in nodes),
        regions.pop() if len(regions) == 1 else "",
        max((each.limit_ns for each in nodes if each.limit_ns is not None), default=None),
        messages,
        tally(claims),
        tally(each.observed for each in nodes if each.observed is not None),
        {caveat: sum(claim.caveat is caveat for claim in claims) for caveat in Caveat},
    )


def _assemble(
    store: Store, tolds: Sequence[Told], now_ns: int, limit_ns: int | None = None
) -> tuple[Sequence[Spread], Streams]:
    around = _read_around(store, tolds)
    catalogue = [row for row in store.nodes() if row.layer != ORIGIN]
    streams = Streams(around, now_ns, catalogue)
    expected = _expected_layers(store, around, catalogue)
    if limit_ns is not None:
        catalogue = [replace(row, max_staleness_ns=limit_ns) for row in catalogue]
    ground = Ground(catalogue, Sightings(store, now_ns), streams, now_ns)
    return [ground.spread(told, expected[told.invalidation.keyspace]) for told in tolds], streams


def _expected_layers(
    store: Store, tolds: Iterable[Told], catalogue: Sequence[NodeRow]
) -> defaultdict[str, set[str]]:
    """The layers of each keyspace that hold it: they are probed for it, or spoke of it."""
    known = {row.layer for row in catalogue}
    heard: defaultdict[str, set[str]] = defaultdict(set)
    at: defaultdict[str, list[int]] = defaultdict(list)
    for told in tolds:
        keyspace = told.invalidation.keyspace
        heard[keyspace] |= {each.layer for each in told.receipts} & known
        at[keyspace].append(told.invalidation.received_at_ns)
    for keyspace, instants in at.items():
        until_ns = max(instants) + 60 * NS_PER_S
        minutes = store.rollups("minute", until_ns - AROUND_NS, until_ns, keyspace)
        hours = store.rollups("hour", min(instants) - _HOUR_NS, until_ns, keyspace)
        heard[keyspace] |= {key.layer for key, _ in (*minutes, *hours)} & known
    return heard


def _read_around(store: Store, tolds: Sequence[Told]) -> list[Told]:
    """The messages themselves and their neighbours, whatever keyspace these are of."""
    if not tolds:
        return []
    instants = [told.invalidation.received_at_ns for told in tolds]
    first, last = min(instants), max(instants) + 1
    before, _ = _read_tolds(store, first - AROUND_NS, first, MOST_AROUND)
    between, _ = _read_tolds(store, first, last, 2 * MOST_AROUND)
    after, _ = _read_tolds(store, last, last + AROUND_NS, MOST_AROUND)
    each = {told.invalidation.id: told for told in (*before, *between, *after, *tolds)}
    return list(each.values())


def _read_tolds(
    store: Store, since_ns: int, until_ns: int, most: int, keyspace: str | None = None
) -> tuple[list[Told], bool]:
    tolds: list[Told] = []
    cursor = None
    while len(tolds) < most:
        limit = min(_PAGE, most - len(tolds))
        page = store.invalidations(since_ns, until_ns, keyspace, None, limit, cursor)
        tolds += page.items
        cursor = page.next
        if cursor is None:
            return tolds, True
    return tolds, False
