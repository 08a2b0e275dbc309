"""A Redis Cluster as one of its nodes describes it: who holds which hash slots. No I/O."""

import binascii
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

SLOTS: Final = 16384
MOST_NODES: Final = 2000
_UNREACHABLE: Final = {"noaddr", "handshake"}


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One line of CLUSTER NODES; `host` is empty where a node does not know its own.

    `master` is the id of whom a replica copies, `slots` what a master serves, `arriving` what the
    node that was asked is taking over.
    """

    id: str
    host: str
    hostname: str
    port: int
    flags: frozenset[str]
    master: str
    epoch: int
    slots: Sequence[range] = field(default_factory=list)
    arriving: frozenset[int] = frozenset()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port

    @property
    def is_failed(self) -> bool:
        """Whether the cluster holds it for dead."""
        return bool(self.flags & {"fail", "fail?"})


def slot_of(name: bytes) -> int:
    """The slot of a key's name; of its part in braces where it has one, so that keys keep together.

    CRC-16/XMODEM, as the Redis Cluster specification says.
    """
    start = name.find(b"{")
    end = name.find(b"}", start + 1) if start >= 0 else -1
    tag = name[start + 1 : end] if end > start + 1 else name
    return binascii.crc_hqx(tag, 0) % SLOTS


def parse_nodes(told: str) -> list[ClusterNode]:
    """The reply to CLUSTER NODES; a node without an address is left out. Raises ValueError."""
    lines = told.splitlines()
    if len(lines) > MOST_NODES:
        raise ValueError(f"more than {MOST_NODES} nodes")
    nodes = [_parse(line.split(" ")) for line in lines if line]
    if sum("myself" in node.flags for node in nodes) != 1:
        raise ValueError("expected one line of the node itself")
    return [node for node in nodes if "myself" in node.flags or not node.flags & _UNREACHABLE]


def _parse(words: Sequence[str]) -> ClusterNode:
    if len(words) < 8:
        raise ValueError("a line is too short")
    id, address, flags, master, _, _, epoch, _, *slots = words
    place, _, hostname = address.partition(",")
    host, _, port = place.partition("@")[0].rpartition(":")
    return ClusterNode(
        id=id,
        host=host,
        hostname=hostname.partition(",")[0],
        port=int(port),
        flags=frozenset(flags.split(",")),
        master="" if master == "-" else master,
        epoch=int(epoch),
        slots=[_parse_slots(each) for each in slots if not each.startswith("[")],
        arriving=frozenset(_arriving(slots)),
    )


def _parse_slots(word: str) -> range:
    first, _, last = word.partition("-")
    slots = range(int(first), int(last or first) + 1)
    if slots.start < 0 or slots.stop > SLOTS:
        raise ValueError("a slot is out of range")
    return slots


def _arriving(words: Sequence[str]) -> Iterator[int]:
    """`[93-<-292f8b...]` is on its way from another node; `[77->-e7d1...]` leaves."""
    for word in words:
        slot, is_import, _ = word.strip("[]").partition("-<-")
        if word.startswith("[") and is_import:
            yield int(slot)


class SlotMap:
    """Which nodes serve each slot: a master and its replicas, by the names in `names` (by id)."""

    def __init__(self, nodes: Sequence[ClusterNode], names: dict[str, str]) -> None:
        self._holders: list[frozenset[str] | None] = [None] * SLOTS
        for master in nodes:
            if not master.slots:
                continue
            copies = [node.id for node in nodes if node.master == master.id]
            held_by = frozenset(names[id] for id in (master.id, *copies) if id in names)
            for slots in master.slots:
                self._holders[slots.start : slots.stop] = [held_by] * len(slots)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SlotMap) and self._holders == other._holders

    __hash__ = None  # type: ignore[assignment]  # it is compared, and no key of anything

    def holders(self, name: str) -> Collection[str] | None:
        """The names of the nodes that serve an entry; None where no node serves its slot."""
        return self._holders[slot_of(name.encode("utf-8", "surrogatepass"))]
