"""What runs behind the web UI: probes on their loop, the schedule, the store's writer."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from collectors.journal import Ids
from collectors.traced import BATCH_KEYS
from collectors.watch import Round, Watch
from freshness.status import BudgetStatus
from reports.desk import Desk
from stalewatch.alerting import Alerting
from stalewatch.beating import Pulse
from stalewatch.canaries import Canaries
from stalewatch.catalogue import catalogue_of
from stalewatch.clock import ObserverClock, wall_ns
from stalewatch.config.model import Config
from stalewatch.counting import Counting
from stalewatch.delivery import audiences, open_channels
from stalewatch.diagnosing import Diagnosing
from stalewatch.metrics import Metrics
from stalewatch.news import News
from stalewatch.objectives_task import EVERY_S as OBJECTIVES_S
from stalewatch.objectives_task import ObjectivesTask
from stalewatch.probe_loop import ProbeLoop
from stalewatch.reporting import EVERY_S as REPORTS_S
from stalewatch.reporting import Reporting
from stalewatch.rules import make_rules
from stalewatch.sweeping import Sweeping
from stalewatch.telling import Telling
from stalewatch.tracing import span
from stalewatch.wiring import Wiring, watch_all, wire
from stalewatch.writer import StoreWriter
from stalewatch_sdk.attributes import KEYSPACE
from store.base import ORIGIN, Batch, FindingRow, Store, StoreError
from store.messages import InvalidationRow
from store.objectives import Objectives

EXTEND_S, FOLD_S, RETAIN_S = 60, 60, 600
DRAIN_S = 10.0
LAST_ROUND_S = 2
"""How long a round may still take once everything is to end."""
ALERTS_S = 5
DIAGNOSE_S = 3
MOST_RESUMED = 20_000
"""Invalidations of a keyspace whose checks go on after a restart; of more, the newest."""
DISCOVER_S, MOVES_S, CLOCK_S, KEYS_S, TRAFFIC_S = 30, 1, 5, 300, 30
FIRST_COUNTERS_S = 2
NS_PER_S = 1_000_000_000
SWITCH_INTERVAL_S = 0.0005
"""So often threads take turns: a page that is rendered holds a stamp up no longer than this."""

log = structlog.get_logger()


class ReloadError(Exception):
    """A config could not be put in place of another; the message says why."""


class Runtime:
    """One process that probes, as `stalewatch up` runs it.

    `address` is where users see the UI, for the links of what is told; it ends with a slash.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        metrics: Metrics,
        address: Callable[[], str] = lambda: "",
        objectives: Objectives | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.config = config
        self._store = store
        self._metrics = metrics
        self._clock = ObserverClock()
        self._probes = ProbeLoop()
        self._writer = StoreWriter(store, self._written, metrics.note_refused_batch)
        metrics.watch_queue(lambda: self._writer.depth)
        self._scheduler: AsyncIOScheduler | None = None
        self._wiring: Wiring | None = None
        self._counting: Counting | None = None
        self._rounds: set[asyncio.Task[Any]] = set()
        self._ids: Ids | None = None
        self._news = News()
        self._turn = asyncio.Lock()
        self._is_stopped = False
        self._address = address
        self._alerting = Alerting(store)
        self._diagnosing = Diagnosing(store)
        self._kept = objectives or Objectives(store)
        self._objectives = ObjectivesTask(self._kept, metrics.objectives)
        self._reporting = Reporting(desk or Desk(store))
        self._sweeping = Sweeping(store)
        self._pulse = Pulse()
        self._telling = Telling(store, metrics, self._stopped)
        self._canaries = Canaries(metrics.canaries)

    async def start(self) -> None:
        """Connect, and begin to probe."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._writer.start()
        self._probes.start()
        await self._probes.run(self._begin(self.config))
        self._telling.start(self.config, self._address())

    async def stop(self) -> None:
        """End the schedule, write what is in memory, let go of every connection."""
        self._is_stopped = True  # reloads that wait for their turn let it pass
        async with self._turn:
            await self._telling.stop()
            await self._probes.run(self._end())
            await asyncio.to_thread(self._writer.close)
            await asyncio.to_thread(self._probes.stop)

    async def reload(self, config: Config) -> None:
        """Go on with another config; what was proven stays in the store.

        One reload at a time, and none after `stop`. Raises ReloadError, and goes on with the old
        config, where the new one cannot be begun.
        """
        async with self._turn:
            if self._is_stopped:
                return
            await self._probes.run(self._end())
            # Open findings are read back from the store, so everything must be in it.
            is_written = await asyncio.to_thread(self._writer.drain, DRAIN_S)
            try:
                if not is_written:
                    raise ReloadError("the store has not taken all that waits for it")
                await self._probes.run(self._begin(config))
            except Exception as error:
                await self._probes.run(self._end())
                await self._probes.run(self._begin(self.config))
                raise ReloadError(str(error) or repr(error)) from error
            self.config = config
            await self._telling.stop()
            self._telling.start(config, self._address())

    def hear(self, rows: Sequence[InvalidationRow]) -> None:
        """Messages have become durable: the watches check how they spread. From any thread."""
        if not self._is_stopped:
            self._probes.loop.call_soon_threadsafe(self._hear, rows)

    def learn(self, rows: Sequence[InvalidationRow]) -> None:
        """Messages that came after their commit are evidence. From any thread."""
        if not self._is_stopped:
            self._probes.loop.call_soon_threadsafe(self._learn, rows)

    def _hear(self, rows: Sequence[InvalidationRow]) -> None:
        for watch, own in self._by_watch(rows):
            watch.hear(own)

    def _learn(self, rows: Sequence[InvalidationRow]) -> None:
        for watch, own in self._by_watch(rows):
            watch.learn(own)

    def _by_watch(
        self, rows: Sequence[InvalidationRow]
    ) -> Iterator[tuple[Watch, Sequence[InvalidationRow]]]:
        watches = self._wiring.watches if self._wiring is not None else {}
        by_keyspace: dict[str, list[InvalidationRow]] = defaultdict(list)
        for row in rows:
            by_keyspace[row.keyspace].append(row)
        for keyspace in by_keyspace.keys() & watches.keys():
            yield watches[keyspace], by_keyspace[keyspace]

    def readiness(self) -> list[str]:
        """What keeps this process from doing its work; empty where nothing does."""
        reasons = [f"the store takes no writes: {self._writer.problem}"] * bool(
            self._writer.problem
        )
        if self._wiring is None or self._scheduler is None:
            return [*reasons, "still starting"]
        waiting = [name for name, watch in self._wiring.watches.items() if not watch.rounds]
        reasons += [f"keyspace {name} had no round yet" for name in waiting]
        return [*reasons, *self._wiring.problems.values()]

    def _stopped(self) -> str:
        """What of the work stands still, for whoever waits for a heartbeat."""
        return self._pulse.stand_still(self.config, self._writer.problem)

    def problems(self) -> list[str]:
        """What is wrong beside that, and keeps nobody from the work."""
        return list(self._canaries.problems())

    async def _begin(self, config: Config) -> None:
        if self._ids is None:
            self._ids = Ids(*await asyncio.to_thread(self._store.last_ids))
        self._wiring = wiring = wire(config, self._clock)
        await watch_all(
            wiring,
            self._ids,
            self._writer.put,
            self._note_read,
            self._metrics.checks.note_suspects,
        )
        for name, watch in wiring.watches.items():
            watch.recall(await asyncio.to_thread(list, self._store.newest_origin_runs(name)))
        self._resume(wiring, await asyncio.to_thread(self._open_findings))
        await self._resume_checks(wiring)
        channels = open_channels(config, self._address())
        told = audiences(config, channels)
        rules = make_rules(config, self._standing_of, self._kept.recent)
        await asyncio.to_thread(self._alerting.begin, rules, told)
        self._diagnosing.begin(config, wiring.owners())
        await asyncio.to_thread(self._objectives.begin, config, wall_ns())
        self._reporting.begin(config, channels)
        self._counting = Counting(wiring, self._store, self._metrics.counters)
        await asyncio.to_thread(self._store.write_catalogue, catalogue_of(config), wall_ns())
        self._scheduler = self._schedule(wiring)
        for job in self._counting.jobs():
            _add(self._scheduler, job.name, job.work, job.every_s)
        self._scheduler.start()
        self._sweeping.start(wiring)
        self._canaries.start(wiring)

    def _resume(self, wiring: Wiring, findings: list[FindingRow]) -> None:
        """Hand open findings to their watches; those of keyspaces that are gone are gone, too."""
        self._metrics.follow_findings(findings)
        by_keyspace: dict[str, list[FindingRow]] = defaultdict(list)
        for row in findings:
            by_keyspace[row.keyspace].append(row)
        for name, watch in wiring.watches.items():
            watch.resume(by_keyspace.pop(name, ()))
            for layer in wiring.layers.values():
                if not layer.problems:
                    watch.release(layer.name)
            for layer_name in {row.layer for row in findings} - wiring.layers.keys():
                watch.release(layer_name)
        now = wall_ns()
        left = [row for rows in by_keyspace.values() for row in rows]
        if left:
            gone = [replace(row, state="gone", healed_at_ns=now) for row in left]
            self._writer.put(Batch(findings=gone))

    async def _resume_checks(self, wiring: Wiring) -> None:
        """Go on with the event-triggered checks that an earlier process, or config, had begun."""
        offset_ns, now_ns = self._clock.as_row().wall_offset_ns, wall_ns()
        nodes = await asyncio.to_thread(self._store.nodes)
        seen_until_ns = max((each.answered_at_ns or 0 for each in nodes), default=0)
        for name, watch in wiring.watches.items():
            longest_ns = max(watch.settings.horizons_ns, default=0)
            rows = await asyncio.to_thread(
                self._store.newest_invalidations, name, now_ns - longest_ns, MOST_RESUMED
            )
            watch.resume_checks(rows, seen_until_ns - offset_ns)

    def _standing_of(self, name: str, now_ns: int) -> BudgetStatus | None:
        standing = self._kept.status(name, now_ns)
        return None if standing is None else standing.status

    def _open_findings(self) -> list[FindingRow]:
        page = self._store.findings(open_only=True)
        rows = list(page.items)
        while page.next is not None:
            page = self._store.findings(open_only=True, cursor=page.next)
            rows += page.items
        return rows

    async def _end(self) -> None:
        await self._canaries.stop()
        await self._sweeping.stop()
        if self._scheduler is not None:
            self._scheduler.pause()
            if self._rounds:
                await asyncio.wait(self._rounds, timeout=LAST_ROUND_S)
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        if self._counting is not None:
            counting, self._counting = self._counting, None
            await counting.close()
        if self._wiring is not None:
            wiring, self._wiring = self._wiring, None
            await wiring.close()

    def _schedule(self, wiring: Wiring) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(
            event_loop=self._probes.loop,
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 30},
        )
        scheduler.add_listener(self._note_event, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        scheduler.add_listener(_note_error, EVENT_JOB_ERROR)
        for name, watch in wiring.watches.items():
            _add(scheduler, f"round {name}", self._round, _interval_s(watch), watch)
        _add(scheduler, "extend", self._extend, EXTEND_S, wiring)
        _add(scheduler, "fold", self._fold, FOLD_S)
        _add(scheduler, "retain", self._retain, RETAIN_S)
        _add(scheduler, "discover", wiring.discover, DISCOVER_S)
        _add(scheduler, "moves", wiring.follow_moves, MOVES_S)
        _add(scheduler, "keys", wiring.list_keys, KEYS_S)
        _add(scheduler, "traffic", wiring.read_traffic, TRAFFIC_S)
        _add(scheduler, "alerts", self._evaluate, ALERTS_S)
        _add(scheduler, "diagnose", self._diagnose, DIAGNOSE_S)
        _add(scheduler, "objectives", self._measure, OBJECTIVES_S)
        _add(scheduler, "reports", self._report, REPORTS_S)
        _add(scheduler, "clock", self._check_clock, CLOCK_S, wiring)
        return scheduler

    async def _round(self, watch: Watch) -> None:
        if not self._writer.has_room:
            # What cannot be kept is not gathered: a gap in coverage, told by the missed rounds.
            self._metrics.note_missed(f"round {watch.settings.keyspace}")
            return
        with span("round", {KEYSPACE: watch.settings.keyspace}) as job:
            task = asyncio.create_task(watch.run_round(wait_s=0.9 * _interval_s(watch)))
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
            done: Round = await task
            job.end(done.origin_why, {BATCH_KEYS: done.keys})
        self._pulse.note_round(watch.settings.keyspace)
        seconds = (done.end_ns - done.start_ns) / NS_PER_S
        self._metrics.observe_round(
            watch.settings.keyspace, seconds, wall_ns(), origin_answered=not done.origin_why
        )

    async def _extend(self, wiring: Wiring) -> None:
        for watch in wiring.watches.values():
            await watch.extend()

    async def _evaluate(self) -> None:
        with span("evaluate rules"):
            if await asyncio.to_thread(self._alerting.evaluate):
                self._pulse.note_evaluation()

    async def _diagnose(self) -> None:
        await asyncio.to_thread(self._diagnosing.look, wall_ns())

    async def _measure(self) -> None:
        with span("measure objectives"):
            await asyncio.to_thread(self._objectives.turn, wall_ns())

    async def _report(self) -> None:
        await asyncio.to_thread(self._reporting.turn, wall_ns())

    async def _fold(self) -> None:
        await self._on_store(self._store.fold)

    async def _retain(self) -> None:
        await self._on_store(self._store.retain)

    async def _on_store(self, work: Callable[[int], object]) -> None:
        try:
            await asyncio.to_thread(work, wall_ns())
        except StoreError as error:
            log.error("the store cannot be tended", why=str(error))

    async def _check_clock(self, wiring: Wiring) -> None:
        if self._clock.check_epoch():
            log.warning("wall time jumped: a new epoch of the clock begins")
            self._metrics.note_epoch()
            for watch in wiring.watches.values():
                watch.begin_epoch()

    def _written(self, batch: Batch, seconds: float) -> None:
        self._pulse.note_write()
        self._metrics.observe_batch(batch)
        self._metrics.observe_write(seconds)
        self._news.tell(batch)

    def _note_read(self, layer: str, node: str, took_ns: int) -> None:
        if layer == ORIGIN:
            self._metrics.observe_origin_read(node, took_ns / NS_PER_S)
        else:
            self._metrics.observe_read(layer, took_ns / NS_PER_S)

    def _note_event(self, event: Any) -> None:
        if event.code == EVENT_JOB_MISSED:
            self._metrics.note_missed(event.job_id)
        else:
            self._metrics.note_overrun(event.job_id)


def _interval_s(watch: Watch) -> float:
    return watch.settings.interval_ns / NS_PER_S


def _add(
    scheduler: AsyncIOScheduler,
    name: str,
    work: Callable[..., Awaitable[None]],
    every_s: float,
    *args: object,
) -> None:
    is_round = name.startswith("round ")
    is_counting = name.startswith(("counters ", "prometheus ", "objectives"))
    first_s = 0.0 if is_round else min(every_s, FIRST_COUNTERS_S) if is_counting else every_s
    scheduler.add_job(
        work,
        "interval",
        id=name,
        args=args,
        seconds=every_s,
        # The first round at once; chores when there is something to do.
        next_run_time=datetime.now(UTC) + timedelta(seconds=first_s),
        jitter=None if is_round else every_s / 20,
    )


def _note_error(event: Any) -> None:
    if not isinstance(event.exception, asyncio.CancelledError):
        log.error("a job failed", job=event.job_id, exc_info=event.exception)
