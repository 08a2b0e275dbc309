"""What every fault is given, and what it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from lab.layers.node import Target
from lab.writer import Writer

APART_S: Final = 2.5
"""How far a fill and a write lie apart, as they do in life: copies are old, refills are held up."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where one fault acts: a node, and keys that nobody else writes meanwhile."""

    target: Target
    keys: tuple[str, ...]
    writer: Writer


class Fault(Protocol):
    """One injected fault. The schedule calls the three in this order, with its time between."""

    kind: ClassVar[str]
    key_count: ClassVar[int]
    """How many keys of its own the fault needs."""

    def __init__(self, scene: Scene) -> None: ...

    async def prepare(self) -> None:
        """Makes sure that the node holds what is to become stale."""
        ...

    async def inject(self) -> None:
        """Makes it stale."""
        ...

    async def repair(self) -> Sequence[str]:
        """Heals the node; returns all keys that the fault touched."""
        ...


async def warm(scene: Scene) -> None:
    """Fills the scene's keys at its node with the origin's versions. Raises RuntimeError."""
    for product in scene.writer.origin.read(scene.keys):
        held = await scene.target.warm(product.id)
        if held != product.version:
            name = scene.target.address.name
            raise RuntimeError(f"{name} holds version {held} of {product.id}, not the latest")
