"""The copies that one in-process node holds, each change of which goes to the truth."""

import time
from dataclasses import dataclass
from typing import Final

from lab.catalogue import Product
from lab.truth import TruthLog
from stalewatch_sdk.inprocess import Entry

NEVER_NS: Final = 1 << 62
"""The expiry of a copy that has none."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy; instants are Unix nanoseconds."""

    product: Product
    filled_ns: int
    expires_ns: int

    @property
    def lifetime_s(self) -> float | None:
        """From fill to expiry; None: it does not expire."""
        return None if self.expires_ns == NEVER_NS else (self.expires_ns - self.filled_ns) / 1e9

    def age_s(self, now_ns: int) -> float:
        """Seconds since the fill."""
        return max(0, now_ns - self.filled_ns) / 1e9

    def ttl_s(self, now_ns: int) -> float | None:
        """Seconds until it expires; None: it does not."""
        return None if self.expires_ns == NEVER_NS else max(0, self.expires_ns - now_ns) / 1e9


class Copies:
    """A cache with one lifetime for all. `hits` and `misses` count `get`, never `peek`."""

    def __init__(self, node: tuple[str, str], ttl_s: float, truth: TruthLog) -> None:
        self.hits = 0
        self.misses = 0
        self.ttl_s = ttl_s
        """The lifetime of fills to come; 0: none."""
        self.clock_offset_ns = 0
        """How far ahead the clock is by which ages and remaining lifetimes are told."""
        self._node = node
        self._truth = truth
        self._copies: dict[str, Copy] = {}

    def __len__(self) -> int:
        return len(self._live())

    def told_ns(self) -> int:
        """Now, as the node tells it."""
        return time.time_ns() + self.clock_offset_ns

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
        expires_ns = now_ns + round(self.ttl_s * 1e9) if self.ttl_s else NEVER_NS
        copy = self._copies[product.id] = Copy(product, now_ns, expires_ns)
        self._tell_held(copy, now_ns)
        return copy

    def drop_older(self, key: str, version: int) -> None:
        """Removes the copy of `key` where it is older than `version`."""
        copy = self._copies.get(key)
        if copy is not None and copy.product.version < version:
            self.drop(key)

    def drop(self, key: str) -> None:
        """Removes the copy of `key`, if there is one."""
        if self._copies.pop(key, None) is not None:
            self._truth.gone(self._node, key)

    def drop_all(self) -> None:
        """Removes every copy."""
        for key in list(self._copies):
            self.drop(key)

    def withdraw(self) -> None:
        """Tells the truth that nobody is served any of them from now on."""
        for key in self._copies:
            self._truth.gone(self._node, key)

    def offer(self) -> None:
        """Tells the truth that they are served again."""
        for copy in self._live():
            self._tell_held(copy, time.time_ns())

    def peek(self, key: str) -> Entry | None:
        """The copy as the in-process contract describes it."""
        copy = self.find(key)
        if copy is None:
            return None
        now_ns = self.told_ns()
        age_s, ttl_s = copy.age_s(now_ns), copy.ttl_s(now_ns)
        return Entry(copy.product.version, copy.product.projection(), age_s, ttl_s)

    def _live(self) -> list[Copy]:
        now_ns = time.time_ns()
        return [copy for copy in self._copies.values() if copy.expires_ns > now_ns]

    def _tell_held(self, copy: Copy, now_ns: int) -> None:
        product = copy.product
        self._truth.held(
            self._node,
            product.id,
            product.version,
            copy.expires_ns,
            price=product.price,
            at=(now_ns, 0),
        )
