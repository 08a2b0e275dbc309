"""The application that changes products: it commits at the origin, then says so on the bus."""

import random
import time
from collections import deque
from collections.abc import Collection

from lab.catalogue import KEYSPACE
from lab.origin import Origin
from stalewatch_sdk.publisher import Publisher

REMEMBERED_WRITES = 1000


class Writer:
    """Writes for the workload and for faults, and keeps them off each other's keys."""

    def __init__(self, origin: Origin, publisher: Publisher, rng: random.Random) -> None:
        self.origin = origin
        self.reserved: set[str] = set()
        """Keys under a fault, which the workload leaves alone."""
        self._publisher = publisher
        self._rng = rng
        self._recent: deque[tuple[int, str]] = deque(maxlen=REMEMBERED_WRITES)

    async def write(self, key: str) -> int:
        """Commits and publishes a new version; returns it."""
        version, committed_ns = self.origin.write(key, self._rng.randrange(500, 20_000))
        self._recent.append((committed_ns, key))
        await self._publisher.publish(KEYSPACE, key, version, written_at_ns=committed_ns)
        return version

    def written_since(self, start_ns: int) -> Collection[str]:
        """The keys written between `start_ns` (Unix) and now."""
        now_ns = time.time_ns()
        return {key for at_ns, key in self._recent if start_ns <= at_ns <= now_ns}
