"""Settled (invalidation, node) pairs as counts: what outlives the messages they were made of."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from freshness.counts import Counts
from freshness.pairs import Side
from freshness.series import Series

OWN_LIMIT: int = 0
"""For `PairsOf.limit_ns`: the maximum staleness of each layer."""


class PairsOf(NamedTuple):
    """Which pairs: one side of one keyspace, counted at one limit."""

    side: Side
    keyspace: str
    limit_ns: int = OWN_LIMIT


class PairCounts(Protocol):
    """Counts of pairs by minute and hour."""

    def put_pair_counts(self, of: PairsOf, since_s: int, until_s: int, series: Series) -> None:
        """Replace the minutes that begin in [since, until) by these, and bring hours up to date.

        In one transaction. Raises StoreError, and then nothing is written.
        """
        ...

    def pair_counts(
        self, of: PairsOf, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, int], Counts]:
        """By (layer, node, start): minutes (60) or hours (3600) that begin in [since, until)."""
        ...

    def pairs_counted_until(self, of: PairsOf) -> int | None:
        """Where the newest minute with pairs begins; None where there is none."""
        ...
