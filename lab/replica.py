"""A follower of the origin, which can stall: it then shows the past, further back each second."""

import bisect
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Final

from lab.catalogue import Product

REMEMBERED_VERSIONS: Final = 200


class History:
    """The last versions of every key, with the instants (Unix ns) at which they were committed."""

    def __init__(self) -> None:
        self._versions: dict[str, deque[tuple[int, Product]]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED_VERSIONS)
        )

    def add(self, product: Product, committed_ns: int) -> None:
        """Appends the newest version of a key."""
        self._versions[product.id].append((committed_ns, product))

    def read(self, keys: Sequence[str], at_ns: int) -> list[Product]:
        """The values of those of `keys` that existed then."""
        return [product for key in keys for product in self._newest(key, at_ns)]

    def _newest(self, key: str, at_ns: int) -> list[Product]:
        versions = list(self._versions.get(key, ()))
        until = bisect.bisect_right(versions, at_ns, key=lambda entry: entry[0])
        return [product for _, product in versions[max(0, until - 1) : until]]


class Replica:
    """Shows what the leader has, or had when the oldest of its stalls began."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._stalls: list[int] = []

    def stall(self) -> None:
        """Replays nothing from now on; each stall wants a `catch_up` of its own."""
        self._stalls.append(time.time_ns())

    def catch_up(self) -> None:
        """Ends the oldest stall."""
        self._stalls.pop(0)

    def read(self, keys: Sequence[str]) -> list[Product]:
        """The values of those of `keys` that it has."""
        return self._history.read(keys, self._stalls[0] if self._stalls else time.time_ns())
