"""A read-through cache node that refuses refills older than what it was told of."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lab.catalogue import CHANNEL, KEYSPACE, TTL_S, NodeAddress, Product
from lab.layers.copies import Copies, Copy
from lab.layers.ear import Ear
from lab.truth import TruthLog
from stalewatch_sdk.applier import Applier
from stalewatch_sdk.message import Invalidation

Fetch = Callable[[str, int], Awaitable[Product]]
"""Reads a key of the layer below, of at least that version. Raises Unreachable or NotSold."""


class UnreachableError(Exception):
    """The layer below cannot be reached."""


class NotSoldError(Exception):
    """The origin has no such product."""


class Target(Protocol):
    """A node as a fault sees it."""

    address: NodeAddress

    async def warm(self, key: str) -> int:
        """Fills the key anew from below; the version then held (0: none)."""
        ...

    async def told(self, key: str) -> int:
        """The newest version that the node was told of (0: never)."""
        ...

    async def deafen(self, keys: Sequence[str] | None) -> None:
        """Holds back invalidations of `keys`; None: cuts the node off from everything."""
        ...

    async def plant(self, product: Product) -> None:
        """Lets a late refill land, and keeps it from being replaced."""
        ...

    async def restore(self, keys: Sequence[str] | None) -> None:
        """Undoes `deafen` and `plant`: what was held back arrives, older copies go."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """What a read came to: the value, the copy now held of it, and whether it had been there."""

    product: Product
    copy: Copy | None
    is_hit: bool


class CacheNode:
    """One edge or application node.

    Coherent without faults, whatever the order of fills and messages: a message removes every
    older copy and raises the least version that a later fill must have, and a fill asks the layer
    below for at least that version, which the origin has, since messages follow commits.
    """

    def __init__(self, address: NodeAddress, fetch: Fetch, truth: TruthLog) -> None:
        self.address = address
        self.copies = Copies((address.layer, address.name), TTL_S[address.layer], truth)
        self._fetch = fetch
        self._applier = Applier(address.layer, address.name, self._drop, channel=CHANNEL)
        self.ear = Ear(self._applier)

    async def read(self, key: str, at_least: int = 0) -> Served:
        """Reads through. Raises UnreachableError and NotSoldError."""
        copy = self.copies.get(key)
        if copy is not None and (
            copy.product.version >= at_least or self.ear.is_deaf_to(key)  # it knows of no newer one
        ):
            return Served(copy.product, copy, is_hit=True)
        return await self._refill(key, at_least)

    async def warm(self, key: str) -> int:
        """Fills the key anew from below; the version then held (0: none)."""
        served = await self._refill(key, 0)
        return served.copy.product.version if served.copy is not None else 0

    async def told(self, key: str) -> int:
        """The newest version that the node was told of (0: never)."""
        return self._least(key)

    async def deafen(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        self.ear.deafen(keys)

    async def plant(self, product: Product) -> None:
        """See Target."""
        self.ear.deafen([product.id])
        self.copies.put(product)

    async def restore(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        await self.ear.restore(keys)
        for key in keys or ():
            self.copies.drop_older(key, self._least(key))

    async def _refill(self, key: str, at_least: int) -> Served:
        if self.ear.is_cut_off:
            raise UnreachableError
        product = await self._fetch(key, max(at_least, self._least(key)))
        return Served(product, self._fill(product), is_hit=False)

    def _fill(self, product: Product) -> Copy | None:
        held = self.copies.find(product.id)
        if held is not None and (
            held.product.version > product.version or self.ear.is_deaf_to(product.id)
        ):
            return None
        return self.copies.put(product) if product.version >= self._least(product.id) else None

    async def _drop(self, invalidation: Invalidation) -> None:
        self.copies.drop_older(invalidation.key, int(invalidation.version))

    def _least(self, key: str) -> int:
        return int(self._applier.newest(KEYSPACE, key) or 0)
