"""A read-through cache node that refuses refills older than what it was told of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lab.catalogue import TTL_S, NodeAddress, Product
from lab.layers.copies import Copies, Copy
from lab.layers.ear import Ear
from lab.tracing import HostClocks
from lab.truth import TruthLog
from stalewatch_sdk.message import Invalidation

Fetch = Callable[[str, int], Awaitable[Product]]
"""Reads a key of the layer below, of at least that version. Raises Unreachable or NotSold."""


class UnreachableError(Exception):
    """The layer below cannot be reached."""


class NotSoldError(Exception):
    """The origin has no such product."""


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

    def __init__(
        self, address: NodeAddress, fetch: Fetch, truth: TruthLog, clocks: HostClocks
    ) -> None:
        self.address = address
        self.copies = Copies((address.layer, address.name), TTL_S[address.layer], truth)
        self.ear = Ear(address, self._drop)
        self.present = asyncio.Event()
        """Set unless the node is away: an answer waits for it, as in a process that stands."""
        self.present.set()
        self._fetch = fetch
        self._clocks = clocks
        self._floor: dict[str, int] = {}

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

    def told(self, key: str) -> int:
        """The newest version that the node knows of (0: none): no refill may be older."""
        return max(self.ear.newest(key), self._floor.get(key, 0))

    async def plant(self, product: Product) -> None:
        """See Struck."""
        self.copies.put(product)

    async def supersede(self, key: str, version: int) -> None:
        """See Struck."""
        self._floor[key] = max(version, self._floor.get(key, 0))
        self.copies.drop_older(key, version)

    async def purge(self, keys: Sequence[str] | None) -> None:
        """See Struck."""
        if keys is None:
            self.copies.drop_all()
        for key in keys or ():
            self.copies.drop(key)

    async def shut(self, keys: Sequence[str] | None, *, is_cut_off: bool = False) -> None:
        """See Struck. A refill looks at the ear, which is in the same process."""

    async def reopen(self, keys: Sequence[str] | None) -> None:
        """See Struck."""

    async def leave(self, for_s: float) -> None:  # noqa: ARG002  # it is called back
        """See Struck."""
        self.present.clear()
        self.copies.withdraw()

    async def rejoin(self) -> None:
        """See Struck."""
        self.copies.offer()
        self.present.set()

    async def set_ttl(self, ttl_s: float | None) -> None:
        """See Struck."""
        self.copies.ttl_s = TTL_S[self.address.layer] if ttl_s is None else ttl_s

    def skew(self, offset_s: float) -> None:
        """See Struck."""
        offset_ns = round(offset_s * 1e9)
        self.copies.clock_offset_ns = offset_ns
        self._clocks.offsets_ns[self.address.name] = offset_ns

    async def _refill(self, key: str, at_least: int) -> Served:
        if self.ear.is_cut_off:
            raise UnreachableError
        product = await self._fetch(key, max(at_least, self.told(key)))
        return Served(product, self._fill(product), is_hit=False)

    def _fill(self, product: Product) -> Copy | None:
        held = self.copies.find(product.id)
        if held is not None and (
            held.product.version > product.version or self.ear.is_deaf_to(product.id)
        ):
            return None
        return self.copies.put(product) if product.version >= self.told(product.id) else None

    async def _drop(self, invalidation: Invalidation) -> None:
        self.copies.drop_older(invalidation.key, int(invalidation.version))
