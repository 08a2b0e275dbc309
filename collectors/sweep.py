"""A full audit of one keyspace on one layer: every entry of every node, the origin first.

Writes go on meanwhile. Most entries equal what the origin's leader has just said, and cost a
comparison. The others are suspected: the watch asks for them again as for any suspect, and again
once they may be proven; only then are they counted. Healthy entries leave no row and no memory.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from collectors.base import KeyPage, Reply, Source, SourceError
from collectors.node_watch import NodeWatch
from collectors.suspects import PATIENCE_NS
from collectors.watch import Watch
from freshness.ledger import Judged, Ledger, Look
from freshness.model import Reading, Result, Value, Verdict
from freshness.rollup import SWEPT, Reads
from store.sweeps import NodeSwept, SweepRow

READ_AT_ONCE: Final = 4
"""Pages of one node that are read at a time."""
SETTLING_AT_ONCE: Final = 1_000
"""Pages that were read, and wait for a word on their suspects."""
AGAIN_S: Final = 0.1
"""How soon a source is asked again that had no budget left, and how often doubts are looked at."""
TRIES: Final = 5
_COUNTED: Final = {
    Verdict.FRESH: "right",
    Verdict.STALE: "wrong",
    Verdict.INDETERMINATE: "indeterminate",
    Verdict.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class _Doubt:
    """An entry that is not settled: what it held, and when that was read."""

    node: NodeWatch
    key: str
    held: Value
    start: int
    end: int


@dataclass(slots=True, eq=False)
class _Page:
    """A page under way: what was counted in it by node, and what is still in doubt.

    `misplaced` of the keys are expected at other nodes.
    """

    walked: int
    misplaced: int
    cursor_after: str
    task: asyncio.Task[None] | None = None
    doubts: list[_Doubt] = field(default_factory=list)
    counts: list[tuple[NodeWatch, Reads, int]] = field(default_factory=list)


class Sweep:
    """Audits what `row` says, from where it stands, and has the watch write it as it grows.

    All calls belong to the watch's event loop. `now_ns` is wall time, Unix nanoseconds.
    """

    def __init__(self, row: SweepRow, watch: Watch, now_ns: Callable[[], int]) -> None:
        self.row = row
        self._watch = watch
        self._now_ns = now_ns

    async def run(self) -> SweepRow:
        """Sweep to the end; cancelled, it rests where a later one can go on."""
        try:
            await self._run()
        except asyncio.CancelledError:
            self.row = replace(self.row, state="paused", updated_at_ns=self._now_ns())
            self._watch.put_sweep(self.row)
            raise
        except Exception as error:
            # It would fail again: whoever asked for it is to hear of it.
            why = str(error) or repr(error)
            self.row = replace(self.row, state="failed", why=why, updated_at_ns=self._now_ns())
            self._watch.put_sweep(self.row)
            raise
        return self.row

    async def _run(self) -> None:
        nodes = [node for node in self._watch.nodes if node.settings.layer == self.row.layer]
        nodes.sort(key=lambda node: node.settings.name)
        if self.row.node:
            nodes = [node for node in nodes if node.settings.name == self.row.node]
        self._begin([node.settings.name for node in nodes])
        for node in nodes:
            if not self._swept(node).is_over:
                over = [each for each in nodes if self._swept(each).is_over]
                await self._sweep(node, nodes, over)
        whys = [f"{each.node}: {each.why}" for each in self.row.nodes if each.why]
        whys += [] if nodes else ["no node is there"]
        self.row = replace(
            self.row,
            state="failed" if whys else "done",
            why="; ".join(whys),
            updated_at_ns=self._now_ns(),
            ended_at_ns=self._now_ns(),
        )
        self._watch.put_sweep(self.row)

    def _begin(self, names: Sequence[str]) -> None:
        known = {each.node: each for each in self.row.nodes}
        now_ns = self._now_ns()
        self.row = replace(
            self.row,
            state="running",
            started_at_ns=self.row.started_at_ns or now_ns,
            updated_at_ns=now_ns,
            expected=len(self._watch.sampler.listed) or None,
            nodes=[replace(known.get(name, NodeSwept(name)), why="") for name in names],
        )
        self._watch.put_sweep(self.row)

    async def _sweep(
        self, node: NodeWatch, siblings: Sequence[NodeWatch], over: Sequence[NodeWatch]
    ) -> None:
        """One node's keys, at it and its siblings; what a node holds that is `over` was counted."""
        pages: asyncio.Queue[_Page | None] = asyncio.Queue(SETTLING_AT_ONCE)

        async def bring() -> None:
            cursor, reading = self._swept(node).cursor, asyncio.Semaphore(READ_AT_ONCE)
            while True:
                await reading.acquire()
                found = await _walk(node, cursor)
                keys, cursor = list(dict.fromkeys(found.keys)), found.cursor
                strays = {key for key in keys if not node.holds(key)}
                if found.strays is not None:  # the node knows better than whom it told before
                    strays = {*found.strays}
                own = [key for key in keys if key not in strays]
                page = _Page(len(keys), len(strays), cursor)
                page.task = group.create_task(self._read(page, own, siblings, over))
                page.task.add_done_callback(lambda _: reading.release())
                await pages.put(page)
                if not cursor:
                    return

        async def bring_all() -> None:
            try:
                await bring()
            except SourceError as error:
                self._note(node, why=str(error))
            await pages.put(None)

        async with asyncio.TaskGroup() as group:
            group.create_task(bring_all())
            while (page := await pages.get()) is not None:
                if page.task is not None:
                    await page.task
                await self._settle(page)
                self._count(node, page)

    async def _read(
        self,
        page: _Page,
        keys: Sequence[str],
        siblings: Sequence[NodeWatch],
        over: Sequence[NodeWatch],
    ) -> None:
        """Read a page everywhere, a batch of the origin's at a time."""
        size = max(1, self._watch.origin.batch_keys)
        for at in range(0, len(keys), size):
            batch = keys[at : at + size]
            for node in over:
                batch = await _without_held(node, batch)
            if batch:
                await self._read_batch(page, batch, siblings)

    async def _read_batch(
        self, page: _Page, keys: Sequence[str], siblings: Sequence[NodeWatch]
    ) -> None:
        settings, origin = self._watch.settings, self._watch.origin
        reply = await _asked(origin, keys)
        # Nothing of it outlives the batch: what is in doubt, the watch asks for itself.
        ledger = Ledger(settings.order, 0, settings.recurs)
        look = ledger.observe_origin(
            keys,
            reply.readings,
            reply.start_ns,
            reply.end_ns,
            linearizable=origin.linearizable and not reply.why,
        )
        own = [(node, node.own(look)) for node in siblings]
        asked = [(node, part) for node, part in own if part.keys]
        replies = await asyncio.gather(*(_asked(node.cache, part.keys) for node, part in asked))
        for (node, part), answer in zip(asked, replies, strict=True):
            span, maximum = (answer.start_ns, answer.end_ns), node.settings.max_staleness_ns
            judged = ledger.judge_batch(part, answer.readings, *span, maximum)
            self._take(page, node, part, answer, judged)

    def _take(self, page: _Page, node: NodeWatch, look: Look, reply: Reply, judged: Judged) -> None:
        """Count what is fresh, and what holds no copy; the rest is in doubt."""
        shared, start = judged.shared, reply.start_ns
        rest = list(range(len(look.keys)))
        if shared is not None and shared.verdict is Verdict.FRESH:
            # Of some keys the watch knows what one look cannot say: a restore, a reused number.
            known = [
                at
                for at, key in enumerate(look.keys)
                if judged.at(at) is shared and not node.ledger.is_simple(key)
            ]
            bounds, n = shared.bounds, judged.calm - len(known)
            page.counts.append((node, Reads(Verdict.FRESH, bounds.lower, bounds.upper, n=n), start))
            rest = [*judged.apart, *known]
        page.counts += [(node, _without(reply.readings[at]), start) for at in judged.without]
        for at in rest:
            held = reply.readings[at].value
            if held is not None and at not in judged.without:
                page.doubts.append(_Doubt(node, look.keys[at], held, start, reply.end_ns))
                self._watch.suspect(node, look.keys[at])

    async def _settle(self, page: _Page) -> None:
        """Wait until the watch has had its look at every suspect, and take what it found.

        A key that is in doubt again and again, since it is written so often, holds nobody up.
        """
        longest = max((each.node.settings.max_staleness_ns for each in page.doubts), default=0)
        deadline = self._now_ns() + longest + PATIENCE_NS
        waiting = page.doubts
        while waiting and self._now_ns() < deadline:
            waiting = [each for each in waiting if self._watch.is_in_doubt(each.node, each.key)]
            await asyncio.sleep(AGAIN_S if waiting else 0)
        for each in page.doubts:
            page.counts.append((each.node, self._word_on(each), each.start))
        self._watch.let_go({each.key for each in page.doubts})

    def _word_on(self, doubt: _Doubt) -> Reads:
        """Wrong is what a finding stands on by now; else the first read, on all that is known."""
        proven = doubt.node.findings.bounds_of(doubt.key)
        if proven is not None:
            return Reads(Verdict.STALE, *proven)
        maximum = doubt.node.settings.max_staleness_ns
        verdict, _, bounds = doubt.node.ledger.judge(
            doubt.key, doubt.held, doubt.start, doubt.end, maximum
        )
        return Reads(verdict, bounds.lower, bounds.upper)

    def _count(self, walked: NodeWatch, page: _Page) -> None:
        """Everything of a page at once, with where the walk goes on: so that it counts once."""
        for node, reads, start in page.counts:
            what = "gone" if reads.result is Result.MISS else _COUNTED[reads.verdict]
            self._note(node, **{what: getattr(self._swept(node), what) + reads.n})
            node.count(SWEPT, start, reads)
        self._note(
            walked,
            cursor=page.cursor_after,
            is_over=not page.cursor_after,
            walked=self._swept(walked).walked + page.walked,
            misplaced=self._swept(walked).misplaced + page.misplaced,
        )
        self._watch.put_sweep(self.row)

    def _swept(self, node: NodeWatch) -> NodeSwept:
        return next(each for each in self.row.nodes if each.node == node.settings.name)

    def _note(self, node: NodeWatch, **changes: int | str | bool) -> None:
        swept = replace(self._swept(node), **changes)  # type: ignore[arg-type]  # as its fields are
        nodes = [swept if each.node == swept.node else each for each in self.row.nodes]
        self.row = replace(self.row, nodes=nodes, updated_at_ns=self._now_ns())


