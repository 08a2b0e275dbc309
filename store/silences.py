"""Silences and acknowledgements: what people say of alerts. Neither is a state of an alert.

A silence is over a set of labels and a stretch of time; an acknowledgement is of one firing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

MatcherOp = Literal["=", "!=", "=~", "!~"]
OPS: tuple[MatcherOp, ...] = get_args(MatcherOp)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: equal, not equal, or (`=~`, `!~`) a whole regular expression.

    A label that an alert does not have is the empty text.
    """

    name: str
    op: MatcherOp
    value: str


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """Alerts that all of the matchers match are not told in [starts_at_ns, ends_at_ns).

    Instants are wall time, Unix nanoseconds. One that was ended early ends when it was.
    """

    id: str
    matchers: Sequence[Matcher]
    creator: str
    comment: str
    starts_at_ns: int
    ends_at_ns: int
    created_at_ns: int


@dataclass(frozen=True, slots=True)
class AckRow:
    """Somebody knows of one firing of an alert: it is not repeated. The next firing is news."""

    alert: str
    firing_since_ns: int
    by: str
    comment: str
    at_ns: int


class Silences(Protocol):
    """What people say of alerts."""

    def write_silence(self, silence: SilenceRow) -> None:
        """Add one, or replace the one with its id."""
        ...

    def silences(self, ending_after_ns: int = 0) -> Sequence[SilenceRow]:
        """Those that end after then, the last to end first."""
        ...

    def end_silence(self, id: str, at_ns: int) -> SilenceRow | None:
        """End one now, as it then is; one that is over stays as it is. None where there is none."""
        ...

    def acknowledge(self, ack: AckRow) -> None:
        """Write it; what was said of the same firing before stays."""
        ...

    def acks(self) -> Sequence[AckRow]:
        """Those of the firings that alerts are in, or were resolved from last; by alert."""
        ...
