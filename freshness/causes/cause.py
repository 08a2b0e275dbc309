"""The fault classes of the method, what one clue says of one of them, and what all say together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple


class Cause(StrEnum):
    """Fault classes; UNDECIDED is an answer, too."""

    LOST_INVALIDATION = "lost-invalidation"
    LATE_INVALIDATION = "late-invalidation"
    REORDERED = "reordered"
    DUPLICATE = "duplicate"
    REFILL_RACE = "refill-race"
    REPLICA_LAG_REFILL = "replica-lag-refill"
    PARTITIONED_NODE = "partitioned-node"
    DEAF_SUBSCRIBER = "deaf-subscriber"
    ZOMBIE_REJOIN = "zombie-rejoin"
    MISROUTED_KEY = "misrouted-key"
    WRONG_TTL = "wrong-ttl"
    CLOCK_SKEW = "clock-skew"
    TORN_VALUE = "torn-value"
    REPOISONED = "repoisoned"
    UNDECIDED = "undecided"


class Sign(NamedTuple):
    """What the clues say of one class: that it is the cause, or that it is not; and why."""

    is_for: bool
    because: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The class, what decided it, and the classes that the evidence rules out, each with why."""

    cause: Cause
    because: str
    ruled_out: Mapping[Cause, str] = field(default_factory=dict)


def holds(because: str) -> Sign:
    """The discriminator of the class holds."""
    return Sign(is_for=True, because=because)


def excludes(because: str) -> Sign:
    """The evidence excludes the class."""
    return Sign(is_for=False, because=because)


_KEPT: Final = frozenset({Cause.LOST_INVALIDATION})
_PLACED: Final = frozenset({Cause.REFILL_RACE})

NARROWS: Final[Mapping[Cause, frozenset[Cause]]] = {
    # No invalidation took the copy away; these say what kept it from the copy.
    Cause.LATE_INVALIDATION: _KEPT,
    Cause.MISROUTED_KEY: _KEPT,
    Cause.PARTITIONED_NODE: _KEPT,
    Cause.DEAF_SUBSCRIBER: _KEPT | {Cause.PARTITIONED_NODE},
    # An old value was put there after the newer one had committed; these say where it came from.
    Cause.REPLICA_LAG_REFILL: _PLACED,
    Cause.REPOISONED: _PLACED,
    Cause.REORDERED: _PLACED,
    Cause.DUPLICATE: _PLACED,
    # These meet copies of either kind: a snapshot that came back may look old or newly filled.
    Cause.ZOMBIE_REJOIN: _KEPT | _PLACED,
    Cause.WRONG_TTL: _KEPT | _PLACED,
    Cause.CLOCK_SKEW: _KEPT | _PLACED,
}
"""The broader classes of each: naming the narrower one contradicts none of them."""


def is_narrower(cause: Cause, than: Cause) -> bool:
    """Whether `cause` says what `than` says, and more."""
    return than in NARROWS.get(cause, ())
