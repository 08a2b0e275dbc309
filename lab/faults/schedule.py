"""When which fault strikes where: drawn from a seed, overlapping, each on keys of its own."""

import asyncio
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lab import truth
from lab.catalogue import PRODUCTS
from lab.ending import end_all
from lab.faults.base import Fault, Scene
from lab.faults.lost_invalidation import LostInvalidation
from lab.faults.partitioned_node import PartitionedNode
from lab.faults.refill_race import RefillRace
from lab.layers.node import Target
from lab.writer import Writer

KINDS: Final[Sequence[type[Fault]]] = (LostInvalidation, RefillRace, PartitionedNode)
FIRST_AFTER_S: Final = (3.0, 5.0)
GAP_S: Final = (8.0, 12.0)
DURATION_S: Final = (0.5, 60.0)
FIRST_LASTS_AT_LEAST_S: Final = 10.0
"""So that who looks at the demo sees something happen at once."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One fault to come."""

    kind: type[Fault]
    target: Target
    keys: tuple[str, ...]
    duration_s: float


class Schedule:
    """Injects faults and repairs each when its time is over; `cancel` leaves the open ones."""

    def __init__(
        self,
        targets: Sequence[Target],
        writer: Writer,
        log: truth.TruthLog,
        seed: int,
        kinds: Sequence[type[Fault]] = KINDS,
    ) -> None:
        self._targets = targets
        self._writer = writer
        self._log = log
        self._kinds = kinds
        self._rng = random.Random(f"{seed}:faults")
        self._deck: list[type[Fault]] = []
        self._strikes: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._cut_off: set[str] = set()
        self._count = 0

    async def run(self) -> None:
        """Goes on for ever."""
        await asyncio.sleep(self._rng.uniform(*FIRST_AFTER_S))
        least_s = FIRST_LASTS_AT_LEAST_S
        while True:
            kind = self._next_kind()
            duration_s = math.exp(self._rng.uniform(math.log(least_s), math.log(DURATION_S[1])))
            if self._strike_somewhere(kind, self._targets, duration_s):
                least_s = DURATION_S[0]
            await asyncio.sleep(self._rng.uniform(*GAP_S))

    def inject(self, kind_name: str, node_name: str, duration_s: float) -> None:
        """One fault now, at one node. Raises ValueError for an unknown one, or without room."""
        kinds = [kind for kind in KINDS if kind.kind == kind_name]
        nodes = [node for node in self._targets if node.address.name == node_name]
        if not kinds or not self._strike_somewhere(kinds[0], nodes, duration_s):
            raise ValueError(f"cannot inject {kind_name} at {node_name}")

    async def cancel(self) -> None:
        """Ends what is under way; open faults stay unrepaired."""
        await end_all(self._strikes)

    def _next_kind(self) -> type[Fault]:
        """Each class once before any comes again, so that a short look sees them all."""
        if not self._deck:
            self._deck = self._rng.sample(self._kinds, len(self._kinds))
        return self._deck.pop()

    def _strike_somewhere(
        self, kind: type[Fault], nodes: Sequence[Target], duration_s: float
    ) -> bool:
        free_nodes = [node for node in nodes if self._is_free(node, kind is PartitionedNode)]
        numbers = [str(number) for number in range(1, PRODUCTS + 1)]
        free_keys = [key for key in numbers if key not in self._writer.reserved]
        if not free_nodes or len(free_keys) < kind.key_count:
            return False
        target = self._rng.choice(free_nodes)
        keys = tuple(self._rng.sample(free_keys, kind.key_count))
        self._count += 1
        fault_id = f"fault-{self._count}"
        draw = Draw(kind, target, keys, duration_s)
        self._reserve(draw)
        strike = asyncio.create_task(self._strike(fault_id, draw))
        self._strikes.add(strike)
        strike.add_done_callback(self._strikes.discard)
        return True

    def _is_free(self, node: Target, cuts_off: bool) -> bool:
        name = node.address.name
        return name not in self._cut_off and not (cuts_off and self._busy.get(name))

    async def _strike(self, fault_id: str, draw: Draw) -> None:
        try:
            await self._act(fault_id, draw)
        except (RuntimeError, TimeoutError) as error:
            name = draw.target.address.name
            print(f"{fault_id} ({draw.kind.kind} at {name}) failed: {error!r}", file=sys.stderr)
        finally:
            self._release(draw)

    def _reserve(self, draw: Draw) -> None:
        name = draw.target.address.name
        self._writer.reserved.update(draw.keys)
        self._busy[name] += 1
        if draw.kind is PartitionedNode:
            self._cut_off.add(name)

    def _release(self, draw: Draw) -> None:
        name = draw.target.address.name
        self._writer.reserved.difference_update(draw.keys)
        self._busy[name] -= 1
        if draw.kind is PartitionedNode:
            self._cut_off.discard(name)

    async def _act(self, fault_id: str, draw: Draw) -> None:
        fault = draw.kind(Scene(draw.target, draw.keys, self._writer))
        address = draw.target.address
        await fault.prepare()
        start_s = time.time()
        self._log.fault_began(
            truth.Fault(fault_id, fault.kind, address.layer, address.name, draw.keys, start_s),
            whole_node=draw.kind is PartitionedNode,
        )
        try:
            await fault.inject()
            await asyncio.sleep(draw.duration_s)
        except (RuntimeError, TimeoutError):  # it struck but half
            self._log.fault_ended(fault_id, await fault.repair())
            raise
        self._log.fault_ended(fault_id, await fault.repair())
