"""What nodes counted of themselves: the rows, and the protocol of whoever keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

NODE: Final = "node"
"""The source of a row that was read from the node itself; others are `prometheus:NAME`."""
CounterGrain = Literal["minute", "hour"]


@dataclass(frozen=True, slots=True)
class CounterRow:
    """What a node counted in one minute (or hour), by one source.

    Everything adds but the gauges, of which the last stays. `covered_ns` is the time that the
    counts speak for; of what lies outside it nothing is known. `answered`, `unanswered` and
    `restarts` count looks, and lives that ended between two of them. A count that the node does not
    tell is None, and None and a number make a number. `own_hits` and `own_misses` are the part of
    our own reads in `hits` and `misses`, each with bounds.
    """

    start_s: int
    layer: str
    node: str
    source: str
    covered_ns: int = 0
    answered: int = 0
    unanswered: int = 0
    restarts: int = 0
    hits: int | None = None
    misses: int | None = None
    own_hits: tuple[int, int, int] = (0, 0, 0)
    own_misses: tuple[int, int, int] = (0, 0, 0)
    """Lower bound, value, upper bound."""
    evictions: int | None = None
    expirations: int | None = None
    invalidations: int | None = None
    requests: int | None = None
    request_us: int | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    items: int | None = None
    last_at_ns: int = 0
    """Wall time of the last look, Unix nanoseconds."""
    why: str = ""
    """Why the last look brought nothing; empty where it did."""


class CounterLog(Protocol):
    """Counters of nodes over time."""

    def write_counters(self, rows: Sequence[CounterRow]) -> None:
        """Add minutes to what is there, and to their hours, in one transaction.

        Raises StoreError, and then nothing is written.
        """
        ...

    def counters(
        self,
        grain: CounterGrain,
        since_ns: int,
        until_ns: int,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[CounterRow]:
        """Buckets whose start lies in [since, until), by time, layer, node and source."""
        ...
