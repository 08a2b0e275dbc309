"""When the copy that a cache returned was put there, as bounds: what tells causes apart best.

F_lo > U(s): filled after the newer version had committed (a refill race, a lagging source).
F_hi < L(s): the entry predates the write (a lost, late or mis-routed invalidation).
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from freshness.model import Result
from freshness.propagation import Sight

NS_PER_S = 1_000_000_000
_BROUGHT_NOTHING: Final = frozenset({Result.UNKNOWN, Result.UNREADABLE})


class Fill(NamedTuple):
    """The instant of the fill lies in [lower, upper], nanoseconds on the observer's clock."""

    lower: int
    upper: int


def from_ttl(
    start: int, end: int, ttl_s: float, documented_ttl_s: float, resolution_s: float = 0.001
) -> Fill | None:
    """F = q - (T - ttl), give or take the resolution and jitter of the remaining time to live.

    Valid where nothing else touches the TTL. None where the remaining time exceeds the documented
    one (it is not the documented TTL then) or there is no expiry.
    """
    if not math.isfinite(ttl_s) or ttl_s > documented_ttl_s + resolution_s or ttl_s < 0:
        return None
    age_ns = round((documented_ttl_s - ttl_s) * NS_PER_S)
    slack_ns = math.ceil(resolution_s * NS_PER_S)
    return Fill(start - age_ns - slack_ns, min(end, end - age_ns + slack_ns))


def from_age(start: int, end: int, age_s: float, is_own_copy: bool = False) -> Fill | None:
    """From an HTTP Age (RFC 9111, whole seconds), only F >= qs - Age - 1 s is sound.

    Age counts the tiers above, and a revalidation resets it; F <= qe - Age holds for an age of the
    cache's own copy alone. None where the age is no age.
    """
    if not math.isfinite(age_s) or age_s < 0:
        return None
    age_ns = round(age_s * NS_PER_S)
    return Fill(start - age_ns - NS_PER_S, end - age_ns if is_own_copy else end)


def from_absence(sights: Iterable[Sight], version: int, start: int, end: int) -> Fill | None:
    """F >= the start of the last read that did not show the copy which a read [start, end] showed.

    `sights` are the node's reads of the key in one life of the node, `version` is the copy's. Reads
    may overlap: only one that was over before `start` shows what was there before. None where none
    of them lacked the copy, or where one that brought nothing may lie between: what came back from
    a snapshot was not filled.
    """
    each = list(sights)
    lacked = max(
        (
            read.start
            for sight in each
            if sight.result not in _BROUGHT_NOTHING and sight.version != version
            for read in sight.reads
            if read.end <= start
        ),
        default=None,
    )
    if lacked is None:
        return None
    may_part = (sight for sight in each if sight.result in _BROUGHT_NOTHING)
    if any(sight.last_end > lacked and sight.first_start < end for sight in may_part):
        return None
    return Fill(lacked, end)
