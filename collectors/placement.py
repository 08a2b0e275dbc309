"""Which nodes of a layer are expected to hold an entry: one question, asked of one object a layer.

Only they are probed. A copy elsewhere is what no client reads: no staleness, but a fact of its own.
"""

import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, Literal, Protocol

from pydantic import Field
from uhashring import HashRing

from collectors.discovery import Discovered, Finder
from collectors.options import PLACEHOLDER
from settings import Section

REMEMBERED_NAMES: Final = 200_000


class Placement(Protocol):
    """Says where the entries of a layer are expected."""

    def holders(self, name: str) -> Collection[str] | None:
        """The nodes expected to hold the entry of this name, or None where nobody knows.

        The name is what the layer's clients hash: the whole of it, `product:42`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """The keys of a keyspace that one node is expected to hold: those with an entry there.

    `template` makes the name of an entry from a key. Where nobody knows the holders, every node is
    asked, and answers that it cannot tell.
    """

    placement: Placement
    node: str
    template: str

    def __contains__(self, key: str) -> bool:
        holders = self.placement.holders(self.template.replace(PLACEHOLDER, key))
        return holders is None or self.node in holders


class RingOptions(Section):
    """How the clients of a layer spread entries over its nodes, of equal weight."""

    hash: Literal["ketama", "modulo-crc"] = "ketama"
    """`ketama` as libmemcached's weighted ketama, or `modulo-crc` as python-memcached."""
    copies: Annotated[int, Field(ge=1, le=16)] = 1
    """On how many nodes each entry is kept: the next ones on the ring, or in the list."""


class Ring:
    """The nodes of a layer, found by `nodes`, and where its clients put each entry.

    A node is called by its name there, so a node's name must be what the clients call it.
    """

    def __init__(self, nodes: Finder, options: RingOptions) -> None:
        self._found = nodes
        self._options = options
        self._names: Sequence[str] = ()
        self._pick: Callable[[str], tuple[str, ...]] = lambda _: ()

    async def discover(self) -> Discovered:
        """The nodes now; entries move when they are others than before."""
        found = await self._found.discover()
        names = [target.name for target in found.targets]
        if names == self._names:
            return found
        is_first, self._names = not self._names, names
        pick = _HASHES[self._options.hash](names, min(self._options.copies, len(names)))
        self._pick = lru_cache(REMEMBERED_NAMES)(pick)
        return Discovered(found.targets, found.gone, found.problems, has_moved=not is_first)

    def holders(self, name: str) -> Collection[str] | None:
        """The nodes that clients would ask for the entry."""
        return self._pick(name) if self._names else None


def _ketama(nodes: Sequence[str], copies: int) -> Callable[[str], tuple[str, ...]]:
    """160 points a node, four of each MD5 of `node-number`; the first node at or after the key."""
    ring = HashRing(nodes=list(nodes), hash_fn="ketama")
    return lambda name: tuple(one["nodename"] for one in ring.range(name, size=copies))


def _modulo_crc(nodes: Sequence[str], copies: int) -> Callable[[str], tuple[str, ...]]:
    """The CRC-32 of the name, 15 bits of it, modulo the number of nodes in their order."""

    def pick(name: str) -> tuple[str, ...]:
        crc = binascii.crc32(name.encode("utf-8", "surrogatepass"))
        first = (crc >> 16 & 0x7FFF) or 1
        return tuple(nodes[(first + more) % len(nodes)] for more in range(copies))

    return pick


_HASHES: Final[Mapping[str, Callable[[Sequence[str], int], Callable[[str], tuple[str, ...]]]]] = {
    "ketama": _ketama,
    "modulo-crc": _modulo_crc,
}
