"""The four kinds of evidence about one key, stamped by one observer's clock.

Start stamps are taken before the send, end stamps after the receive. Stamps of different clock ids
are never subtracted: a history is built from the evidence of one clock.
"""

from dataclasses import dataclass

from freshness.model import Value


@dataclass(frozen=True, slots=True)
class Write:
    """A write of the observer's own; `end` is None where it was never acknowledged."""

    value: Value
    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Invalidation:
    """A message of a commit-ordered source that `version` exists, received after its commit."""

    version: int
    received: int


@dataclass(frozen=True, slots=True)
class OriginRead:
    """What the origin returned between `start` and `end`; linearizable is the leader's word."""

    value: Value
    start: int
    end: int
    linearizable: bool = False


Evidence = Write | Invalidation | OriginRead
