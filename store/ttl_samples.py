"""Times to live that entries were found with: who keeps them."""

from collections.abc import Sequence
from typing import Protocol

from freshness.ttl_sample import TtlCell, TtlKey


class TtlSamples(Protocol):
    """Cells of `freshness.ttl_sample`, which take more as it comes, in `Batch.ttls`."""

    def ttl_samples(self, since_ns: int, until_ns: int) -> Sequence[tuple[TtlKey, TtlCell]]:
        """Cells whose start lies in [since, until), in order of time, keyspace, layer and node."""
        ...
