"""A node gives its copies another lifetime than the documented one."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

from lab.catalogue import PRODUCTS, TTL_S
from lab.faults.base import Fault, Shows, warm

DAY_S: Final = 86_400.0
LIFETIMES_S: Final[Mapping[str, float]] = {"much longer": DAY_S, "none": 0.0}


class WrongTtl(Fault):
    """No copy becomes stale: what is filled meanwhile would only stay far too long."""

    kind: ClassVar[str] = "wrong_ttl"
    key_count: ClassVar[int] = 3
    takes_node: ClassVar[bool] = True
    shows: ClassVar[Shows] = "config-drift"

    async def prepare(self) -> None:
        """Draws the lifetime."""
        self._ttl_s = LIFETIMES_S[self.scene.rng.choice(sorted(LIFETIMES_S))]
        documented_s = TTL_S[self.target.address.layer]
        self.wrong = {"ttl_s": self._ttl_s or None, "documented_ttl_s": documented_s}

    async def inject(self) -> None:
        """Changes the lifetime as a restart does: copies come anew, by the workload's misses."""
        await self.target.change_ttl(self._ttl_s)
        await self.target.purge([str(number) for number in range(1, PRODUCTS + 1)])
        await warm(self.target, self.writer, self.scene.keys)

    async def repair(self) -> Collection[str]:
        """Restores the lifetime and empties the node."""
        await self.target.correct_ttl()
        return self.scene.keys
