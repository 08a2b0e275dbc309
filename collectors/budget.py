"""How often a server may be read: token buckets for reads and bytes, and back-off.

No clock and no I/O: `now_ns` is the observer's monotonic clock, passed in.
"""

from dataclasses import dataclass
from typing import Final

NS: Final = 1_000_000_000
DEFAULT_READS_PER_S: Final = 20.0
DEFAULT_BYTES_PER_S: Final = DEFAULT_READS_PER_S * 65536
LEAST_SHARE: Final = 1 / 64
RECOVERY: Final = 0.1
"""What a good read gives back of the rate that back-off took."""
SLOW_FACTOR: Final = 4.0
LEAST_SLOW_NS: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens that come at `rate_per_s` and are kept up to `burst`; `level` may be a debt."""

    rate_per_s: float
    burst: float
    level: float
    at_ns: int

    def wait_ns(self, now_ns: int, cost: float, share: float = 1.0) -> int:
        """How long until `cost` tokens are there, at `share` of the rate; 0 for now.

        A cost above `burst` waits for a full bucket, and leaves a debt.
        """
        missing = min(cost, self.burst) - self._level_at(now_ns, share)
        return max(0, -int(-missing * NS // (self.rate_per_s * share)))

    def spend(self, now_ns: int, cost: float, share: float = 1.0) -> "Bucket":
        """The bucket after `cost` was taken at `now_ns`, whether or not it was there."""
        level = self._level_at(now_ns, share) - cost
        return Bucket(self.rate_per_s, self.burst, level, max(now_ns, self.at_ns))

    def _level_at(self, now_ns: int, share: float) -> float:
        came = max(0, now_ns - self.at_ns) * self.rate_per_s * share / NS
        return min(self.burst, self.level + came)


def full(rate_per_s: float, burst: float, now_ns: int) -> Bucket:
    """A bucket at its brim."""
    return Bucket(rate_per_s, burst, burst, now_ns)


class Budget:
    """What may be read of one server: batches a second, and bytes a second.

    A read that fails, or takes four times as long as reads have been taking, halves the rate, down
    to 1/64; each good read gives back a tenth.
    """

    def __init__(
        self,
        now_ns: int,
        reads_per_s: float = DEFAULT_READS_PER_S,
        bytes_per_s: float = DEFAULT_BYTES_PER_S,
    ) -> None:
        self._reads = full(reads_per_s, max(1.0, reads_per_s), now_ns)
        self._bytes = full(bytes_per_s, bytes_per_s, now_ns)
        self._usual_ns = 0.0
        self.share = 1.0

    def wait_ns(self, now_ns: int) -> int:
        """How long until the next batch may be sent; 0 for now. Bytes need only be out of debt."""
        return max(
            self._reads.wait_ns(now_ns, 1, self.share), self._bytes.wait_ns(now_ns, 0, self.share)
        )

    def spend(self, now_ns: int) -> None:
        """A batch is sent now."""
        self._reads = self._reads.spend(now_ns, 1, self.share)

    def note(self, now_ns: int, took_ns: int, size_bytes: int, *, failed: bool = False) -> None:
        """A batch came back: what it took and weighed, and whether it failed as a whole."""
        self._bytes = self._bytes.spend(now_ns, size_bytes, self.share)
        if failed or self._is_slow(took_ns):
            self.share = max(LEAST_SHARE, self.share / 2)
        else:
            self.share = min(1.0, self.share + RECOVERY)
        if not failed:
            self._usual_ns += (took_ns - self._usual_ns) / (8 if self._usual_ns else 1)

    def note_bytes(self, now_ns: int, size_bytes: int) -> None:
        """What came weighed this much, and how long it took says nothing of the server."""
        self._bytes = self._bytes.spend(now_ns, size_bytes, self.share)

    def _is_slow(self, took_ns: int) -> bool:
        usual_ns = max(self._usual_ns * SLOW_FACTOR, LEAST_SLOW_NS)
        return self._usual_ns > 0 and took_ns > usual_ns
