"""The message for a key goes to a node that does not own it, and never to the one that does."""

from collections.abc import Collection
from typing import ClassVar, Literal

from lab.catalogue import SHARD
from lab.faults.base import Fault


class MisroutedKey(Fault):
    """The owner stays stale; another node of its layer gets the owner's message, beside its own.

    On a ring there is none of its own. Without one nothing but the receipts tells it from a lost
    message.
    """

    kind: ClassVar[str] = "misrouted_key"
    prefers: ClassVar[tuple[str, ...]] = (SHARD,)
    partner: ClassVar[Literal["peer", "below"] | None] = "peer"

    async def prepare(self) -> None:
        """Names the owner and the wrong receiver."""
        await super().prepare()
        owner, receiver = self.target.address.name, self.other.address.name
        self.wrong = {"owner": owner, "receipt_from": receiver}

    async def inject(self) -> None:
        """Writes, and delivers the owner's message to its peer."""
        (key,) = self.scene.keys
        for node in (self.target, self.other):
            await node.deafen([key])
        version = await self.writer.write(key)
        is_own = self.other.address.layer != SHARD
        for _ in ("its own", "the owner's") if is_own else ("the owner's",):
            await self.other.deliver(key, version)
        await self.other.forget([key])

    async def repair(self) -> Collection[str]:
        """Removes the owner's copy; its message never comes."""
        await self.target.forget(self.scene.keys)
        await self.other.forget(self.scene.keys)
        return self.scene.keys
