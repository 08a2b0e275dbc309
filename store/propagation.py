"""How invalidations spread, from what a store holds: for the API, the pages and the rules alike.

A layer is expected to hear of a keyspace where its nodes are probed for it, or spoke of it. Only so
many messages and keys are looked at in one question; what was not looked at is said to be so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from freshness.propagation import (
    Caveat,
    Claimed,
    Message,
    Observed,
    Tally,
    Word,
    bound_commit,
    judge_claim,
    judge_sights,
    tally,
    worst_of,
)
from store.base import ORIGIN, NodeRow, Store
from store.messages import InvalidationRow, ReceiptRow, Told
from store.page import Page
from store.sights import Sightings
from store.streams import NodeName, Streams

NS_PER_S: Final = 10**9
AROUND_NS: Final = 600 * NS_PER_S
"""How far before and after a message its neighbours are read, for what sequences prove."""
MOST_TOLD: Final = 5_000
MOST_AROUND: Final = 500
_PAGE: Final = 500
_HOUR_NS: Final = 3_600 * NS_PER_S
_TELLS_NOBODY: Final = "ttl"
"""The mechanism of a layer that takes no invalidations: it owes no receipt."""


@dataclass(frozen=True, slots=True)
class NodeSpread:
    """One invalidation at one node. `claimed` and `observed` are never merged.

    `claimed` is None where the layer takes no invalidations, `observed` where probes were not
    looked at. `is_known`: the catalogue has the node; `is_listed`: discovery still lists it.
    """

    layer: str
    node: str
    region: str
    is_known: bool
    is_listed: bool
    limit_ns: int | None
    claimed: Claimed | None
    observed: Observed | None
    receipts: Sequence[ReceiptRow]


@dataclass(frozen=True, slots=True)
class Spread:
    """One invalidation at every node that should hear it, by layer and name."""

    invalidation: InvalidationRow
    nodes: Sequence[NodeSpread]


class Place(NamedTuple):
    """What a lag is told of: a layer, or one node of it."""

    layer: str
    node: str | None


class LagFigures(NamedTuple):
    """Many invalidations at one place."""

    place: Place
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


def read_lag(store: Store, since_ns: int, until_ns: int, keyspace: str | None = None) -> Lag:
    """Those received in a window that ends now (`until_ns`), the newest of them."""
    tolds, is_all = _read_tolds(store, since_ns, until_ns, MOST_TOLD, keyspace)
    spreads, streams = _assemble(store, tolds, until_ns)
    return Lag(spreads, streams, is_all)


def figure_lag(spreads: Iterable[Spread], by: Literal["layer", "node"]) -> list[LagFigures]:
    """What each layer, or each node, makes of many invalidations; never both sides in one."""
    places: defaultdict[Place, list[NodeSpread]] = defaultdict(list)
    messages: defaultdict[Place, int] = defaultdict(int)
    for spread in spreads:
        found = [(_place(each, by), each) for each in spread.nodes]
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
        regions.pop() if len(regions) == 1 else "",
        max((each.limit_ns for each in nodes if each.limit_ns is not None), default=None),
        messages,
        tally(claims),
        tally(each.observed for each in nodes if each.observed is not None),
        {caveat: sum(claim.caveat is caveat for claim in claims) for caveat in Caveat},
    )


def _assemble(store: Store, tolds: Sequence[Told], now_ns: int) -> tuple[Sequence[Spread], Streams]:
    around = _read_around(store, tolds)
    streams = Streams(around, now_ns)
    catalogue = [row for row in store.nodes() if row.layer != ORIGIN]
    expected = _expected_layers(store, around, catalogue)
    sightings = Sightings(store, now_ns)
    spreads = []
    for told in tolds:
        rows = [row for row in catalogue if row.layer in expected[told.invalidation.keyspace]]
        spreads.append(_spread(told, rows, catalogue, sightings, streams, now_ns))
    return spreads, streams


def _spread(
    told: Told,
    expected: Sequence[NodeRow],
    catalogue: Sequence[NodeRow],
    sightings: Sightings,
    streams: Streams,
    now_ns: int,
) -> Spread:
    row = told.invalidation
    receipts: defaultdict[NodeName, list[ReceiptRow]] = defaultdict(list)
    for receipt in told.receipts:
        receipts[receipt.layer, receipt.node].append(receipt)
    known = {(each.layer, each.node): each for each in catalogue}
    due = {(each.layer, each.node) for each in expected if _is_due(each, row)}
    limits = {each.layer: each.max_staleness_ns for each in catalogue}
    nodes = []
    for name in sorted(due | set(receipts)):
        node, own = known.get(name), receipts[name]
        limit_ns = node.max_staleness_ns if node is not None else limits.get(name[0])
        is_listed = node is not None and node.state != "gone"
        observed = _observe(row, name, limit_ns, sightings, is_listed=is_listed)
        claimed = None
        if own or node is None or node.mechanism != _TELLS_NOBODY:
            claimed = judge_claim(
                Message(row.written_at_ns, row.received_at_ns, row.host, row.version),
                [Word(each.outcome, each.at_ns, each.received_at_ns, each.host) for each in own],
                limit_ns,
                now_ns,
                is_listed=is_listed,
                is_passed=not own and streams.has_lost(row, name),
                observed=observed,
            )
        region = node.region if node is not None else ""
        nodes.append(
            NodeSpread(*name, region, node is not None, is_listed, limit_ns, claimed, observed, own)
        )
    return Spread(row, nodes)


def _is_due(node: NodeRow, row: InvalidationRow) -> bool:
    """A node that was dropped before the message came owes it nothing."""
    return node.state != "gone" or node.since_at_ns >= row.received_at_ns


def _observe(
    row: InvalidationRow,
    name: NodeName,
    limit_ns: int | None,
    sightings: Sightings,
    *,
    is_listed: bool,
) -> Observed | None:
    version = row.version if row.scope == "key" and row.keys else None
    if version is None:
        return judge_sights(None, bound_commit(0, ()), (), limit_ns, is_listed=is_listed)
    accounts = []
    for key in sightings.chosen(row):
        seen = sightings.of(row, key)
        if seen is None:
            return None
        commit = bound_commit(version, seen.origin)
        at_node = seen.nodes.get(name, ())
        accounts.append(judge_sights(version, commit, at_node, limit_ns, is_listed=is_listed))
    return worst_of(accounts)


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
