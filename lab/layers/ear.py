"""What stands between the bus and a node: here a fault keeps messages from it, or plays them wrong.

A node is deaf to some keys, or to all. What it does not hear is held back, in its order, until it
is delivered after all or lost for good.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from lab.catalogue import CHANNEL, KEYSPACE, NodeAddress
from stalewatch_sdk.applier import Applier, Drop
from stalewatch_sdk.message import Invalidation, decode

HEARD_WITHIN_S: Final = 2.0


class Ear:
    """Hands messages to the node's applier, or holds them back while the node is deaf to them."""

    def __init__(self, address: NodeAddress, drop: Drop) -> None:
        self.is_cut_off = False
        """Deaf to all, and nothing below is reached either."""
        self._is_mute = False
        self._address = address
        self._applier = self._applier_of(drop)
        self._deaf_to: set[str] = set()
        self._held_back: list[bytes] = []
        self._turn = asyncio.Condition()
        self._drain: asyncio.Task[None] | None = None

    def newest(self, key: str) -> int:
        """The newest version that the node was told of (0: never)."""
        return int(self._applier.newest(KEYSPACE, key) or 0)

    def is_deaf_to(self, key: str) -> bool:
        """Whether a message for `key` would be held back now."""
        return self.is_cut_off or self._is_mute or key in self._deaf_to

    async def hear(self, payload: bytes) -> None:
        """Takes one message from the bus."""
        async with self._turn:
            if self.is_deaf_to(decode(payload).key):
                self._held_back.append(payload)
                self._turn.notify_all()
            else:
                await self._applier.apply(payload)

    def deafen(self, keys: Collection[str] | None) -> None:
        """Holds back messages for `keys`; None: all, and cuts the node off from below."""
        if keys is None:
            self.is_cut_off = True
        else:
            self._deaf_to.update(keys)

    def mute(self) -> None:
        """Holds back all messages, and nothing more."""
        self._is_mute = True

    def unmute(self) -> None:
        """Hears again; what was held back meanwhile stays so."""
        self._is_mute = False

    def slow(self, each_s: float) -> None:
        """Takes `each_s` for each message from now on: the rest queue up behind it."""
        self._is_mute = True
        self._drain = asyncio.create_task(self._drain_at(each_s))

    async def deliver(self, key: str, version: int) -> None:
        """Applies a message that is held back, and goes on holding it. Raises TimeoutError."""
        payload = await self._held(key, version)
        async with self._turn:
            await self._applier.apply(payload)

    async def apply_blindly(self, key: str, version: int, drop: Drop) -> None:
        """Applies it as a node would that remembers neither ids nor versions."""
        payload = await self._held(key, version)
        async with self._turn:
            await self._applier_of(drop).apply(payload)

    async def restore(self, keys: Collection[str] | None) -> None:
        """Undoes what makes the node deaf, and delivers what was held back, in its order."""
        async with self._turn:
            for payload in self._hear_again(keys):
                await self._applier.apply(payload)

    async def forget(self, keys: Collection[str] | None) -> list[Invalidation]:
        """Undoes what makes the node deaf; returns what it never gets to hear."""
        async with self._turn:
            return [decode(payload) for payload in self._hear_again(keys)]

    def _hear_again(self, keys: Collection[str] | None) -> list[bytes]:
        if keys is None:
            self.is_cut_off = self._is_mute = False
            self._stop_draining()
        else:
            self._deaf_to.difference_update(keys)
        waiting, self._held_back = self._held_back, []
        released: list[bytes] = []
        for payload in waiting:
            key = decode(payload).key
            stays = self.is_deaf_to(key) if keys is None else key not in keys
            (self._held_back if stays else released).append(payload)
        return released

    async def _held(self, key: str, version: int) -> bytes:
        def found() -> bytes | None:
            for payload in self._held_back:
                invalidation = decode(payload)
                if (invalidation.key, invalidation.version) == (key, version):
                    return payload
            return None

        async with asyncio.timeout(HEARD_WITHIN_S), self._turn:
            payload: bytes | None = await self._turn.wait_for(found)
        assert payload is not None
        return payload

    async def _drain_at(self, each_s: float) -> None:
        while True:
            async with self._turn:
                await self._turn.wait_for(lambda: self._held_back)
            await asyncio.sleep(each_s)
            async with self._turn:
                if self._held_back:
                    await self._applier.apply(self._held_back.pop(0))

    def _stop_draining(self) -> None:
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None

    def _applier_of(self, drop: Drop) -> Applier:
        return Applier(self._address.layer, self._address.name, drop, channel=CHANNEL)
