"""What stands between the bus and a node: here a fault makes the node deaf."""

import asyncio
from collections.abc import Collection

from stalewatch_sdk.applier import Applier
from stalewatch_sdk.message import decode


class Ear:
    """Hands messages to the node's applier, or holds them back while the node is deaf to them."""

    def __init__(self, applier: Applier) -> None:
        self.is_cut_off = False
        self._applier = applier
        self._deaf_to: set[str] = set()
        self._held_back: list[bytes] = []
        self._turn = asyncio.Lock()

    def is_deaf_to(self, key: str) -> bool:
        """Whether a message for `key` would be held back now."""
        return self.is_cut_off or key in self._deaf_to

    async def hear(self, payload: bytes) -> None:
        """Takes one message from the bus."""
        async with self._turn:
            if self.is_deaf_to(decode(payload).key):
                self._held_back.append(payload)
            else:
                await self._applier.apply(payload)

    def deafen(self, keys: Collection[str] | None) -> None:
        """Holds back messages for `keys`, or all of them where None."""
        if keys is None:
            self.is_cut_off = True
        else:
            self._deaf_to.update(keys)

    async def restore(self, keys: Collection[str] | None) -> None:
        """Undoes `deafen` and delivers what was held back, in its order."""
        async with self._turn:
            if keys is None:
                self.is_cut_off = False
            else:
                self._deaf_to.difference_update(keys)
            waiting, self._held_back = self._held_back, []
            for payload in waiting:
                if self.is_deaf_to(decode(payload).key):
                    self._held_back.append(payload)
                else:
                    await self._applier.apply(payload)
