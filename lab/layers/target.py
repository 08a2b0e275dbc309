"""A node as faults see it: what can be done to it, whatever its layer and its process."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from lab.catalogue import NodeAddress, Product, product_from
from lab.layers.ear import Ear
from stalewatch_sdk.message import Invalidation

OPERATIONS: Final = frozenset(
    (
        *("warm", "told", "deafen", "mute", "slow", "deliver", "apply_blindly", "plant"),
        *("restore", "forget", "purge", "leave", "rejoin", "change_ttl", "correct_ttl", "skew"),
    )
)
"""What can be asked for over a control line."""


class Target(Protocol):
    """All that a fault can do to a node."""

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

    async def mute(self) -> None:
        """Holds back all invalidations; the node goes on serving and refilling."""
        ...

    async def slow(self, each_s: float) -> None:
        """Lets the node take so long for each invalidation, so that the rest queue up."""
        ...

    async def deliver(self, key: str, version: int) -> None:
        """Applies an invalidation that is held back, now; it can be delivered again."""
        ...

    async def apply_blindly(self, key: str, version: int, product: Product | None) -> None:
        """Applies it without a look at ids and versions: holds `product` then, or no copy."""
        ...

    async def plant(self, product: Product) -> None:
        """Lets a late refill land, and keeps it from being replaced."""
        ...

    async def restore(self, keys: Sequence[str] | None) -> None:
        """Undoes `deafen`, `mute`, `slow` and `plant`: what was held back arrives, older go."""
        ...

    async def forget(self, keys: Sequence[str] | None) -> None:
        """Undoes the same: older copies go, but what was held back is lost for good."""
        ...

    async def purge(self, keys: Sequence[str]) -> None:
        """Removes the copies, whatever they are."""
        ...

    async def leave(self, for_s: float) -> None:
        """Stops the node from answering and hearing, for no longer than that."""
        ...

    async def rejoin(self, keys: Sequence[str]) -> None:
        """Comes back with the copies of before, `keys` kept from being replaced; waits for that."""
        ...

    async def change_ttl(self, ttl_s: float) -> None:
        """Gives each copy that is filled from now on this lifetime; 0: none."""
        ...

    async def correct_ttl(self) -> None:
        """Gives the documented lifetime again, and removes every copy."""
        ...

    async def skew(self, offset_s: float) -> None:
        """Puts the clock by which the node stamps what it says ahead by so much."""
        ...


class Struck(Protocol):
    """What a node's own code must offer for that."""

    @property
    def address(self) -> NodeAddress:
        """Which node it is."""
        ...

    @property
    def ear(self) -> Ear:
        """What it hears."""
        ...

    async def warm(self, key: str) -> int:
        """See Target."""
        ...

    def told(self, key: str) -> int:
        """See Target."""
        ...

    async def plant(self, product: Product) -> None:
        """Holds `product` whatever was told."""
        ...

    async def supersede(self, key: str, version: int) -> None:
        """Removes an older copy, and refuses such refills for good."""
        ...

    async def purge(self, keys: Sequence[str] | None) -> None:
        """Removes copies of `keys`, or all."""
        ...

    async def shut(self, keys: Sequence[str] | None, *, is_cut_off: bool = False) -> None:
        """Keeps copies from being replaced by refills; None: all. Cut off: nor filled anew."""
        ...

    async def reopen(self, keys: Sequence[str] | None) -> None:
        """Undoes `shut`."""
        ...

    async def leave(self, for_s: float) -> None:
        """Answers nobody until `rejoin`, or for so long where it cannot be called back."""
        ...

    async def rejoin(self) -> None:
        """Answers again; returns when it does."""
        ...

    async def set_ttl(self, ttl_s: float | None) -> None:
        """The lifetime of fills to come: 0 is none, None the documented one."""
        ...

    def skew(self, offset_s: float) -> None:
        """See Target."""
        ...


class LocalTarget:
    """A Target in this process."""

    def __init__(self, node: Struck) -> None:
        self.address = node.address
        self._node = node

    async def warm(self, key: str) -> int:
        """See Target."""
        return await self._node.warm(key)

    async def told(self, key: str) -> int:
        """See Target."""
        return self._node.told(key)

    async def deafen(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        self._node.ear.deafen(keys)
        await self._node.shut(keys, is_cut_off=keys is None)

    async def mute(self) -> None:
        """See Target."""
        self._node.ear.mute()
        await self._node.shut(None)

    async def slow(self, each_s: float) -> None:
        """See Target."""
        self._node.ear.slow(each_s)
        await self._node.shut(None)

    async def deliver(self, key: str, version: int) -> None:
        """See Target."""
        await self._node.ear.deliver(key, version)

    async def apply_blindly(self, key: str, version: int, product: Product | None) -> None:
        """See Target."""

        async def update(_: Invalidation) -> None:
            await (self._node.purge([key]) if product is None else self._node.plant(product))

        await self._node.ear.apply_blindly(key, version, update)

    async def plant(self, product: Product) -> None:
        """See Target."""
        await self.deafen([product.id])
        await self._node.plant(product)

    async def restore(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        # Old copies go first, so that a refill let in again never finds one to build on.
        await self._node.ear.restore(keys)
        for key in keys or ():
            await self._node.supersede(key, self._node.told(key))
        await self._node.reopen(keys)

    async def forget(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        for lost in await self._node.ear.forget(keys):
            await self._node.supersede(lost.key, int(lost.version))
        await self._node.reopen(keys)

    async def purge(self, keys: Sequence[str]) -> None:
        """See Target."""
        await self._node.purge(keys)

    async def leave(self, for_s: float) -> None:
        """See Target."""
        await self.mute()
        await self._node.leave(for_s)

    async def rejoin(self, keys: Sequence[str]) -> None:
        """See Target."""
        await self._node.rejoin()
        await self.deafen(keys)
        self._node.ear.unmute()
        await self._node.reopen(None)

    async def change_ttl(self, ttl_s: float) -> None:
        """See Target."""
        await self._node.set_ttl(ttl_s)

    async def correct_ttl(self) -> None:
        """See Target."""
        await self._node.set_ttl(None)
        await self._node.purge(None)

    async def skew(self, offset_s: float) -> None:
        """See Target."""
        self._node.skew(offset_s)


def answering(targets: Mapping[str, Target]) -> Any:
    """Does what a control line asks of these nodes; products come as JSON objects."""

    async def answer(name: str, operation: str, arguments: Sequence[Any]) -> Any:
        if operation not in OPERATIONS:
            raise ValueError(f"no operation {operation!r}")
        decoded = [product_from(each) if isinstance(each, dict) else each for each in arguments]
        return await getattr(targets[name], operation)(*decoded)

    return answer
