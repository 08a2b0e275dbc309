"""Canaries: keys that Stalewatch writes itself, to see how a write reaches every node.

The only part that changes anything of the user's, by the user's own command or URL, and off unless
configured. A write that fails is told, and is no staleness.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from collectors.base import Clock, NowNs, VersionType
from collectors.canary import CanaryWriter, Written, version_told
from collectors.canary_command import CommandCanary
from collectors.canary_http import HttpCanary
from collectors.options import ConnectionOptions
from collectors.watch import Watch
from freshness.canary import Attempt, Weighed, weigh_attempt
from freshness.evidence import Write
from freshness.ledger import Look
from settings import Duration
from stalewatch.canary_metrics import CanaryMetrics
from stalewatch.config.canaries import CanarySettings
from stalewatch.wiring import Wiring
from store.messages import InvalidationRow

PUBLISHER: Final = "stalewatch-canary"
NS_PER_S: Final = 1_000_000_000
_WHY: Final[Mapping[Weighed, str]] = {
    Weighed.NO_CHANGE: "it succeeded, and the origin holds no newer version",
    Weighed.DISBELIEVED: "the version that it told is not the one that the origin holds",
    Weighed.SHARED: "more than one version came with one write: somebody else writes the key",
}

log = structlog.get_logger()


def open_writer(settings: CanarySettings, now_ns: NowNs) -> CanaryWriter:
    """What writes the keys of a canary; nothing is run or sent yet."""
    if settings.command is not None:
        return CommandCanary(settings.command, settings.timeout.seconds, now_ns)
    connect = Duration(min(NS_PER_S, settings.timeout.ns // 2))
    options = ConnectionOptions(
        auth=settings.auth,
        tls=settings.tls,
        connect_timeout=connect,
        read_timeout=Duration(settings.timeout.ns - connect.ns),
    )
    url, method = settings.url or "", settings.method
    return HttpCanary(url, method, settings.body, settings.headers, options, now_ns)


class CanaryRun:
    """One canary: its keys are written one after the other, so never one twice at a time."""

    def __init__(
        self,
        name: str,
        settings: CanarySettings,
        writer: CanaryWriter,
        written_as: VersionType,
        watch: Watch,
        clock: Clock,
        metrics: CanaryMetrics,
    ) -> None:
        self.problem = ""
        self._name = name
        self._settings = settings
        self._writer = writer
        self._written_as = written_as
        self._watch = watch
        self._clock = clock
        self._metrics = metrics
        self._in_doubt: set[str] = set()

    async def run(self) -> None:
        """Write every key each interval, until cancelled."""
        while True:
            began_ns = self._clock.now_ns()
            problems = [await self._write_safely(key) for key in self._settings.keys]
            self._tell(next(filter(None, problems), ""))
            left_ns = began_ns + self._settings.interval.ns - self._clock.now_ns()
            # Writes that took longer than the interval are followed by a pause all the same.
            await asyncio.sleep(max(left_ns, self._settings.interval.ns // 10) / NS_PER_S)

    async def _write_safely(self, key: str) -> str:
        try:
            return await self.write(key)
        except Exception:
            self._in_doubt.add(key)
            log.exception("a canary failed", canary=self._name)
            return "the write failed; the log says how"

    async def write(self, key: str) -> str:
        """Write a key once, between two looks at the origin; what is wrong, empty for nothing."""
        before = await self._watch.look_at(key)
        written = await self._writer.write(key)
        after = await self._watch.look_at(key) if written.is_acknowledged else None
        told, why = version_told(written, self._settings.version, self._written_as)
        weighed = self._weigh(key, before, written, told, after)
        seconds = (written.end_ns - written.start_ns) / NS_PER_S
        self._metrics.observe(
            self._name, weighed, seconds, self._wall_ns(written.end_ns) / NS_PER_S
        )
        if written.is_acknowledged:
            self._announce(key, written, told, after)
        return written.why or why or _WHY.get(weighed, "")

    def _weigh(
        self, key: str, before: Look | None, written: Written, told: int | None, after: Look | None
    ) -> Weighed:
        """Give the write to the ledger where it is evidence; what it is worth."""
        if before is None or after is None or before.epoch != after.epoch:
            # Of a clock that has ended meanwhile, a stamp says nothing.
            before = after = None
        attempt = Attempt(
            written.is_acknowledged,
            _leaders_version(before),
            told,
            _leaders_version(after),
            is_raced=key in self._in_doubt,
        )
        weighed = weigh_attempt(attempt, self._watch.settings.order)
        if written.is_acknowledged:
            self._in_doubt.discard(key)
        else:
            self._in_doubt.add(key)
        if weighed is Weighed.EVIDENCE and after is not None:
            value = after.values[0]
            assert value is not None
            write = Write(value, *_bounds(before, written, told, after))
            self._watch.observe_write(key, write, after.epoch)
        return weighed

    def _announce(self, key: str, written: Written, told: int | None, after: Look | None) -> None:
        """Have every node checked for what was written, as for any invalidation."""
        held = after.values[0] if after is not None else None
        version = held.version if held is not None else told
        received = after.end if after is not None else written.end_ns
        row = InvalidationRow(
            id=f"{PUBLISHER}-{uuid.uuid4().hex}",
            keyspace=self._watch.settings.keyspace,
            scope="key",
            keys=(self._watch.name_of(key),),
            version=version,
            version_text="" if version is None else str(version),
            publisher=PUBLISHER,
            stream=self._name,
            sequence=None,
            written_at_ns=self._wall_ns(written.start_ns),
            received_at_ns=self._wall_ns(received),
        )
        self._watch.hear([row])

    def _wall_ns(self, stamp: int) -> int:
        return stamp + self._clock.as_row().wall_offset_ns

    def _tell(self, why: str) -> None:
        """Log a change, once."""
        if why and why != self.problem:
            log.warning("a canary has a problem", canary=self._name, why=why)
        elif self.problem and not why:
            log.info("a canary is well again", canary=self._name)
        self.problem = why


class Canaries:
    """The canaries of a config, from `start` to `stop`, on the event loop of the probes."""

    def __init__(self, metrics: CanaryMetrics) -> None:
        self._metrics = metrics
        self._runs: dict[str, CanaryRun] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, wiring: Wiring) -> None:
        """Begin to write."""
        self._runs = {
            name: CanaryRun(
                name,
                settings,
                open_writer(settings, wiring.clock.now_ns),
                wiring.config.keyspaces[settings.keyspace].version.type,
                wiring.watches[settings.keyspace],
                wiring.clock,
                self._metrics,
            )
            for name, settings in wiring.config.canaries.items()
        }
        self._tasks = [asyncio.create_task(run.run()) for run in self._runs.values()]

    async def stop(self) -> None:
        """End the writes that are under way: nobody knows of them whether they committed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._runs = [], {}

    def problems(self) -> Sequence[str]:
        """What is wrong with canaries now; empty where nothing is."""
        runs = sorted(self._runs.items())
        return [f"canary {name}: {run.problem}" for name, run in runs if run.problem]


def _bounds(
    before: Look | None, written: Written, told: int | None, after: Look
) -> tuple[int, int]:
    """Between which stamps the version committed.

    A write that told its own version had committed it. What acknowledges without saying so may
    commit later, or do nothing while somebody else writes: then the two looks are all there is.
    """
    if told is not None or before is None:
        return written.start_ns, written.end_ns
    return before.start, after.end


def _leaders_version(look: Look | None) -> int | None:
    """The version of the one key of a look, where that was the leader's word."""
    value = look.values[0] if look is not None and look.linearizable else None
    return value.version if value is not None else None
