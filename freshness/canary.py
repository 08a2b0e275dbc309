"""What one write of our own proves: whether its version belongs to that attempt alone.

A write [ws, we] bounds the commit of its version on both sides, so a version that somebody else
made, or that was never made, would bound it wrongly. Only what the origin bears out is evidence.
"""

from enum import StrEnum
from typing import NamedTuple

from freshness.model import Order


class Weighed(StrEnum):
    """What an attempt is worth, and why."""

    EVIDENCE = "evidence"
    """Its version is bounded by its own stamps."""
    UNACKNOWLEDGED = "unacknowledged"
    """It failed, or nobody knows: it may commit at any time, or never."""
    RACED = "raced"
    """An attempt before it was not acknowledged, and may be what committed."""
    UNSEEN = "unseen"
    """The origin's leader did not say what it holds, before or after, or which version is ours."""
    UNORDERED = "unordered"
    """The origin's values carry no version that orders."""
    NO_CHANGE = "no-change"
    """The origin has no newer version than before: nothing was written."""
    DISBELIEVED = "disbelieved"
    """The version that it was told to be is not the one that the origin holds."""
    SHARED = "shared"
    """More than one version came meanwhile: somebody else writes the key."""


class Attempt(NamedTuple):
    """One write. `before` and `after` are versions by the leader's word, None where it said none.

    `told` is the version that the write itself told, None where it tells none. `is_raced` says that
    the attempt before was not acknowledged.
    """

    is_acknowledged: bool
    before: int | None
    told: int | None
    after: int | None
    is_raced: bool = False


def weigh_attempt(attempt: Attempt, order: Order) -> Weighed:
    """Whether the version that the origin holds afterwards came of this attempt alone.

    Where versions count by one, exactly one came between the two looks, and it is ours. Where they
    do not, the write must tell its own.
    """
    before, told, after = attempt.before, attempt.told, attempt.after
    if not attempt.is_acknowledged:
        return Weighed.UNACKNOWLEDGED
    if order is Order.OPAQUE:
        return Weighed.UNORDERED
    if before is None or after is None:
        return Weighed.UNSEEN
    if after <= before:
        return Weighed.NO_CHANGE
    if told is not None and told != after:
        return Weighed.SHARED if before < told < after else Weighed.DISBELIEVED
    if order is Order.COUNTER and after != before + 1:
        return Weighed.SHARED
    if told is None and order is not Order.COUNTER:
        return Weighed.UNSEEN
    return Weighed.RACED if attempt.is_raced else Weighed.EVIDENCE
