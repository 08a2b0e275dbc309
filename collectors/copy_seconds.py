"""Seconds of the copies at one node, from its replies: what `freshness.copy_time` is told of them.

Only reads of the strata that stand for all keys count: a copy is read more often where it is
suspected, and its seconds would outweigh those of copies that nobody suspects.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.base import Reply
from collectors.journal import Journal, NodeSettings
from collectors.sample import Sample
from freshness.copy_time import CopyTimes
from freshness.ledger import Judged, Ledger, Look
from freshness.model import Bounds, Judgement, Result, Value, Verdict
from freshness.runs import Change
from freshness.stale_time import Parted, part_time
from freshness.strata import is_representative


class _Read(NamedTuple):
    """A reply: its start as a stamp, start and end in Unix nanoseconds, the longest gap."""

    stamp: int
    start: int
    end: int
    gap: int


class _Open(NamedTuple):
    """The time before an undecided read, as it was parted."""

    stamp: int
    since: int
    parted: Parted


@dataclass(slots=True)
class CopySeconds:
    """The copies of one node, for one keyspace."""

    settings: NodeSettings
    journal: Journal
    _times: CopyTimes = field(init=False)
    _open: dict[str, _Open] = field(default_factory=dict)
    _former: dict[str, Value | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._times = CopyTimes(self.settings.max_staleness_ns)

    def note(self, changes: Iterable[Change]) -> None:
        """Runs began: what a copy held was replaced, or it was not read for too long."""
        for _, key, ended, _ in changes:
            if ended is None or ended.ended_by == "gap":
                self._times.part([key])
            elif self._times.change(key):
                # Replaced twice, what it held in between is not asked for.
                self._former[key] = None if key in self._former else ended.value

    def take(
        self, look: Look, reply: Reply, judged: Judged, sample: Sample, ledger: Ledger, gap: int
    ) -> None:
        """Count what a reply tells of the time before it. `gap` is the longest that is watched."""
        if not is_representative(sample.stratum):
            return
        wall_ns = self.journal.wall_ns
        read = _Read(reply.start_ns, wall_ns(reply.start_ns), wall_ns(reply.end_ns), gap)
        alone = self._alone(look.keys, judged)
        for at, judgement in alone.items():
            self._find_one(look.keys[at], judgement, read, ledger)
        for bounds, keys in _alike(look.keys, judged, alone.keys()).items():
            self._times.find(keys, read.start, read.end, bounds, gap)
        missed, failed = list[str](), list[str]()
        for at in judged.without:
            reading = reply.readings[at]
            is_miss = reading.result is Result.MISS or reading.filled
            (missed if is_miss else failed).append(look.keys[at])
            self._former.pop(look.keys[at], None)
        self._times.miss(missed, read.start, gap)
        self._times.fail(failed, read.start)
        self._put()

    def fail(self, sample: Sample, stamp: int) -> None:
        """The node was not asked, or gave no answer that tells anything."""
        if is_representative(sample.stratum):
            self._times.fail(sample.keys, self.journal.wall_ns(stamp))
            self._put()

    def settle(self, key: str, read_start: int, read_end: int, judgement: Judgement) -> None:
        """A read that was not decided was judged anew; both stamps are its own."""
        told = self._open.get(key)
        if told is None or told.stamp != read_start:
            return
        start, end = map(self.journal.wall_ns, (read_start, read_end))
        limit_ns = self.settings.max_staleness_ns
        parted = part_time(told.since, start, end, judgement.bounds, limit_ns)
        self._times.retell(key, told.parted, parted)
        self._open[key] = _Open(read_start, told.since, parted)
        if judgement.verdict is not Verdict.INDETERMINATE:
            del self._open[key]
        self._put()

    def forget(self, keys: Sequence[str]) -> None:
        """Let go of keys that are no longer watched."""
        self._times.forget(keys)
        for key in keys:
            self._open.pop(key, None)
            self._former.pop(key, None)

    def part(self) -> None:
        """Nothing goes on from what was found: the node restarted or left, or the clock began."""
        self._times.part()
        self._open.clear()
        self._former.clear()

    def _alone(self, keys: Sequence[str], judged: Judged) -> dict[int, Judgement]:
        """Copies that may be told otherwise later, and those that changed, by position."""
        alone = {
            at: judgement
            for at, judgement in judged.apart.items()
            if judgement.verdict is Verdict.INDETERMINATE
        }
        for at, key in enumerate(keys) if self._former else ():
            if key in self._former and (judgement := judged.at(at)) is not None:
                alone[at] = judgement
        return alone

    def _find_one(self, key: str, judgement: Judgement, read: "_Read", ledger: Ledger) -> None:
        self._open.pop(key, None)
        since = self._times.watched_since(key, read.start, read.gap)
        former_until = self._fresh_until(key, self._former.pop(key, None), ledger)
        self._times.find([key], read.start, read.end, judgement.bounds, read.gap, former_until)
        if since is not None and judgement.verdict is Verdict.INDETERMINATE:
            limit_ns = self.settings.max_staleness_ns
            parted = part_time(since, read.start, read.end, judgement.bounds, limit_ns)
            self._open[key] = _Open(read.stamp, since, parted)

    def _fresh_until(self, key: str, former: Value | None, ledger: Ledger) -> int | None:
        """Until when a value was fresh wherever it was held."""
        current_at = None if former is None else ledger.current_at(key, former)
        if current_at is None:
            return None
        return self.journal.wall_ns(current_at) + self.settings.max_staleness_ns

    def _put(self) -> None:
        self.journal.count_copies(self.settings.layer, self.settings.name, self._times.take())


def _alike(
    keys: Sequence[str], judged: Judged, alone: Collection[int]
) -> Mapping[Bounds, Sequence[str]]:
    """Copies that are judged by the same bounds, but for those that are looked at alone."""
    alike: defaultdict[Bounds, list[str]] = defaultdict(list)
    for at, judgement in judged.apart.items():
        if at not in alone:
            alike[judgement.bounds].append(keys[at])
    if judged.shared is not None:
        others = {*judged.apart, *judged.without, *alone}
        calm = [key for at, key in enumerate(keys) if at not in others] if others else keys
        if calm:
            alike[judged.shared.bounds].extend(calm)
    return alike