async def _walk(node: NodeWatch, cursor: str) -> KeyPage:
    """The next page, tried again while the node may come back. Raises SourceError."""
    for tried in range(1, TRIES):
        try:
            return await node.cache.walk(cursor)
        except SourceError:
            await asyncio.sleep(AGAIN_S * 2**tried)
    return await node.cache.walk(cursor)


async def _asked(source: Source, keys: Sequence[str]) -> Reply:
    """A reply of the source itself: nobody waits for a sweep, so it waits for the budget."""
    reply = await source.read(keys)
    while not reply.was_asked:
        await asyncio.sleep(AGAIN_S)
        reply = await source.read(keys)
    return reply


async def _without_held(node: NodeWatch, keys: Sequence[str]) -> Sequence[str]:
    """Those of which the node holds no copy; one where no copy should be counts for nothing."""
    own = [key for key in keys if node.holds(key)]
    if not own:
        return keys
    readings = (await _asked(node.cache, own)).readings
    held = {key for key, each in zip(own, readings, strict=True) if _holds(each)}
    return [key for key in keys if key not in held]


def _holds(reading: Reading) -> bool:
    return reading.result in (Result.VALUE, Result.UNREADABLE) and not reading.filled


def _without(reading: Reading) -> Reads:
    is_gone = reading.result is Result.MISS or reading.filled
    return Reads(Verdict.UNKNOWN, result=Result.MISS if is_gone else reading.result)
