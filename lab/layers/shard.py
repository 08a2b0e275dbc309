"""The shards: Redis nodes over which a ring spreads the keys, each filled from the origin itself.

Beside the shop's own path of reads: each key has one node here, its owner, and no other is asked
for it or told of it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from uhashring import HashRing

from lab.layers.regional import RegionalNode
from lab.origin import Origin
from lab.workload import Popularity
from stalewatch_sdk.message import decode

READS_PER_S: Final = 5.0


class Shards:
    """Who owns which key, what each of the nodes hears, and the reads that fill them."""

    def __init__(self, nodes: Sequence[RegionalNode], origin: Origin, seed: int) -> None:
        self._nodes: Mapping[str, RegionalNode] = {node.address.name: node for node in nodes}
        self._ring = HashRing(nodes=list(self._nodes), hash_fn="ketama")
        self._origin = origin
        self._rng = random.Random(f"{seed}:shards")

    def owner(self, key: str) -> str:
        """The name of the node that holds the key."""
        return str(self._ring.get_node(f"product:{key}"))

    def ears(self) -> Sequence[Callable[[bytes], Awaitable[None]]]:
        """What hears the bus: of a message that is not its own a node hears by a fault alone."""
        return [self._ear(node) for node in self._nodes.values()]

    async def read_on(self) -> None:
        """Reads keys by their popularity, and fills what is not there; goes on for ever."""
        popularity = Popularity(self._rng)
        while True:
            await asyncio.sleep(self._rng.expovariate(READS_PER_S))
            key = popularity.draw()
            node = self._nodes[self.owner(key)]
            if await node.cache.get(key) is None:
                await node.warm(key)

    def _ear(self, node: RegionalNode) -> Callable[[bytes], Awaitable[None]]:
        async def hear(payload: bytes) -> None:
            key = decode(payload).key
            if self.owner(key) == node.address.name or node.ear.is_deaf_to(key):
                await node.ear.hear(payload)

        return hear
