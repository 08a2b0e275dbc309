"""What every fault is given, and what it does."""

import abc
import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from lab.layers.target import Target
from lab.truth import Beside
from lab.writer import Writer

Shows = Literal["stale", "torn", "config-drift", "skew", "none"]
APART_S: Final = 2.5
"""How far a fill and a write lie apart, as they do in life: copies are old, refills are held up."""
APPLY_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Scene:
    """Where one fault acts: a node, and keys that nobody else writes meanwhile."""

    target: Target
    keys: tuple[str, ...]
    writer: Writer
    rng: random.Random
    partners: tuple[Target, ...] = ()
    """The other nodes of a class that needs some."""


class Fault(abc.ABC):
    """One injected fault. The schedule calls the three in this order, with its time between."""

    kind: ClassVar[str]
    key_count: ClassVar[int] = 1
    """How many keys of its own the fault needs."""
    layers: ClassVar[tuple[str, ...]] = ("edge", "regional", "app")
    """Where it can strike."""
    prefers: ClassVar[tuple[str, ...]] = ()
    """Where alone it strikes, if there is such a layer."""
    partner: ClassVar[Literal["peer", "below"] | None] = None
    """What else it needs: another node of the layer, or all of its region in the layer below."""
    takes_node: ClassVar[bool] = False
    """Whether no other fault may be at the node meanwhile."""
    takes_all_written: ClassVar[bool] = False
    """Whether it touches every key that is written meanwhile, the workload's too."""
    shows: ClassVar[Shows] = "stale"
    """What of it can be seen; only a stale copy is to be found as one."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.target = scene.target
        self.writer = scene.writer
        self.wrong: Mapping[str, Any] = {}
        """What the truth is to say beside the stale copies; known once it is prepared."""
        self.beside: tuple[Beside, ...] = ()
        """Copies at other nodes that become stale as well."""

    @property
    def other(self) -> Target:
        """The partner of a class that has one."""
        (other,) = self.scene.partners
        return other

    async def prepare(self) -> None:
        """Makes the node hold the latest versions, for as long as copies are old in life."""
        await warm(self.target, self.writer, self.scene.keys)
        await asyncio.sleep(APART_S)

    @abc.abstractmethod
    async def inject(self) -> None:
        """Makes something wrong."""

    @abc.abstractmethod
    async def repair(self) -> Collection[str]:
        """Heals the node; returns all keys that the fault touched."""


async def warm(target: Target, writer: Writer, keys: Sequence[str]) -> None:
    """Fills keys at a node with the origin's versions. Raises RuntimeError."""
    for product in writer.origin.read(keys):
        held = await target.warm(product.id)
        if held != product.version:
            name = target.address.name
            raise RuntimeError(f"{name} holds version {held} of {product.id}, not the latest")


async def until_told(target: Target, key: str, version: int) -> None:
    """Waits until a node applied the invalidation of a version. Raises TimeoutError."""
    async with asyncio.timeout(APPLY_TIMEOUT_S):
        while await target.told(key) < version:  # noqa: ASYNC110  # in a process
            await asyncio.sleep(_POLL_S)
