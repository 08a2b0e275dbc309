"""Remaining times to live of entries that were looked at for that alone: counts of a span of time.

A time is the least that may have remained when it was read: what the cache told, less its
resolution. These reads say nothing of freshness and are in no verdict.
"""

from dataclasses import dataclass, field
from math import isinf
from typing import Final, NamedTuple

from freshness.histogram import Histogram

GRAIN_S: Final = 600
"""The width of a cell, seconds."""
_NS: Final = 10**9


class TtlKey(NamedTuple):
    """What a cell is about; `start_s` is the Unix second at which its span begins."""

    start_s: int
    keyspace: str
    layer: str
    node: str


@dataclass(slots=True)
class TtlCell:
    """What entries had left, nanoseconds; an entry that never expires is unbounded.

    `first_ns` and `last_ns` are when the first and the last of them was read (wall time), and
    `longest_key` is the entry that had `longest_ns` left, `endless_key` one that never expires.
    """

    remaining: Histogram = field(default_factory=Histogram)
    first_ns: int | None = None
    last_ns: int | None = None
    longest_ns: int | None = None
    longest_key: str = ""
    endless_key: str = ""

    @property
    def n(self) -> int:
        """How many entries were looked at."""
        return self.remaining.total

    @property
    def endless(self) -> int:
        """How many of them never expire."""
        return self.remaining.unbounded

    def add(self, key: str, ttl_s: float, at_ns: int) -> None:
        """Count an entry that had `ttl_s` seconds left at least; infinity never expires."""
        one = TtlCell(first_ns=at_ns, last_ns=at_ns)
        if isinf(ttl_s):
            self.remaining.add(None)
            one.endless_key = key
        else:
            left_ns = max(0, int(ttl_s * _NS))
            self.remaining.add(left_ns)
            one.longest_ns, one.longest_key = left_ns, key
        self._stretch(one)

    def __add__(self, other: "TtlCell") -> "TtlCell":
        total = TtlCell(self.remaining + other.remaining)
        total._stretch(self)
        total._stretch(other)
        return total

    def _stretch(self, other: "TtlCell") -> None:
        """Take over what is earlier, later or longer there."""
        firsts = [at for at in (self.first_ns, other.first_ns) if at is not None]
        lasts = [at for at in (self.last_ns, other.last_ns) if at is not None]
        self.first_ns, self.last_ns = min(firsts, default=None), max(lasts, default=None)
        if other.longest_ns is not None and (
            self.longest_ns is None or other.longest_ns > self.longest_ns
        ):
            self.longest_ns, self.longest_key = other.longest_ns, other.longest_key
        self.endless_key = self.endless_key or other.endless_key
