"""The words of the method as types: what a probe saw, and what is said about it."""

from enum import StrEnum
from typing import NamedTuple


class Order(StrEnum):
    """How the versions of a keyspace follow each other at its origin; declared, never guessed."""

    COUNTER = "counter"
    """Integers that count up by one: the successor of x is x + 1."""
    MONOTONE = "monotone"
    """Integers that only grow; versions that nobody saw may lie between two of them."""
    OPAQUE = "opaque"
    """No order: two values are equal or they are not."""


class Value(NamedTuple):
    """What stands for the value of a key: never the raw value itself.

    `version` orders (COUNTER and MONOTONE); `projection` is a digest of a declared projection, or
    the text of an opaque version; `absent` marks a value that says "there is no such row".
    An absent value with a version is a version like any other; one without is a digest.
    """

    version: int | None = None
    projection: str | None = None
    absent: bool = False

    def agrees_with(self, other: "Value") -> bool:
        """Whether both may stand for one value; a projection that one lacks decides nothing."""
        if self.version is None or other.version is None:
            return self == other
        if (self.version, self.absent) != (other.version, other.absent):
            return False
        return self.projection == other.projection or None in (self.projection, other.projection)


ABSENT = Value(absent=True)
"""A not-found without a version."""


class Result(StrEnum):
    """What came of one read of one key at one node or origin."""

    VALUE = "value"
    """A readable value, a cached not-found included (`Value.absent`)."""
    MISS = "miss"
    """The cache holds nothing for the key: not stale, and left out of the share of hits."""
    UNREADABLE = "unreadable"
    """Something is there, and no version or declared projection could be read from it."""
    UNKNOWN = "unknown"
    """No answer, half an answer or nonsense; the reading says why."""


class Read(NamedTuple):
    """When one read was sent and when its answer had come: stamps of one clock.

    What it brought was there at some instant between.
    """

    start: int
    end: int


class Reading(NamedTuple):
    """One key of one answered (or failed) batch: a fact, never a judgement.

    `ttl_s` is the remaining time to live, None where the cache does not tell, `math.inf` where the
    entry never expires; `age_s` is the age a cache claims for its copy. `why` names what made a
    reading unknown or unreadable, or what the cache says beside its value. `filled` marks a copy
    that our own read put there.
    """

    result: Result
    value: Value | None = None
    ttl_s: float | None = None
    age_s: float | None = None
    why: str = ""
    filled: bool = False


MISS = Reading(Result.MISS)


class Bounds(NamedTuple):
    """What the evidence bounds: [lower, upper] staleness and [behind_lower, behind_upper] versions.

    `lower` and `upper` are in the unit of the stamps; None is "unbounded".
    """

    lower: int
    upper: int | None
    behind_lower: int
    behind_upper: int | None


NOTHING_KNOWN = Bounds(0, None, 0, None)


class Verdict(StrEnum):
    """Of one read against one maximum staleness; unknown where there was nothing to judge."""

    FRESH = "fresh"
    STALE = "stale"
    INDETERMINATE = "indeterminate"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a verdict is what it is."""

    SUPERSEDED = "superseded"
    """A newer version had provably committed more than the maximum staleness before the read."""
    CURRENT = "current"
    """The value was provably current at most the maximum staleness before the read ended."""
    BETWEEN = "between"
    """The maximum staleness lies between the bounds."""
    NO_EVIDENCE = "no-evidence"
    """Nothing bounds the staleness from above, and nothing proves the value superseded."""
    AHEAD = "ahead"
    """The cache returned a version that nothing else shows to exist: in flight, or rolled back."""
    PHANTOM = "phantom"
    """The origin, asked after the read, still did not have the version that the cache returned."""
    CONTRADICTION = "contradiction"
    """Two pieces of evidence cannot both be true."""
    EPOCH = "epoch"
    """Numbers were reused after a restore or a recreation; this one may be of either life."""
    MISMATCH = "mismatch"
    """The digest differs from the origin's, and digests have no order."""
    TORN = "torn"
    """The version is the origin's, the projection is not."""
    INCOMPARABLE = "incomparable"
    """The value and the evidence share neither version nor projection."""
    UNREADABLE = "unreadable"
    """The value carries no readable version."""
    NO_ANSWER = "no-answer"
    """The node did not answer, or not with anything that can be read."""
    MISSING = "missing"
    """The cache held nothing: no copy, so no stale copy."""


class Judgement(NamedTuple):
    """A verdict with its named reason and the bounds that it rests on."""

    verdict: Verdict
    reason: Reason
    bounds: Bounds
