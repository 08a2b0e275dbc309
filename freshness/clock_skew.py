"""The clock of a host against the observer's wall clock, and what it does to a node's lifetimes.

A skew alone harms nothing that orders by versions. It does where a node reckons ages or expiries
with stamps of another host: then every copy of the node looks older, or younger, by the same
amount. Both must be seen before the clock is called the cause.

All instants are whole nanoseconds of the observer's wall clock, except where they are a host's own.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from freshness.fill import NS_PER_S, Fill, from_age
from freshness.offset import Offset, drift_over

TOLERANCE_NS: Final = 500_000_000
"""Half a second: what NTP keeps with ease, and less than any lifetime in whole seconds shows."""
LEAST_SAMPLES: Final = 3
LONG_AGO: Final = -(1 << 62)
"""The lower bound of a fill that nothing bounds from below."""


class Stamp(NamedTuple):
    """The host's clock showed `shown` at an instant in [earliest, latest]; None is unbounded.

    A receipt is stamped before it arrives, and after whatever must have been before its message.
    """

    shown: int
    latest: int
    earliest: int | None = None


class Shift(NamedTuple):
    """By how much older than they were all copies of a node claimed to be, in nanoseconds.

    Negative is younger. `samples` is how many copies show one, each by itself.
    """

    lower: int
    upper: int
    samples: int


class Skew(NamedTuple):
    """The host's clock less the observer's wall clock lies in [lower, upper] nanoseconds."""

    lower: int
    upper: int
    shift: Shift | None = None
    tolerance: int = TOLERANCE_NS

    @property
    def is_off(self) -> bool | None:
        """Whether the clock is off by more than the tolerance; None where the bounds allow both."""
        if self.lower > self.tolerance or self.upper < -self.tolerance:
            return True
        return False if max(abs(self.lower), abs(self.upper)) <= self.tolerance else None

    @property
    def explains_shift(self) -> bool:
        """Whether all copies of the node are shifted, by what the skew may be."""
        shift = self.shift
        if shift is None or shift.samples < LEAST_SAMPLES or shift.lower <= 0 <= shift.upper:
            return False
        return shift.lower <= self.upper and self.lower <= shift.upper

    def say(self) -> str:
        """The skew in words: "between 3.9 s and 4.1 s ahead"."""
        direction = "ahead" if self.lower > 0 else "behind"
        low, high = sorted((abs(self.lower), abs(self.upper)))
        return f"between {low / 1e9:.3g} s and {high / 1e9:.3g} s {direction}"


def bound_skew(
    host: Offset, wall: Offset, at: int, shift: Shift | None = None, tolerance: int = TOLERANCE_NS
) -> Skew:
    """From the offsets of the host's clock and of the observer's own wall clock, at an instant."""
    return Skew(*host.skew(wall, at), shift, tolerance)


def skew_around(
    stamps: Iterable[Stamp], at: int, shift: Shift | None = None, tolerance: int = TOLERANCE_NS
) -> Skew | None:
    """From stamps of one host that arrived before an instant and after it.

    The bounds hold both what the clock was before and what it was after, so that one which was set
    meanwhile is off only where it was off either way. None unless both are bounded from both sides.
    """
    told = sorted(stamps, key=lambda stamp: abs(stamp.latest - at))
    before = _settle([stamp for stamp in told if stamp.latest <= at], at)
    after = _settle([stamp for stamp in told if stamp.latest > at], at)
    if before is None or after is None:
        return None
    return Skew(min(before[0], after[0]), max(before[1], after[1]), shift, tolerance)


def may_be_off(stamps: Iterable[Stamp], tolerance: int = TOLERANCE_NS) -> bool:
    """Whether a clock can be off by more than the tolerance, by arrivals alone.

    A stamp is no later than its arrival, so the clock is ahead by `shown - latest` at least, and
    what arrived soonest after it was stamped bounds it best. Where that is within the tolerance
    of nothing, the clock is neither behind by more, nor proven to be ahead by more.
    """
    least = [stamp.shown - stamp.latest for stamp in stamps]
    return bool(least) and not -tolerance <= max(least) <= tolerance


def claim_from_age(start: int, end: int, age_s: float) -> Fill | None:
    """When a copy read within [start, end] claims to have been filled, by its node's own age.

    None where the age is none: a clock that is behind tells no age below zero.
    """
    return from_age(start, end, age_s, is_own_copy=True) if age_s > 0 else None


def claim_from_ttl(
    start: int, end: int, ttl_s: float, documented_s: float, slack_s: float
) -> Fill | None:
    """The same by what remains of a documented lifetime, in the future where more than that does.

    None where nothing remains, or the copy never expires.
    """
    if not math.isfinite(ttl_s) or ttl_s <= 0:
        return None
    age_ns, slack_ns = round((documented_s - ttl_s) * NS_PER_S), math.ceil(slack_s * NS_PER_S)
    return Fill(start - age_ns - slack_ns, end - age_ns + slack_ns)


def find_shift(copies: Iterable[tuple[Fill, Fill]]) -> Shift | None:
    """The shift that all copies of a node share: each as (claimed fill, proven fill).

    The claimed fill is what an age or TTL tells, the proven one what reads of the node show (a miss
    before, the read itself). None where too few show one, or no one shift fits all.
    """
    bounds = [
        (proven.lower - claimed.upper, proven.upper - claimed.lower) for claimed, proven in copies
    ]
    shown = sum(low > 0 or high < 0 for low, high in bounds)
    if shown < LEAST_SAMPLES:
        return None
    lower, upper = max(low for low, _ in bounds), min(high for _, high in bounds)
    return Shift(lower, upper, shown) if lower <= upper else None


def _settle(nearest: Sequence[Stamp], at: int) -> tuple[int, int] | None:
    """What stamps say of the clock at an instant, the nearest first.

    Where one excludes what nearer ones say, the clock was set in between, and older ones say
    nothing any more.
    """
    low: int | None = None
    high: int | None = None
    for stamp in nearest:
        # Each bound widens from its own instant: for each ns that the stamp is older than it, the
        # bound gains one, and loses 200 ppm of it.
        least = stamp.shown - stamp.latest - drift_over(abs(at - stamp.latest))
        low_then = least if low is None else max(low, least)
        high_then = high
        if stamp.earliest is not None:
            most = stamp.shown - stamp.earliest + drift_over(abs(at - stamp.earliest))
            high_then = most if high is None else min(high, most)
        if high_then is not None and low_then > high_then:
            break
        low, high = low_then, high_then
    return None if low is None or high is None else (low, high)
