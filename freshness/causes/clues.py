"""What may be known of one stale copy: every part is optional, and what is unknown decides nothing.

All instants are nanoseconds on one clock of the observer, except where a part says that they are a
node's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from freshness.clock_skew import Skew
from freshness.fill import Fill
from freshness.model import Value
from freshness.propagation import Claimed, Commit
from freshness.sequence import Silence
from freshness.ttl_drift import Drift

PARTITION_KEYS: Final = 3


class Neighbours(NamedTuple):
    """The node's other keys that changed at the origin while it held the stale copy.

    `behind` of them are as far back as before their change, `current` of them were updated. Of keys
    that changed or not, `filled` came to the node after it had last heard a message, by a fill:
    they were missing there, and then were not. Of
    `unsure` ones the node has the new version, and may have had it before it lost touch.
    """

    behind: int
    current: int
    filled: int = 0
    unsure: int = 0

    @property
    def is_reached(self) -> bool:
        """Whether something came to the node from below, so that it is not cut off."""
        return bool(self.current or self.filled)

    @property
    def is_outage(self) -> bool:
        """Whether this many keys, all of them behind, make one key's fault the node's."""
        return self.behind >= PARTITION_KEYS and not self.is_reached and not self.unsure


NOBODY: Final = Neighbours(0, 0)


class Absence(NamedTuple):
    """A node was away: it last answered a read that began at `left`, and next one that ended at
    `back`.

    `showed` is the newest version of the key that it showed before, None where that is unknown.
    `is_restart` is another identity, `is_steady` whether that one alone has answered since.
    """

    left: int
    back: int
    showed: int | None
    is_restart: bool
    is_steady: bool = False


class Life(NamedTuple):
    """The life of the node that the stale copy was read in.

    One identity has answered every probe since `steady_since`; `showed` is the newest version of
    the key that it showed in this life before the stale copy, `absence` what this life began with.
    """

    steady_since: int | None = None
    showed: int | None = None
    absence: Absence | None = None


class Heard(NamedTuple):
    """One word of the node on one message about the key.

    `at` is by the node's own clock and orders its own words alone; `arrived_at` is the observer's.
    """

    message: str
    version: int | None
    outcome: str
    at: int
    arrived_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What messages and receipts tell of the key; its absence means that nobody traces them.

    `words` are the node's on messages about the key, by its own clock. `claimed` is its account of
    the message of the successor, None where no such message is known. `is_lost`: its sequence
    proves that it never heard that message. `passed_at` is the arrival of its first word on a later
    message of the same publisher, `spoke_at` that of a word on anything that it says is from after
    the commit. `silence` is how the node stood in the sequence when it was last
    read stale; `sent_after_silence` whether the successor's message came after its last word.
    `told` are the nodes of the layer that spoke of the successor's message.
    """

    words: Sequence[Heard] = ()
    claimed: Claimed | None = None
    is_lost: bool = False
    passed_at: int | None = None
    spoke_at: int | None = None
    silence: Silence | None = None
    sent_after_silence: bool = False
    told: Sequence[str] = ()


class Standing(StrEnum):
    """How what a copy was filled from stood at the instant of the fill."""

    BEHIND = "behind"
    """It held the same old version throughout the bounds of the fill."""
    CURRENT = "current"
    """It held the newer version throughout."""
    ABSENT = "absent"
    """It was read to hold no copy, throughout."""
    UNKNOWN = "unknown"


class Source(NamedTuple):
    """What the copy may have been filled from: a layer below, or replicas of the origin."""

    name: str
    is_replica: bool
    standing: Standing


class Ring(NamedTuple):
    """The nodes of the layer that should hold the key; None where each node may hold each key."""

    owners: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What is known of one stale copy.

    `takes_messages` is whether the layer takes invalidations. `commit` bounds the commit of the
    successor of `held`: L(s) and U(s). `stale_at` is the start of the last read that was proven
    stale, `limit` the layer's maximum staleness. `unix_offset` turns instants into Unix
    nanoseconds for people; None leaves the times of day out.
    """

    node: str = "the node"
    held: Value | None = None
    latest: Value | None = None
    takes_messages: bool | None = None
    fill: Fill | None = None
    commit: Commit = Commit()  # noqa: RUF009  # a tuple of two bounds never changes
    stale_at: int | None = None
    limit: int = 0
    around: Neighbours = NOBODY
    life: Life | None = None
    reports: Reports | None = None
    sources: Sequence[Source] = ()
    ring: Ring | None = None
    ttl: Drift | None = None
    skew: Skew | None = None
    unix_offset: int | None = None

    @property
    def is_kept(self) -> bool:
        """F_hi < L(s): the copy was filled before the newer version was written."""
        fill, after = self.fill, self.commit.after
        return fill is not None and after is not None and fill.upper < after and not self._is_odd

    @property
    def is_placed(self) -> bool:
        """F_lo > U(s): the copy was filled after the newer version had committed."""
        fill, before = self.fill, self.commit.before
        return fill is not None and before is not None and fill.lower > before and not self._is_odd

    @property
    def _is_odd(self) -> bool:
        """Bounds that exclude each other prove nothing."""
        (after, before), fill = self.commit, self.fill
        is_crossed = after is not None and before is not None and after > before
        return is_crossed or (fill is not None and fill.lower > fill.upper)

    def is_older(self, version: int | None) -> bool:
        """Whether a version is no newer than the copy's."""
        held = None if self.held is None else self.held.version
        return version is not None and held is not None and version <= held

    def is_newer(self, version: int | None) -> bool:
        """Whether a version is newer than the copy's."""
        held = None if self.held is None else self.held.version
        return version is not None and held is not None and version > held

    def heard_by(self, instant: int | None) -> Heard | None:
        """The node's first word, arrived before an instant, that it acted on a newer version."""
        if self.reports is None or instant is None:
            return None
        acted = (
            w for w in self.reports.words if w.outcome != "failed" and self.is_newer(w.version)
        )
        return next((word for word in acted if word.arrived_at < instant), None)

    def clock(self, instant: int | None) -> str:
        """An instant as " at 12:03:04.5 UTC"; nothing where it or its wall time is unknown."""
        if instant is None or self.unix_offset is None:
            return ""
        return f" at {_time_of_day(instant + self.unix_offset)} UTC"


def say_lapse(ns: int) -> str:
    """A duration in words: "0.35 s", "12.4 s", "3 min 20 s"."""
    seconds = max(0, ns) / 1_000_000_000
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _time_of_day(unix_ns: int) -> str:
    tenths = unix_ns // 100_000_000
    seconds = tenths // 10 % 86_400
    hours, minutes = seconds // 3_600, seconds // 60 % 60
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}.{tenths % 10}"
