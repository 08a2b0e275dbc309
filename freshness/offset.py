"""A remote clock against the observer's own, as bounds that every exchange narrows.

An exchange m1 -> h -> m2 (sent, remote stamp, received) proves theta = H - M in [h - m2, h - m1].
Bounds of several exchanges intersect after being widened by what the clocks may have drifted
apart meanwhile; where nothing is left, the remote clock was set, and the bounds start again.
All instants are whole nanoseconds, local ones of a single clock id.

Source: Marzullo and Owicki, "Maintaining the time in a distributed system" (PODC 1983).
"""

from enum import StrEnum
from typing import Final, NamedTuple

DRIFT_PPM: Final = 200
"""How fast the two clocks may drift apart, in parts per million."""
_MILLION: Final = 1_000_000


class Exchange(NamedTuple):
    """Sent at m1, stamped h by the remote clock, received at m2; `resolution_ns` rounds h down."""

    m1_ns: int
    h_ns: int
    m2_ns: int
    resolution_ns: int = 0


class Reason(StrEnum):
    """What an exchange did to the bounds."""

    FIRST = "first"
    """There were no bounds before."""
    NARROWED = "narrowed"
    """The bounds are tighter than the old ones would have become."""
    NOTHING_NEW = "nothing-new"
    """The exchange says no more than was known."""
    STEP = "step"
    """Old and new bounds exclude each other: the remote clock was set. Started again."""
    LATE = "late"
    """The exchange ended before the bounds' own instant and is left out."""


class LocalInstant(NamedTuple):
    """When a remote stamp happened, on the local clock."""

    low_ns: int
    high_ns: int


class Offset(NamedTuple):
    """theta = remote - local lies in [low_ns, high_ns] at the local instant `at_ns`."""

    low_ns: int
    high_ns: int
    at_ns: int

    def at(self, instant_ns: int) -> "Offset":
        """The bounds at another instant, widened by the drift of the time between."""
        drift = drift_over(abs(instant_ns - self.at_ns))
        return Offset(self.low_ns - drift, self.high_ns + drift, instant_ns)

    def to_local(self, h_ns: int, resolution_ns: int = 0) -> LocalInstant:
        """Bounds of the local instant at which the remote clock showed `h_ns`."""
        low, high = h_ns - self.high_ns, h_ns + resolution_ns - self.low_ns
        # The drift widens the very bounds between which it may have run: d = r (elapsed + d).
        elapsed = max(abs(low - self.at_ns), abs(high - self.at_ns))
        drift = _ceil(elapsed * DRIFT_PPM, _MILLION - DRIFT_PPM)
        return LocalInstant(low - drift, high + drift)

    def skew(self, reference: "Offset", at_ns: int) -> tuple[int, int]:
        """Bounds of this clock less a reference clock (the observer's own wall) at an instant."""
        mine, theirs = self.at(at_ns), reference.at(at_ns)
        return mine.low_ns - theirs.high_ns, mine.high_ns - theirs.low_ns


def observe(known: Offset | None, exchange: Exchange) -> tuple[Offset, Reason]:
    """The bounds after an exchange; `known` is None where there were none. Named reason beside."""
    found = bounds_of(exchange)
    if known is None:
        return found, Reason.FIRST
    if exchange.m2_ns < known.at_ns:
        return known, Reason.LATE
    widened = known.at(exchange.m2_ns)
    low, high = max(widened.low_ns, found.low_ns), min(widened.high_ns, found.high_ns)
    if low > high:
        return found, Reason.STEP
    if (low, high) == (widened.low_ns, widened.high_ns):
        return known, Reason.NOTHING_NEW
    return Offset(low, high, exchange.m2_ns), Reason.NARROWED


def bounds_of(exchange: Exchange) -> Offset:
    """What one exchange proves, at the instant of its receipt."""
    m1, h, m2, resolution = exchange
    if m2 < m1 or resolution < 0:
        raise ValueError(f"an exchange ends after it began: {exchange}")
    # Only the high end drifts: theta was at most h - m1 at m1 and had m2 - m1 to grow.
    return Offset(h - m2, h + resolution - m1 + drift_over(m2 - m1), m2)


def drift_over(elapsed_ns: int) -> int:
    """By how much two clocks may have drifted apart within a time, both in nanoseconds."""
    return _ceil(elapsed_ns * DRIFT_PPM, _MILLION)


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
