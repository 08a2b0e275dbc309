"""The contract of everything that reads counters of cache nodes.

A source answers with what the server says, whatever that is: a server that is down, slow or talks
nonsense makes a look without counters and with the reason, never an exception. What a server does
not say stays None.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from collectors.base import NowNs, Server, Target
from collectors.counters.own import Weigh
from freshness.counters import Counters

LARGEST: Final = 2**50
"""No server has counted more; a larger number is not believed, and sums of it fit 64 bits."""


@dataclass(frozen=True, slots=True)
class CounterSample:
    """One look at a node's counters; `counters` is None, and `why` says why, where it failed."""

    start_ns: int
    end_ns: int
    counters: Counters | None = None
    identity: str = ""
    """What changes when the node restarts, empty where it does not say."""
    uptime_s: float | None = None
    why: str = ""


class CounterSource(Protocol):
    """Whatever reads the counters of one node."""

    async def sample(self) -> CounterSample:
        """One look. Never raises for what the server does."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class CounterKind:
    """A row of the table: how a cache kind counts, by the kind's name.

    `weigh` says of a layer's options and a keyspace's binding what our reads through them add to
    the node's counters; `connect` is None where a kind has no counters of its own to ask for.
    """

    weigh: Callable[[Any, Any], Weigh]
    connect: Callable[[Server, Target, Any, NowNs], CounterSource] | None = None


def whole(told: object) -> int | None:
    """A count that a server told, as text or a number; None for anything that is none."""
    try:
        number = float(str(told))
    except ValueError:
        return None
    if not math.isfinite(number) or not 0 <= number <= LARGEST:
        return None
    return int(number)


def total(told: Mapping[str, object], *names: str) -> int | None:
    """The sum of counts by these names; None where none of them is told."""
    found = [number for name in names if (number := whole(told.get(name))) is not None]
    return sum(found) if found else None
