"""Lifetimes that entries really have, against the documented one: bounds, and how many are outside.

What remains of a lifetime bounds all of it from below; with the instant of the fill it is bounded
from both sides. An age is no bound: a cache may serve a copy past its lifetime
(stale-while-revalidate), and that is another matter. All durations here are seconds.
"""

import math
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from freshness.fill import NS_PER_S, Fill


class Lifetime(NamedTuple):
    """The time to live that an entry was given lies in [lower_s, upper_s]; None is unbounded.

    An entry that never expires has a lower bound of infinity.
    """

    lower_s: float
    upper_s: float | None


class Fit(StrEnum):
    """How a lifetime stands to the documented one and its jitter."""

    WITHIN = "within"
    LONGER = "longer"
    SHORTER = "shorter"
    ENDLESS = "endless"
    """It never expires, which is longer, too."""
    UNKNOWN = "unknown"
    """The bounds hold both lifetimes within and outside."""


class Drift(NamedTuple):
    """One entry's lifetime beside the documented one."""

    lifetime: Lifetime
    documented_s: float
    jitter_s: float

    @property
    def fit(self) -> Fit:
        """How the one stands to the other."""
        (lower, upper), most = self.lifetime, self.documented_s + self.jitter_s
        if math.isinf(lower):
            return Fit.ENDLESS
        if lower > most:
            return Fit.LONGER
        if upper is None:
            return Fit.UNKNOWN
        if upper < self.documented_s - self.jitter_s:
            return Fit.SHORTER
        is_within = lower >= self.documented_s - self.jitter_s and upper <= most
        return Fit.WITHIN if is_within else Fit.UNKNOWN

    @property
    def is_longer(self) -> bool | None:
        """Whether the entry provably outlives the documented lifetime; None is unknown."""
        if self.fit in (Fit.LONGER, Fit.ENDLESS):
            return True
        upper = self.lifetime.upper_s
        is_bounded = upper is not None and upper <= self.documented_s + self.jitter_s
        return False if is_bounded else None

    def say(self) -> str:
        """The lifetime in words, as of a copy that was read."""
        documented = f"{self.documented_s:g} s"
        if self.jitter_s:
            documented += f" (give or take {self.jitter_s:g} s)"
        if self.fit is Fit.ENDLESS:
            return f"the copy had no expiry, with a documented lifetime of {documented}"
        return (
            f"the copy had a lifetime of at least {self.lifetime.lower_s:.4g} s, "
            f"with a documented one of {documented}"
        )


class Survey(NamedTuple):
    """The lifetimes of many entries of one layer or node: how many of each fit.

    `lower_s` and `upper_s` are the range that all of the bounded ones together span, None where
    there is none.
    """

    counts: Counter[Fit]
    lower_s: float | None
    upper_s: float | None

    @property
    def n(self) -> int:
        """How many entries."""
        return self.counts.total()

    @property
    def outside(self) -> int:
        """How many are proven to be outside: what a rule of config drift counts."""
        return sum(self.counts[fit] for fit in (Fit.LONGER, Fit.SHORTER, Fit.ENDLESS))


def lifetime_of(
    start: int, end: int, ttl_s: float, fill: Fill | None = None, resolution_s: float = 0.001
) -> Lifetime | None:
    """The lifetime of an entry that a read within [start, end] found with `ttl_s` remaining.

    `fill` is when it was put there as other evidence than this TTL has it (a miss before, a first
    sight): from the TTL itself it would be a circle. None where the remaining time is none.
    """
    if math.isnan(ttl_s) or ttl_s < 0:
        return None
    if math.isinf(ttl_s):
        return Lifetime(math.inf, None)
    if fill is None:
        return Lifetime(max(0.0, ttl_s - resolution_s), None)
    oldest, youngest = (end - fill.lower) / NS_PER_S, max(0, start - fill.upper) / NS_PER_S
    return Lifetime(max(0.0, ttl_s + youngest - resolution_s), ttl_s + oldest + resolution_s)


def survey(lifetimes: Iterable[Lifetime], documented_s: float, jitter_s: float) -> Survey:
    """How the lifetimes of many entries stand to the documented one."""
    each = list(lifetimes)
    counts = Counter(Drift(lifetime, documented_s, jitter_s).fit for lifetime in each)
    lowers = [one.lower_s for one in each if not math.isinf(one.lower_s)]
    uppers = [one.upper_s for one in each if one.upper_s is not None]
    return Survey(counts, min(lowers, default=None), max(uppers, default=None))
