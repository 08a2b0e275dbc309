"""What the evidence of one keyspace on one layer cannot see, told from how it was gathered.

Each is a named reason with its figures. That nothing was found is worth what these leave of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

SWEEP_DUE_NS: Final = 30 * 86_400 * 10**9
"""A sweep that is older than this says little of the entries that are there now."""


class Blind(StrEnum):
    """Why a fault could go unseen, or be seen late."""

    NO_READS = "no-reads"
    """No copy was judged at all."""
    SLOW_WALK = "slow-walk"
    """What no message told of is only found when the walk comes by: `length_ns` at most."""
    UNKNOWN_WALK = "unknown-walk"
    """How long a walk takes is not known: too little was read."""
    NO_MESSAGES = "no-messages"
    """No invalidation came, so that nothing was checked for its sake."""
    POOL = "pool"
    """Many answer as one: no event checks, and no word on a single cache."""
    NO_CHECKS = "no-checks"
    """Invalidations came, and no node was read again for any of them."""
    LOST_CHECKS = "lost-checks"
    """A `share` of the event-triggered checks came too late, or had no answer."""
    SAMPLED_CHECKS = "sampled-checks"
    """More invalidations came than may be checked: a `share` of them was left out."""
    NO_SWEEP = "no-sweep"
    """Nobody ever went through the entries that are there."""
    OLD_SWEEP = "old-sweep"
    """The last to do so was `length_ns` ago."""
    NO_LIFETIMES = "no-lifetimes"
    """Copies tell neither a time to live nor an age, so that many causes stay undecided."""
    SILENT_NODES = "silent-nodes"
    """So many nodes do not answer (`number`)."""
    SILENT_MINUTES = "silent-minutes"
    """In a `share` of the minutes of its nodes no copy was judged."""
    FEW_SAMPLES = "few-samples"
    """`number` more clean independent samples would support the next nine."""


class BlindSpot(NamedTuple):
    """One of them; figures that its reason has no use for are zero."""

    kind: Blind
    length_ns: int = 0
    share: float = 0.0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """How the evidence of one keyspace on one layer was gathered, as plain figures.

    `walk_ns` is how long a walk over all keys takes, None where that is not known. Checks are of
    events: `checks` were due, `checks_lost` of them say nothing, and they stand for
    `checks_weight` in all. `tells_lifetimes` is None where no copy could show it.
    `missing_samples` is None where clean samples alone would not reach the next nine.
    """

    nodes: int
    nodes_silent: int
    minutes_observed: int
    minutes_expected: int
    reads: int
    walk_ns: int | None
    has_messages: bool
    is_pool: bool
    checks: int
    checks_lost: int
    checks_weight: float
    swept_ago_ns: int | None
    tells_lifetimes: bool | None
    missing_samples: int | None


def find_blind_spots(seen: Gathered) -> list[BlindSpot]:
    """In the order in which they matter."""
    return [
        *_of_reads(seen),
        *_of_nodes(seen),
        *_of_checks(seen),
        *_of_sweeps(seen),
        *([BlindSpot(Blind.NO_LIFETIMES)] if seen.tells_lifetimes is False else []),
        *(
            [BlindSpot(Blind.FEW_SAMPLES, number=seen.missing_samples)]
            if seen.missing_samples
            else []
        ),
    ]


def _of_reads(seen: Gathered) -> list[BlindSpot]:
    if not seen.reads:
        return [BlindSpot(Blind.NO_READS)]
    if seen.walk_ns is None:
        return [BlindSpot(Blind.UNKNOWN_WALK)]
    return [BlindSpot(Blind.SLOW_WALK, length_ns=seen.walk_ns)]


def _of_nodes(seen: Gathered) -> list[BlindSpot]:
    found = []
    if seen.nodes_silent:
        found.append(BlindSpot(Blind.SILENT_NODES, number=seen.nodes_silent))
    missing = seen.minutes_expected - seen.minutes_observed
    if missing > 0 and seen.reads:
        found.append(BlindSpot(Blind.SILENT_MINUTES, share=missing / seen.minutes_expected))
    return found


def _of_checks(seen: Gathered) -> list[BlindSpot]:
    if seen.is_pool:
        return [BlindSpot(Blind.POOL)]
    if not seen.has_messages:
        return [BlindSpot(Blind.NO_MESSAGES)]
    if not seen.checks:
        return [BlindSpot(Blind.NO_CHECKS)]
    found = []
    if seen.checks_lost:
        found.append(BlindSpot(Blind.LOST_CHECKS, share=seen.checks_lost / seen.checks))
    if seen.checks_weight > seen.checks:
        left_out = 1.0 - seen.checks / seen.checks_weight
        found.append(BlindSpot(Blind.SAMPLED_CHECKS, share=left_out))
    return found


def _of_sweeps(seen: Gathered) -> list[BlindSpot]:
    if seen.swept_ago_ns is None:
        return [BlindSpot(Blind.NO_SWEEP)]
    if seen.swept_ago_ns > SWEEP_DUE_NS:
        return [BlindSpot(Blind.OLD_SWEEP, length_ns=seen.swept_ago_ns)]
    return []


def _of_copies(seen: Gathered) -> list[BlindSpot]:
    found = []
    if seen.tells_lifetimes is False:
        found.append(BlindSpot(Blind.NO_LIFETIMES))
    if seen.missing_samples:
        found.append(BlindSpot(Blind.FEW_SAMPLES, number=seen.missing_samples))
    return found
