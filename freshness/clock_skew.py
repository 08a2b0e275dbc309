"""The clock of a host against the observer's wall clock, and what it does to a node's lifetimes.

A skew alone harms nothing that orders by versions. It does where a node reckons ages or expiries
with stamps of another host: then every copy of the node looks older, or younger, by the same
amount. Both must be seen before the clock is called the cause.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from freshness.fill import Fill
from freshness.offset import Offset

TOLERANCE_NS: Final = 500_000_000
"""Half a second: what NTP keeps with ease, and less than any lifetime in whole seconds shows."""
LEAST_SAMPLES: Final = 3


class Shift(NamedTuple):
    """By how much older than they were all copies of a node claimed to be, in nanoseconds.

    Negative is younger. `samples` is how many copies agree on it.
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


def find_shift(copies: Iterable[tuple[Fill, Fill]]) -> Shift | None:
    """The shift that all copies of a node share: each as (claimed fill, proven fill).

    The claimed fill is what an age or TTL tells, the proven one what reads of the node show (a miss
    before, a first sight). None where there are too few, or no one shift fits all.
    """
    bounds = [
        (proven.lower - claimed.upper, proven.upper - claimed.lower) for claimed, proven in copies
    ]
    if len(bounds) < LEAST_SAMPLES:
        return None
    lower, upper = max(low for low, _ in bounds), min(high for _, high in bounds)
    return Shift(lower, upper, len(bounds)) if lower <= upper else None
