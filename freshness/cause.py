"""Which fault class the evidence decides, and which it rules out; "undecided" is an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from freshness.fill import Fill


class Cause(StrEnum):
    """Fault classes that a probe's evidence can tell apart."""

    LOST_INVALIDATION = "lost-invalidation"
    REFILL_RACE = "refill-race"
    PARTITIONED_NODE = "partitioned-node"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The class, what decided it, and the classes that the same evidence rules out."""

    cause: Cause
    because: str
    ruled_out: Sequence[Cause] = ()


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The node's other keys that changed at the origin while it held the stale copy.

    `behind` of them are as far back as before their change, `current` of them were updated.
    """

    behind: int
    current: int

    @property
    def is_outage(self) -> bool:
        """Whether this many keys, all of them behind, make one key's fault the node's."""
        return self.behind >= PARTITION_KEYS and self.current == 0


PARTITION_KEYS = 3


def diagnose(
    fill: Fill | None,
    committed_after: int | None,
    committed_before: int | None,
    around: Neighbours,
) -> Diagnosis:
    """Decide the class from the fill instant and from the node's other keys.

    `committed_after` is L(s) and `committed_before` U(s) of the successor of the stale version;
    None is unbounded.
    """
    if around.is_outage:
        return Diagnosis(
            Cause.PARTITIONED_NODE,
            f"all {around.behind} other keys that had changed by then were stale on this node, too",
            (Cause.REFILL_RACE,) if _predates(fill, committed_after) else (),
        )
    ruled_out = (Cause.PARTITIONED_NODE,) if around.current else ()
    if fill is None:
        return Diagnosis(Cause.UNDECIDED, "the copy did not tell when it was filled", ruled_out)
    if committed_before is not None and fill.lower > committed_before:
        return Diagnosis(
            Cause.REFILL_RACE,
            "the copy was filled after the newer version had committed",
            (*ruled_out, Cause.LOST_INVALIDATION),
        )
    if _predates(fill, committed_after):
        return Diagnosis(
            Cause.LOST_INVALIDATION,
            "the copy was filled before the newer version was written, and was kept",
            (*ruled_out, Cause.REFILL_RACE),
        )
    return Diagnosis(
        Cause.UNDECIDED, "the write lies within the bounds of the fill instant", ruled_out
    )


def _predates(fill: Fill | None, committed_after: int | None) -> bool:
    return fill is not None and committed_after is not None and fill.upper < committed_after
