"""An objective: which events, how many of them good, over which window, counted how.

`target` is a fraction, so that 99.9 % is 999/1000 and nothing is rounded; it is applied when an
objective is read, so that changing it keeps history. Names are those of OpenSLO v1.
Sources: Site Reliability Workbook, ch. 2 and 5; OpenSLO v1, "SLO" and `budgetingMethod`.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from freshness.window import Window


class Measure(StrEnum):
    """The freshness indicators; they are never merged."""

    READS = "reads"
    """(R): sampled reads with a staleness of at most the maximum."""
    RESIDENT = "resident"
    """(E): entries found right by a sweep."""
    CLAIMED = "propagation-claimed"
    """(W) by receipts: (invalidation, node) pairs in time."""
    OBSERVED = "propagation-observed"
    """(W) by probes."""
    STALE_TIME = "stale-key-seconds"
    """Seconds of keys: one stuck key is one, however often it was sampled."""

    @property
    def is_on_grid(self) -> bool:
        """Whether every slice of every place is expected to have events.

        Invalidations come when they come; of these, pairs are expected and not slices.
        """
        return self not in (Measure.CLAIMED, Measure.OBSERVED)


class Rolling(NamedTuple):
    """The last `length_s` seconds before the watermark."""

    length_s: int


class Calendar(StrEnum):
    """Periods that begin at midnight somewhere: whoever knows the time zone passes their edges."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Occurrences(NamedTuple):
    """Every event counts."""


class Timeslices(NamedTuple):
    """A slice is good where at least `goal` of its events are; slices count."""

    goal: Fraction


class RatioTimeslices(NamedTuple):
    """The mean over slices of their shares of good events."""


Budgeting = Occurrences | Timeslices | RatioTimeslices
OCCURRENCES: Final = Occurrences()


class Caution(StrEnum):
    """What an objective should not be used without knowing."""

    OCCURRENCES_IN_CALENDAR = "occurrences-in-a-calendar-window"
    """How many events a period will have is not known before it ends, so nor is its budget."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A ValueError for one that cannot be meant.

    `slice_s` is the grid on which data are expected, at least a minute and at least the sample
    interval `interval_s`.
    """

    measure: Measure
    target: Fraction
    window: Rolling | Calendar
    budgeting: Budgeting = OCCURRENCES
    slice_s: int = 60
    interval_s: int = 60

    def __post_init__(self) -> None:
        _check_share("target", self.target)
        if isinstance(self.budgeting, Timeslices):
            _check_share("goal of a slice", self.budgeting.goal)
        if (
            self.slice_s < 60
            or self.slice_s % 60
            or max(3_600, self.slice_s) % min(3_600, self.slice_s)
        ):
            raise ValueError(f"a slice is whole minutes of an hour or whole hours: {self.slice_s}")
        if self.slice_s < self.interval_s:
            raise ValueError(
                f"a slice of {self.slice_s} s is narrower than the interval of samples, "
                f"{self.interval_s} s: slices would be empty by design"
            )
        if isinstance(self.window, Rolling) and self.window.length_s < 2 * self.slice_s:
            raise ValueError(f"a window of {self.window.length_s} s holds no two slices")

    @property
    def error_budget(self) -> Fraction:
        """EB = 1 − T: the share of events that may be bad."""
        return 1 - self.target

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """What whoever wrote it should be told."""
        if isinstance(self.window, Calendar) and isinstance(self.budgeting, Occurrences):
            return (Caution.OCCURRENCES_IN_CALENDAR,)
        return ()

    def window_at(self, watermark_s: int, period: Window | None = None) -> Window:
        """Its window at a watermark; for a calendar window, what has passed of the `period`."""
        watermark_s -= watermark_s % self.slice_s
        if isinstance(self.window, Rolling):
            return Window(watermark_s - self.window.length_s, watermark_s)
        if period is None or not period.length_s:
            raise ValueError(f"a calendar window ({self.window}) needs the edges of its period")
        return Window(period.since_s, max(period.since_s, min(period.until_s, watermark_s)))


def _check_share(what: str, share: Fraction) -> None:
    if not isinstance(share, Fraction):
        raise ValueError(f"the {what} is a Fraction, since {share!r} is not exact")
    if not 0 < share < 1:
        raise ValueError(f"the {what} lies between 0 and 1, both excluded: {share}")
