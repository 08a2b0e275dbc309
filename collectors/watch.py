"""One keyspace under watch: rounds of origin first, then all nodes side by side."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from collectors.announced import Announced
from collectors.base import Cache, Clock, Origin
from collectors.event_checks import EventChecks
from collectors.finding_book import FindingBook
from collectors.journal import Ids, Journal, NodeSettings
from collectors.leftovers import Leftovers
from collectors.node_watch import NodeWatch
from collectors.origin_watch import OriginWatch
from collectors.outage import Surroundings
from collectors.placement import Share
from collectors.rechecks import Rechecks, report_failure
from collectors.sample import Sample, Sampler
from collectors.standing_rows import StandingRows
from collectors.suspects import Suspects
from freshness.evidence import Write
from freshness.ledger import Ledger, Look
from freshness.model import Order
from freshness.runs import RunBook
from freshness.strata import is_representative
from store.base import Batch, FindingRow, RunRow
from store.messages import InvalidationRow
from store.sweeps import SweepRow

RECENT_CHANGES = 200
SETTLING_NS = 1_000_000_000
"""How long after a message of a commit-ordered source its version may still be invisible."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """A keyspace as declared. `interval_ns` is from one round to the next.

    `horizons_ns` are how long after an event each node is read for it.
    """

    keyspace: str
    order: Order
    interval_ns: int
    recurs: bool = True
    hash_keys: bool = False
    origin_name: str = "origin"
    origin_kind: str = ""
    origin_address: str = ""
    horizons_ns: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: keys asked for, and when it began and ended (stamps)."""

    keys: int
    start_ns: int
    end_ns: int
    origin_why: str = ""


