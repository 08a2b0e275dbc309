"""The message for a key goes to a node that does not own it, and never to the one that does."""

from collections.abc import Collection
from typing import ClassVar, Literal

from lab.faults.base import Fault


class MisroutedKey(Fault):
    """The owner stays stale; another node of its layer gets the message twice, once as its own."""

    kind: ClassVar[str] = "misrouted_key"
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
        for _ in ("its own", "the owner's"):
            await self.other.deliver(key, version)
        await self.other.forget([key])

    async def repair(self) -> Collection[str]:
        """Removes the owner's copy; its message never comes."""
        await self.target.forget(self.scene.keys)
        await self.other.forget(self.scene.keys)
        return self.scene.keys
