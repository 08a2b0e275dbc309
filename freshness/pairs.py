"""(W) as counts: (invalidation, node) pairs in time, by the slice in which the message arrived.

As claimed by receipts and as observed by probes, never in one count. A pair that evidence bounds
on both sides of the limit is indeterminate and in the total. One of which there is no word is
unknown: exporters sample and drop, and it lowers no share; it is coverage that was lost.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from freshness.counts import Counts, count_events
from freshness.propagation import Claimed, Observed, Status, Why
from freshness.series import Place
from freshness.window import Window

Kind = Literal["good", "bad", "indeterminate", "unknown"]
Side = Literal["claimed", "observed"]


class Pair(NamedTuple):
    """One invalidation at one node that should hear of it; an account is None if none was made."""

    place: Place
    arrived_at_s: int
    publisher: str
    key: str
    claimed: Claimed | None
    observed: Observed | None


def count_pairs(
    pairs: Iterable[Pair], side: Side, slice_s: int = 60
) -> dict[Place, dict[int, Counts]]:
    """The pairs of one side as a series."""
    series: defaultdict[Place, dict[int, Counts]] = defaultdict(dict)
    for pair in pairs:
        kind = _kind(pair, side)
        if kind is not None:
            start_s = pair.arrived_at_s - pair.arrived_at_s % slice_s
            cells = series[pair.place]
            cell = cells.get(start_s, Counts()).plus(count_events(**{kind: 1}))
            cells[start_s] = cell.capped(1)
    return dict(series)


def bad_pairs(
    pairs: Iterable[Pair], side: Side, by: Literal["publisher", "key"], window: Window
) -> dict[str, float]:
    """How many pairs of a window were bad, by publisher or key, for an attribution.

    Messages that name no publisher are left to the remainder.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for pair in pairs:
        name = pair.publisher if by == "publisher" else pair.key
        is_inside = window.since_s <= pair.arrived_at_s < window.until_s
        if name and is_inside and _kind(pair, side) == "bad":
            found[name] += 1
    return dict(found)


def kind_of(account: Claimed | Observed) -> Kind | None:
    """What an account counts as; None for what is no pair: not due yet, or the node is gone.

    A probe that was still behind within the limit bounds the delay from below alone, and nothing
    may ever come to bound it from above: unlike silence, that does not pass with time.
    """
    if account.status is Status.GONE:
        return None
    if account.status is Status.IN_TIME:
        return "good"
    if account.status in _BAD:
        return "bad"
    if account.why is Why.NOT_YET:
        return None if isinstance(account, Claimed) else "indeterminate"
    return "indeterminate" if account.why in _BETWEEN else "unknown"


_BAD: Final = (Status.LATE, Status.MISSING, Status.FAILED)
_BETWEEN: Final = (Why.AROUND_LIMIT, Why.CLOCKS_DISAGREE, Why.NOT_BOUNDED)


def _kind(pair: Pair, side: Side) -> Kind | None:
    account = pair.claimed if side == "claimed" else pair.observed
    return None if account is None else kind_of(account)
