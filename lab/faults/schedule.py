"""When which fault strikes where: drawn from a seed, overlapping, each on keys of its own."""

import asyncio
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lab import truth
from lab.catalogue import PRODUCTS, SHARD
from lab.ending import end_all
from lab.faults.base import Fault, Scene
from lab.faults.clock_skew import ClockSkew
from lab.faults.deaf_subscriber import DeafSubscriber
from lab.faults.duplicate import Duplicate
from lab.faults.late_invalidation import LateInvalidation
from lab.faults.lost_invalidation import LostInvalidation
from lab.faults.misrouted_key import MisroutedKey
from lab.faults.partitioned_node import PartitionedNode
from lab.faults.refill_race import RefillRace
from lab.faults.reordered import Reordered
from lab.faults.replica_lag_refill import ReplicaLagRefill
from lab.faults.repoisoned import Repoisoned
from lab.faults.torn_value import TornValue
from lab.faults.wrong_ttl import WrongTtl
from lab.faults.zombie_rejoin import ZombieRejoin
from lab.layers.target import Target
from lab.writer import Writer

PLAIN: Final[Sequence[type[Fault]]] = (LostInvalidation, RefillRace, PartitionedNode)
"""What is plain to see: one of each comes before any other, so that the demo begins clearly."""
OTHERS: Final[Sequence[type[Fault]]] = (
    LateInvalidation,
    Reordered,
    Duplicate,
    ReplicaLagRefill,
    DeafSubscriber,
    ZombieRejoin,
    MisroutedKey,
    WrongTtl,
    ClockSkew,
    TornValue,
    Repoisoned,
)
KINDS: Final = (*PLAIN, *OTHERS)
BELOW: Final = {"edge": "app", "app": "regional"}
FIRST_AFTER_S: Final = (3.0, 5.0)
GAP_S: Final = (8.0, 12.0)
DURATION_S: Final = (0.5, 60.0)
FIRST_LASTS_AT_LEAST_S: Final = 10.0
"""So that who looks at the demo sees something happen at once."""


def drawn_kinds(rng: random.Random) -> Iterator[type[Fault]]:
    """Classes without end: the plain ones first, then each once before any comes again."""
    yield from rng.sample(PLAIN, len(PLAIN))
    yield from rng.sample(OTHERS, len(OTHERS))
    while True:
        yield from rng.sample(KINDS, len(KINDS))


@dataclass(frozen=True, slots=True)
class Draw:
    """One fault to come."""

    kind: type[Fault]
    target: Target
    keys: tuple[str, ...]
    duration_s: float
    partners: tuple[Target, ...]

    @property
    def nodes(self) -> Sequence[str]:
        """The names of the nodes it touches."""
        return [node.address.name for node in (self.target, *self.partners)]