class Watch:
    """Probes a keyspace, judges what it sees, and hands what is to be kept to `sink`.

    All calls belong to one event loop. `sink` takes a batch that is to be durable; `noted` is told
    layer, node and nanoseconds of each read; `suspected` what became of how many suspects; none may
    block. A node that is slow is left behind by the round, and read again when it has answered.
    """

    def __init__(
        self,
        settings: WatchSettings,
        origin: Origin,
        sampler: Sampler,
        clock: Clock,
        ids: Ids,
        sink: Callable[[Batch], None],
        noted: Callable[[str, str, int], None] = lambda *_: None,
        suspected: Callable[[str, int], None] = lambda *_: None,
    ) -> None:
        self.settings = settings
        self.sampler = sampler
        self.rounds = 0
        self._clock = clock
        self._sink = sink
        self._noted = noted
        self._journal = Journal(settings.keyspace, clock.as_row(), ids, settings.hash_keys)
        self._origin = OriginWatch(
            settings.origin_name,
            settings.origin_kind,
            settings.origin_address,
            origin,
            self._new_ledger(),
            self._journal,
            self._take_look,
            noted,
        )
        self._nodes: dict[tuple[str, str], NodeWatch] = {}
        self._standing = StandingRows(
            self._origin, self._nodes, self._journal, clock.now_ns, self.flush
        )
        self._changed: deque[str] = deque(maxlen=RECENT_CHANGES)
        self._rechecks = Rechecks(clock.now_ns, self._reread, self.flush)
        self._suspects = Suspects(self._origin, clock.now_ns, self.flush, suspected)
        self._names: dict[str, str] | None = None
        self._announced = Announced()
        self._checks = EventChecks(
            settings.horizons_ns,
            self._journal,
            clock,
            self._suspects,
            lambda: sampler.listed,
            self._key_named,
            self.flush,
            self.let_go,
        )
        self._reading: set[asyncio.Task[None]] = set()
        self._leftovers = Leftovers(self._journal)

    @property
    def origin(self) -> Origin:
        """Where the truth is."""
        return self._origin.origin

    @property
    def nodes(self) -> Sequence[NodeWatch]:
        """The nodes under watch."""
        return list(self._nodes.values())

    def hear(self, rows: Iterable[InvalidationRow]) -> None:
        """Messages of this keyspace have become durable: see how they spread."""
        self._checks.hear(rows)

    def learn(self, rows: Iterable[InvalidationRow]) -> None:
        """Take messages of a commit-ordered source, keys as they are: evidence once borne out.

        They were received before now, by the clock that judges; a source may tell of a row a
        moment before it is visible, and `SETTLING_NS` stands for that.
        """
        received = self._clock.now_ns() + SETTLING_NS
        for row in rows:
            for key in row.keys:
                if row.version is not None and self.sampler.lists(key):
                    self._announced.add(key, row.version, received)

    def resume_checks(self, rows: Sequence[InvalidationRow], seen_until: int) -> None:
        """Go on with the checks that an earlier process left; `rows` oldest first.

        `seen_until` is the stamp up to which it was there.
        """
        self._checks.rebuild(rows, seen_until)

    async def look_at(self, key: str) -> Look | None:
        """What the origin says of a key now; None where it was not asked."""
        look, _ = await self._origin.ask([key])
        return look

    def observe_write(self, key: str, write: Write, epoch: int) -> None:
        """Take a write of our own as evidence; `epoch` is that of the looks beside it."""
        if epoch == self._origin.ledger.epoch:
            self._origin.ledger.observe_write(key, write)

    def name_of(self, key: str) -> str:
        """What the store calls a key."""
        return self._journal.name(key)

    def suspect(self, node: NodeWatch, key: str) -> None:
        """Have a copy asked for, the origin first, and again once it may be proven stale."""
        self._suspects.add(node, [key])

    def is_in_doubt(self, node: NodeWatch, key: str) -> bool:
        """Whether a suspected copy is still to be read again."""
        return self._suspects.has(node, key) or self._rechecks.has(node, key)

    def put_sweep(self, row: SweepRow) -> None:
        """Write how a sweep stands, with all that it counted."""
        self._journal.put_sweep(row)
        self.flush()

    def replace_keys(self, keys: Sequence[str]) -> None:
        """Watch other keys from the next round on; what is no longer listed is forgotten."""
        if self.sampler.has_only(keys):
            return
        before = {*self.sampler.keys}
        self.sampler.replace_keys(keys)
        self._names = None
        self._forget_keys(before - {*self.sampler.keys})
        self._hand_over()
        self._standing.set_max_gap(self._max_gap_ns())

    def _key_named(self, name: str) -> str | None:
        """The key that the store calls so; where keys are hashed, one that is listed."""
        if not self.settings.hash_keys:
            return name
        if self._names is None:
            self._names = {self._journal.name(key): key for key in self.sampler.keys}
        return self._names.get(name)

    def let_go(self, keys: Iterable[str]) -> set[str]:
        """Forget keys that only events or sweeps made known; those of which more is to be read."""
        nodes = self._nodes.values()
        unlisted = [key for key in keys if not self.sampler.lists(key)]
        kept = {
            key
            for key in unlisted
            if any(key in node.findings or self.is_in_doubt(node, key) for node in nodes)
        }
        self._forget_keys(key for key in unlisted if key not in kept)
        return kept

    def _forget_keys(self, keys: Iterable[str]) -> None:
        keys, now = list(keys), self._clock.now_ns()
        if not keys:
            return
        for node in self._nodes.values():
            node.forget(keys, now)
        self._origin.forget(keys)

    def recall(self, runs: Iterable[RunRow]) -> None:
        """Take the newest origin runs of an earlier process: they bound commits from above only."""
        now = self._clock.now_ns()
        for run in runs:
            if run.value is not None and not self.settings.hash_keys:
                self._origin.ledger.recall(run.key, run.value, now)

    def resume(self, findings: Iterable[FindingRow]) -> None:
        """Take up findings that an earlier process left open.

        They wait until the keys are listed and the node is there, or `release` says it is not.
        """
        self._leftovers.add(findings)
        self._hand_over()

    def release(self, layer: str) -> None:
        """Discovery has spoken: nodes of the layer that are not there are gone."""
        self._hand_over(released=layer)
        self.flush()

    def _hand_over(self, released: str | None = None) -> None:
        now = self._clock.now_ns()
        self._leftovers.hand_over(self.sampler.keys, self._nodes, now, released)

    def add_node(
        self, settings: NodeSettings, cache: Cache, share: Share | None = None
    ) -> NodeWatch:
        """Watch a node from the next round on; of its keys those that are its share, or all."""
        ledger, runs = self._origin.ledger, RunBook(self._max_gap_ns())
        surroundings = Surroundings(runs, lambda: list(dict.fromkeys(self._changed)))
        findings = FindingBook(settings, ledger, self._journal, surroundings, settings.is_pool)
        node = NodeWatch(
            settings,
            cache,
            ledger,
            self._journal,
            runs,
            findings,
            self._rechecks.plan,
            self._noted,
            share,
        )
        self._nodes[settings.layer, settings.name] = node
        self._checks.add_node(node)
        self._hand_over()
        node.put_row()
        return node

    def drop_node(self, layer: str, name: str) -> None:
        """Discovery no longer lists the node."""
        node = self._nodes.pop((layer, name), None)
        if node is not None:
            self._rechecks.drop(layer, name)
            self._checks.drop_node(layer, name)
            node.leave(self._clock.now_ns())
            self.flush()

    def note_moves(self, layer: str) -> None:
        """Keys of a layer are expected at other nodes than before: let go of what moved away."""
        now = self._clock.now_ns()
        for place, node in self._nodes.items():
            if place[0] == layer:
                node.forget_moved(node.known, now)
        self.flush()

    async def run_round(self, wait_s: float | None = None) -> Round:
        """Probe the next sample of keys everywhere.

        Returns when every node has answered, or after `wait_s`; who is still busy by then is not
        asked again before it has answered.
        """
        start = self._clock.now_ns()
        open_keys = (key for node in self._nodes.values() for key in node.findings.keys)
        samples = self.sampler.next(open_keys)
        why = ""
        for sample in samples:
            for chunk in sample.chunks(self.origin.batch_keys):
                why = await self._probe(chunk, wait_s) or why
        self.rounds += 1
        self._sample_ttls(samples)
        self._standing.put_suspects()
        self.flush()
        keys = sum(len(sample.keys) for sample in samples)
        return Round(keys, start, self._clock.now_ns(), why)

    def waiting(self) -> Sequence[asyncio.Task[None]]:
        """Second reads of suspects that are still to come."""
        return self._rechecks.waiting

    def flush(self) -> None:
        """Hand over what is to be kept."""
        batch = self._journal.take()
        if batch is not None:
            self._sink(batch)

    async def extend(self) -> None:
        """Write the runs that only grew: due every minute or so."""
        await self._standing.extend()

    def begin_epoch(self) -> None:
        """The clock began anew: nothing that was stamped before is subtracted from what follows."""
        self._standing.put_all()
        self._announced.clear()
        newest = self._origin.close("clock")
        ledger = self._origin.ledger = self._new_ledger(self._origin.ledger.epoch + 1)
        for node in self._nodes.values():
            node.begin_epoch(ledger)
        self.flush()
        self._journal.clock = self._clock.as_row()
        now = self._clock.now_ns()
        for key, run in newest:
            if run.value is not None:
                ledger.recall(key, run.value, now)

    async def close(self) -> None:
        """Stop checks and rechecks, and write everything that is still in memory."""
        await self._checks.close()
        await self._suspects.close()
        tasks = [*self._rechecks.waiting, *self._reading]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._standing.put_all()

    async def _probe(self, sample: Sample, wait_s: float | None) -> str:
        look, why = await self._origin.ask(sample.keys)
        if look is None:
            return why
        tasks = [asyncio.create_task(node.probe(look, sample)) for node in self._nodes.values()]
        self._follow(tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=wait_s)
        return why

    def _sample_ttls(self, samples: Iterable[Sample]) -> None:
        """Beside the rounds, which wait for none of it."""
        walk = next((each.keys for each in samples if is_representative(each.stratum)), ())
        now = self._clock.now_ns()
        due = [node for node in self._nodes.values() if node.is_ttl_due(now)]
        self._follow([asyncio.create_task(node.sample_ttls(walk, now)) for node in due])

    def _follow(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        for task in tasks:
            self._reading.add(task)
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        report_failure(task)

    def _take_look(self, look: Look) -> None:
        """The origin has spoken: what changed is sampled more, what was doubtful is settled."""
        for key, version, received in self._announced.borne_out(look):
            self._origin.ledger.observe_invalidation(key, version, received)
        for key in look.changed:
            self._changed.append(key)
            self.sampler.note_change(key)
        for node in self._nodes.values():
            node.settle(look)

    async def _reread(self, node: NodeWatch, key: str) -> None:
        look, _ = await self._origin.ask([key])
        if look is not None:
            await node.inspect(look)

    def _new_ledger(self, epoch: int = 0) -> Ledger:
        return Ledger(self.settings.order, self._max_gap_ns(), self.settings.recurs, epoch)

    def _max_gap_ns(self) -> int:
        """Two visits of the walk to the same key, and half of one for lateness."""
        return round(2.5 * self.settings.interval_ns * self.sampler.rounds_per_walk)
