"""Event-triggered checks: on news of a version, each node is read again at fixed horizons.

A check says whether a node showed that version by then: visibility of one version, which is no
verdict on freshness. Checks are counted apart from every other read, and what was found behind is
judged by an origin-first read of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from freshness.histogram import Histogram
from freshness.model import Reading, Result

LATE_NS: Final = 500_000_000
"""How late a check may be and still speak for its horizon; a tenth of the horizon where longer."""
_SCATTER: Final = 0x9E3779B97F4A7C15
_WORD: Final = 2**64


class Seen(StrEnum):
    """What a check of one version at one node found."""

    VISIBLE = "visible"
    """The node showed the version, or a newer one."""
    BEHIND = "behind"
    """It showed an older one: suspected, until the origin is asked."""
    GONE = "gone"
    """It held no copy: the old one was gone by then."""
    AMBIGUOUS = "ambiguous"
    """A value without an order, or one that cannot be read."""
    UNANSWERED = "unanswered"
    SKIPPED = "skipped"
    """It was not read in time for the horizon: coverage that was lost."""


class CheckKey(NamedTuple):
    """What a cell of checks is about; `start_s` is the Unix second at which its minute begins.

    A check belongs to the minute in which it was due.
    """

    start_s: int
    keyspace: str
    layer: str
    node: str
    horizon_ns: int


class Checked(NamedTuple):
    """How many checks came out alike, and the sum of the events that they stand for."""

    n: int = 0
    weight: float = 0.0


@dataclass(slots=True)
class CheckCell:
    """Checks of one minute, node and horizon. `late` holds how late they were read, nanoseconds."""

    seen: dict[Seen, Checked] = field(default_factory=dict)
    late: Histogram = field(default_factory=Histogram)

    def add(self, seen: Seen, weight: float = 1.0, late_ns: int | None = None) -> None:
        """Count a check that stands for `weight` events; `late_ns` where it was read."""
        n, sum_of_weights = self.seen.get(seen, Checked())
        self.seen[seen] = Checked(n + 1, sum_of_weights + weight)
        if late_ns is not None:
            self.late.add(late_ns)

    def __add__(self, other: "CheckCell") -> "CheckCell":
        seen = dict(self.seen)
        for name, (n, weight) in other.seen.items():
            before = seen.get(name, Checked())
            seen[name] = Checked(before.n + n, before.weight + weight)
        return CheckCell(seen, self.late + other.late)

    @property
    def shares(self) -> Mapping[Seen, float]:
        """Of the checks that an order decided, the weighted share of each outcome; may be empty."""
        weights = {name: self.seen.get(name, Checked()).weight for name in DECIDED}
        whole = sum(weights.values())
        return {name: weight / whole for name, weight in weights.items()} if whole else {}


DECIDED: Final = (Seen.VISIBLE, Seen.GONE, Seen.BEHIND)


def judge_check(version: int | None, reading: Reading) -> Seen:
    """What one reading of a node says of a version that was announced; None has no order."""
    if reading.result is Result.MISS or reading.filled:
        return Seen.GONE
    if reading.result is Result.UNKNOWN:
        return Seen.UNANSWERED
    held = reading.value.version if reading.value is not None else None
    if version is None or held is None:
        return Seen.AMBIGUOUS
    return Seen.VISIBLE if held >= version else Seen.BEHIND


def is_timely(late_ns: int, horizon_ns: int) -> bool:
    """Whether a read so late may still be counted under its horizon."""
    return late_ns <= max(LATE_NS, horizon_ns // 10)


class Admission:
    """Which events are checked, where more come than can be: a sample with known weights.

    Each event is drawn with the probability p = least(1, rate / what has come in a second), known
    before it is drawn, and then stands for 1/p events (Horvitz and Thompson, 1952). The draw is a
    hash of its name, so that the same event is drawn alike again.
    """

    def __init__(self, window_ns: int = 10**9) -> None:
        self._window_ns = window_ns
        self._window = 0
        self._before = self._now = 0

    def weigh(self, name: int, rate_per_s: float, now_ns: int) -> float | None:
        """The weight of an event named by a 64-bit number, or None where it is not drawn."""
        self._count(now_ns)
        allowed = rate_per_s * self._window_ns / 10**9
        share = min(1.0, allowed / max(1, self._before, self._now))
        return 1.0 / share if _draw(name) < share else None

    def _count(self, now_ns: int) -> None:
        window = now_ns // self._window_ns
        if window != self._window:
            self._before = self._now if window == self._window + 1 else 0
            self._window, self._now = window, 0
        self._now += 1


def _draw(name: int) -> float:
    """A number in [0, 1) from a name, evenly spread whatever the names are like."""
    mixed = name * _SCATTER % _WORD
    return (mixed ^ (mixed >> 29)) * _SCATTER % _WORD / _WORD
