"""The copies that one in-process node holds, each change of which goes to the truth."""

import time
from dataclasses import dataclass

from lab.catalogue import Product
from lab.truth import TruthLog
from stalewatch_sdk.inprocess import Entry


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy; instants are Unix nanoseconds."""

    product: Product
    filled_ns: int
    expires_ns: int

    def age_s(self, now_ns: int) -> float:
        """Seconds since the fill."""
        return max(0, now_ns - self.filled_ns) / 1e9

    def ttl_s(self, now_ns: int) -> float:
        """Seconds until it expires."""
        return max(0, self.expires_ns - now_ns) / 1e9


class Copies:
    """A cache with one lifetime for all. `hits` and `misses` count `get`, never `peek`."""

    def __init__(self, node: tuple[str, str], ttl_s: float, truth: TruthLog) -> None:
        self.hits = 0
        self.misses = 0
        self._node = node
        self._ttl_ns = round(ttl_s * 1e9)
        self._truth = truth
        self._copies: dict[str, Copy] = {}

    def __len__(self) -> int:
        now_ns = time.time_ns()
        return sum(copy.expires_ns > now_ns for copy in self._copies.values())

    def find(self, key: str) -> Copy | None:
        """The live copy, counted nowhere."""
        copy = self._copies.get(key)
        return copy if copy is not None and copy.expires_ns > time.time_ns() else None

    def get(self, key: str) -> Copy | None:
        """The live copy, counted as a hit or a miss."""
        copy = self.find(key)
        if copy is None:
            self.misses += 1
        else:
            self.hits += 1
        return copy

    def put(self, product: Product) -> Copy:
        """Holds `product` for one lifetime from now, whatever was held before."""
        now_ns = time.time_ns()
        copy = self._copies[product.id] = Copy(product, now_ns, now_ns + self._ttl_ns)
        at = (now_ns, 0)
        self._truth.held(self._node, product.id, product.version, copy.expires_ns, at=at)
        return copy

    def drop_older(self, key: str, version: int) -> None:
        """Removes the copy of `key` where it is older than `version`."""
        copy = self._copies.get(key)
        if copy is not None and copy.product.version < version:
            del self._copies[key]
            self._truth.gone(self._node, key)

    def peek(self, key: str) -> Entry | None:
        """The copy as the in-process contract describes it."""
        copy = self.find(key)
        if copy is None:
            return None
        now_ns = time.time_ns()
        age_s, ttl_s = copy.age_s(now_ns), copy.ttl_s(now_ns)
        return Entry(version=copy.product.version, age_s=age_s, ttl_s=ttl_s)