class Schedule:
    """Injects faults and repairs each when its time is over; `cancel` leaves the open ones."""

    def __init__(
        self,
        targets: Sequence[Target],
        writer: Writer,
        log: truth.TruthLog,
        seed: int,
        owner: Callable[[str], str] | None = None,
    ) -> None:
        self._targets = targets
        self._owner = owner
        self._writer = writer
        self._log = log
        self._seed = seed
        self._rng = random.Random(f"{seed}:faults")
        self._kinds = drawn_kinds(self._rng)
        self._strikes: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._taken: set[str] = set()
        self._count = 0

    async def run(self) -> None:
        """Goes on for ever."""
        await asyncio.sleep(self._rng.uniform(*FIRST_AFTER_S))
        least_s = FIRST_LASTS_AT_LEAST_S
        while True:
            kind = next(self._kinds)
            duration_s = math.exp(self._rng.uniform(math.log(least_s), math.log(DURATION_S[1])))
            if self._strike_somewhere(kind, self._targets, duration_s):
                least_s = DURATION_S[0]
            await asyncio.sleep(self._rng.uniform(*GAP_S))

    def inject(self, kind_name: str, node_name: str | None, duration_s: float) -> str:
        """One fault now, at that node or at any; its id. Raises ValueError where none can be."""
        kinds = [kind for kind in KINDS if kind.kind == kind_name]
        nodes = [node for node in self._targets if node_name in {None, node.address.name}]
        fault_id = self._strike_somewhere(kinds[0], nodes, duration_s) if kinds else None
        if fault_id is None:
            raise ValueError(f"cannot inject {kind_name} at {node_name or 'any node'}")
        return fault_id

    async def cancel(self) -> None:
        """Ends what is under way; open faults stay unrepaired."""
        await end_all(self._strikes)

    def _strike_somewhere(
        self, kind: type[Fault], nodes: Sequence[Target], duration_s: float
    ) -> str | None:
        places = [place for node in nodes for place in self._places(kind, node)]
        if not places:
            return None
        target, partners = self._rng.choice(places)
        free_keys = self._free_keys(target)
        if len(free_keys) < kind.key_count:
            return None
        keys = tuple(self._rng.sample(free_keys, kind.key_count))
        self._count += 1
        fault_id = f"fault-{self._count}"
        draw = Draw(kind, target, keys, duration_s, partners)
        self._reserve(draw)
        strike = asyncio.create_task(self._strike(fault_id, draw))
        self._strikes.add(strike)
        strike.add_done_callback(self._strikes.discard)
        return fault_id

    def _free_keys(self, target: Target) -> list[str]:
        """The keys that are no fault's and that the node may hold."""
        numbers = (str(number) for number in range(1, PRODUCTS + 1))
        free = [key for key in numbers if key not in self._writer.reserved]
        if target.address.layer != SHARD or self._owner is None:
            return free
        return [key for key in free if self._owner(key) == target.address.name]

    def _places(self, kind: type[Fault], node: Target) -> list[tuple[Target, tuple[Target, ...]]]:
        """The node with the partners it can have there; none where the class cannot strike."""
        layers = {each.address.layer for each in self._targets}
        may_be = kind.prefers if layers.intersection(kind.prefers) else kind.layers
        if node.address.layer not in may_be or not self._is_free(node, kind.takes_node):
            return []
        if kind.partner is None:
            return [(node, ())]
        here = node.address
        layer = here.layer if kind.partner == "peer" else BELOW[here.layer]
        others = [o for o in self._targets if o.address.layer == layer and o is not node]
        near = [other for other in others if other.address.region == here.region]
        if kind.partner == "below":
            are_free = all(self._is_free(other, False) for other in near)
            return [(node, tuple(near))] if near and are_free else []
        free = [other for other in others if self._is_free(other, False)]
        return [(node, (other,)) for other in [o for o in free if o in near] or free]

    def _is_free(self, node: Target, wants_all: bool) -> bool:
        name = node.address.name
        return name not in self._taken and not (wants_all and self._busy[name])

    async def _strike(self, fault_id: str, draw: Draw) -> None:
        try:
            await self._act(fault_id, draw)
        except (RuntimeError, TimeoutError) as error:
            name = draw.target.address.name
            print(f"{fault_id} ({draw.kind.kind} at {name}) failed: {error!r}", file=sys.stderr)
        finally:
            self._release(draw)

    def _reserve(self, draw: Draw) -> None:
        self._writer.reserved.update(draw.keys)
        self._busy.update(draw.nodes)
        if draw.kind.takes_node:
            self._taken.add(draw.target.address.name)

    def _release(self, draw: Draw) -> None:
        self._writer.reserved.difference_update(draw.keys)
        self._busy.subtract(draw.nodes)
        if draw.kind.takes_node:
            self._taken.discard(draw.target.address.name)

    async def _act(self, fault_id: str, draw: Draw) -> None:
        rng = random.Random(f"{self._seed}:{fault_id}")
        fault = draw.kind(Scene(draw.target, draw.keys, self._writer, rng, draw.partners))
        await fault.prepare()
        self._log.fault_began(_recorded(fault_id, fault), whole_node=fault.takes_all_written)
        try:
            await fault.inject()
            await asyncio.sleep(draw.duration_s)
        except (RuntimeError, TimeoutError):  # it struck but half
            self._log.fault_ended(fault_id, sorted(await fault.repair()))
            raise
        self._log.fault_ended(fault_id, sorted(await fault.repair()))


def _recorded(fault_id: str, fault: Fault) -> truth.Fault:
    address = fault.target.address
    return truth.Fault(
        id=fault_id,
        kind=fault.kind,
        layer=address.layer,
        node=address.name,
        keys=fault.scene.keys,
        start_s=time.time(),
        shows=fault.shows,
        wrong=fault.wrong,
        beside=fault.beside,
    )
