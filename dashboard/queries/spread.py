"""Invalidations of a window, how each spread, and what each layer makes of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dashboard.address import Address, Window
from store.base import Store
from store.propagation import LagFigures, figure_lag, read_spread, read_spreads
from store.spread import NodeSpread, Spread
from store.visibility import Visibility, read_visibility

MOST_READ: Final = 200
"""Invalidations that one page is made of; the lag by layer is theirs."""
MOST_LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """An invalidation at the nodes that the filters leave, and what its layers make of it."""

    spread: Spread
    layers: Sequence[LagFigures]


@dataclass(frozen=True, slots=True)
class InvalidationsView:
    """The newest invalidations of a window; `lag` is of the `looked_at` newest.

    `is_all` is false where the window has more than were looked at.
    """

    window: Window
    listed: Sequence[Listed]
    lag: Sequence[LagFigures]
    visibility: Sequence[Visibility]
    looked_at: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class SpreadView:
    """One invalidation; `spread` is None where there is no such. `now_ns` is Unix nanoseconds."""

    id: str
    spread: Spread | None
    nodes: Sequence[NodeSpread]
    now_ns: int


def invalidations(store: Store, address: Address, now_ns: int) -> InvalidationsView:
    """Newest first, by when they reached the observer."""
    window = address.window(now_ns)
    page = read_spreads(
        store, window.since_ns, window.until_ns, now_ns, address.only_keyspace, limit=MOST_READ
    )
    spreads = [_filtered(spread, address) for spread in page.items]
    return InvalidationsView(
        window=window,
        listed=[Listed(each, figure_lag([each], "layer")) for each in spreads[:MOST_LISTED]],
        lag=figure_lag(spreads, "layer"),
        visibility=read_visibility(
            store,
            window.since_ns,
            window.until_ns,
            "layer",
            address.only_keyspace,
            address.layer,
            address.node,
        ),
        looked_at=len(spreads),
        is_all=page.next is None,
    )


def invalidation(store: Store, address: Address, now_ns: int) -> SpreadView:
    """The invalidation that an address names, its nodes by layer, region and name."""
    id = address.invalidation or ""
    spread = read_spread(store, id, now_ns)
    nodes = [] if spread is None else _filtered(spread, address).nodes
    return SpreadView(id, spread, sorted(nodes, key=_place), now_ns)


def _filtered(spread: Spread, address: Address) -> Spread:
    kept = [
        each
        for each in spread.nodes
        if address.layer in (None, each.layer) and address.node in (None, each.node)
    ]
    return replace(spread, nodes=kept)


def _place(each: NodeSpread) -> tuple[str, str, str]:
    return each.layer, each.region, each.node
