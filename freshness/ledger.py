"""All keys of a keyspace on one clock: what the origin says, and the judging of whole batches.

A healthy key costs a comparison: a batch shares the origin's [os, oe] and the node's [qs, qe], so
copies that equal what a leader just returned are one verdict with a count. Only a key that differs,
or one whose past is not simple, gets an object and a judgement of its own.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from freshness.epochs import Epochs
from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.judge import decide
from freshness.model import Bounds, Judgement, Order, Reading, Result, Value, Verdict
from freshness.runs import Change, Run, RunBook

KEPT_VERSIONS = 64
"""Evidence about older versions of a key is let go, which only widens bounds; its runs likewise."""


class Look(NamedTuple):
    """One batch as the origin answered it; None where it gave no value for a key.

    `changes` are the runs that began with it, `changed` the keys that have another value than the
    last one known: an outage of the origin changes nothing. `epoch` is the ledger's, and `serial`
    counts its looks.
    """

    keys: Sequence[str]
    values: Sequence[Value | None]
    start: int
    end: int
    linearizable: bool
    changes: Sequence[Change]
    changed: Sequence[str]
    epoch: int
    serial: int

    def only(self, positions: Iterable[int]) -> "Look":
        """The same look at some of its keys, by position."""
        at = list(positions)
        return self._replace(keys=[self.keys[n] for n in at], values=[self.values[n] for n in at])


class Judged(NamedTuple):
    """A batch judged. `calm` copies share one judgement; `apart` are the others, by position.

    `negatives` of the calm ones are cached not-founds. `without` are the positions of readings
    that stay unknown: no copy, one that our own read had just put there, or no word of the origin
    to hold it against.
    """

    calm: int
    negatives: int
    shared: Judgement | None
    apart: Mapping[int, Judgement]
    without: Collection[int]

    def at(self, position: int) -> Judgement | None:
        """The judgement on one reading, None where it stays unknown."""
        if position in self.without:
            return None
        return self.apart.get(position, self.shared)


class _Past:
    """What is known of a key besides the leader's last word, kept only where there is any."""

    __slots__ = ("epochs", "is_calm", "other", "runs", "told", "told_count")

    def __init__(self, epochs: Epochs) -> None:
        self.epochs = epochs
        self.runs: deque[Run] = deque(maxlen=KEPT_VERSIONS)
        self.is_calm = False
        self.told: Run | None = None
        self.told_count = 0
        self.other: deque[Evidence] = deque(maxlen=KEPT_VERSIONS)


class Ledger:
    """The evidence of one keyspace.

    `order` and `recurs` as declared; `max_gap` as for a `RunBook`. `epoch` tells ledgers of
    different clocks apart: what was stamped by one is never judged by another.
    """

    def __init__(self, order: Order, max_gap: int, recurs: bool = True, epoch: int = 0) -> None:
        self.order = order
        self.epoch = epoch
        self._serial = 0
        self._recurs = recurs
        self._book = RunBook(max_gap)
        self._pasts: dict[str, _Past] = {}
        self._recalled: dict[str, OriginRead] = {}
        self._parted: dict[str, Run] = {}

    @property
    def book(self) -> RunBook:
        """The open runs of the origin."""
        return self._book

    def observe_origin(
        self,
        keys: Sequence[str],
        readings: Sequence[Reading],
        start: int,
        end: int,
        linearizable: bool = True,
    ) -> Look:
        """Take what the origin returned for a batch between `start` and `end`.

        `linearizable` is whether that was the leader's word; a fail-over may change it.
        """
        changes = self._book.observe(keys, readings, start, end, linearizable)
        changed = [change.key for change in changes if self._note_change(change)]
        values = [r.value if r.result is Result.VALUE else None for r in readings]
        self._serial += 1
        return Look(
            keys, values, start, end, linearizable, changes, changed, self.epoch, self._serial
        )

    def observe_invalidation(self, key: str, version: int, received: int) -> None:
        """Take a message of a commit-ordered source that a version exists."""
        self._observe_other(key, Invalidation(version, received))

    def observe_write(self, key: str, write: Write) -> None:
        """Take a write of our own, whose version belongs to that attempt alone."""
        self._observe_other(key, write)

    def recall(self, key: str, value: Value, read_at: int) -> None:
        """Take what an earlier process saw at the origin: it existed by the time we read of it."""
        self._recalled[key] = OriginRead(value, read_at, read_at, linearizable=False)

    def judge_batch(
        self, look: Look, readings: Sequence[Reading], start: int, end: int, max_staleness: int
    ) -> Judged:
        """Judge what a node returned for the keys of a look, where it returned a value."""
        calm = negatives = 0
        apart: dict[int, Judgement] = {}
        without: set[int] = set()
        can_be_calm = look.linearizable and look.end <= start
        is_newest = look.serial == self._serial
        for at, (key, value, reading) in enumerate(
            zip(look.keys, look.values, readings, strict=True)
        ):
            copy = reading.value
            if copy is None or reading.filled:
                without.add(at)
            elif (
                can_be_calm
                and value is not None
                and (copy == value or copy.agrees_with(value))
                and self._is_calm(key, look, is_newest)
            ):
                calm += 1
                negatives += copy.absent
            else:
                judgement = self.judge(key, copy, start, end, max_staleness)
                if value is None and judgement.verdict is Verdict.INDETERMINATE:
                    without.add(at)
                else:
                    apart[at] = judgement
        bounds = Bounds(0, max(0, end - look.start), 0, None)
        shared = decide(bounds, None, max_staleness) if calm else None
        return Judged(calm, negatives, shared, apart, without)

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of keys that are no longer watched."""
        for key in keys:
            for known in (self._pasts, self._recalled, self._parted):
                known.pop(key, None)

    def _is_calm(self, key: str, look: Look, is_newest: bool) -> bool:
        """Whether nothing is known of the key that the look does not say."""
        past = self._pasts.get(key)
        if past is not None and not past.is_calm:
            return False
        if is_newest:
            return True
        run = self._book.get(key)
        return run is not None and run.last_start <= look.start

    def judge(self, key: str, value: Value, start: int, end: int, max_staleness: int) -> Judgement:
        """Judge one read of one key on all that is known."""
        past = self._past(key)
        self._tell(key, past)
        return past.epochs.judge(value, start, end, max_staleness)

    def is_simple(self, key: str) -> bool:
        """Whether nothing is known of a key that a look at the origin does not say."""
        past = self._pasts.get(key)
        return past is None or past.is_calm

    def superseded_within(self, key: str, value: Value) -> tuple[int | None, int | None]:
        """L(s) and U(s) of the version that superseded `value`; None where nothing bounds it."""
        past = self._past(key)
        self._tell(key, past)
        return past.epochs.superseded_within(value)

    def latest(self, key: str) -> Value | None:
        """The origin's last word on a key."""
        run = self._book.get(key)
        return run.value if run is not None else None

    def changed_after(self, key: str) -> int | None:
        """The start of the leader's last read before the present run that had another value."""
        past, run = self._pasts.get(key), self._book.get(key)
        before = past.runs[-1] if past is not None and past.runs else None
        if before is None or run is None or not before.linearizable or before.value == run.value:
            return None
        return before.last_start

    def current_at(self, key: str, value: Value) -> int | None:
        """The start of the leader's last read that returned this very value; None for never."""
        past, run = self._pasts.get(key), self._book.get(key)
        runs = [*(past.runs if past else ()), *([run] if run else ())]
        starts = [
            each.last_start
            for each in runs
            if each.linearizable
            and each.value is not None
            and (each.value == value or value.agrees_with(each.value))
        ]
        return max(starts, default=None)

    def evidence(self, key: str) -> list[Evidence]:
        """What bounds on this key rest on; of the origin's runs, the first and the last read."""
        past = self._pasts.get(key)
        parted, run = self._parted.get(key), self._book.get(key)
        runs = [
            *([parted] if parted else ()),
            *(past.runs if past else ()),
            *([run] if run else ()),
        ]
        other = list(past.other) if past is not None else []
        return other + [read for run in runs for read in _reads_of(run)]

    def _observe_other(self, key: str, evidence: Evidence) -> None:
        past = self._past(key)
        past.epochs.observe(evidence)
        past.other.append(evidence)
        past.is_calm = False

    def _past(self, key: str) -> _Past:
        past = self._pasts.get(key)
        if past is None:
            past = self._pasts[key] = _Past(Epochs(self.order, recurs=self._recurs))
            recalled, parted = self._recalled.pop(key, None), self._parted.pop(key, None)
            if recalled is not None:
                past.epochs.observe(recalled)
                past.other.append(recalled)
            if parted is not None:
                self._tell_run(past, parted)
                past.runs.append(parted)
        return past

    def _note_change(self, change: Change) -> bool:
        """Keep what an ended run proves; whether the key has another value than before."""
        key, begun = change.key, change.begun
        if key not in self._pasts and self._is_simple(change):
            return False
        past = self._past(key)
        before = past.runs[-1].value if past.runs else None
        if change.ended is not None and change.ended.value is not None:
            before = change.ended.value
            if not past.runs or past.runs[-1] is not change.ended:
                self._tell_run(past, change.ended)
                past.runs.append(change.ended)
        self._tell_run(past, begun)
        past.epochs.trim(KEPT_VERSIONS)
        past.is_calm = begun.value is not None and past.epochs.is_calm(begun.value)
        return begun.value is not None and before is not None and begun.value != before

    def _is_simple(self, change: Change) -> bool:
        """Whether a key that never changed still has one value, as far as anybody was told.

        The run before an outage of the origin is kept, and no more: an outage meets every key.
        """
        key, ended, begun = change.key, change.ended, change.begun
        if ended is not None and ended.value is not None:
            self._parted.setdefault(key, ended)
        if begun.value is None:
            return True
        parted, recalled = self._parted.get(key), self._recalled.get(key)
        if recalled is not None and parted is None and _follows(begun, recalled):
            # The origin's word of now says all that an earlier process could tell.
            del self._recalled[key]
            recalled = None
        return recalled is None and (parted is None or parted.value == begun.value)

    def _tell(self, key: str, past: _Past) -> None:
        """Bring a key's evidence up to date: healthy batches only extend its open run."""
        run = self._book.get(key)
        if run is not None and (run is not past.told or run.count != past.told_count):
            self._tell_run(past, run)
            past.epochs.trim(KEPT_VERSIONS)
            past.is_calm = run.value is not None and past.epochs.is_calm(run.value)

    def _tell_run(self, past: _Past, run: Run) -> None:
        """Take what is new of a run: its first read once, and its last one as it grows."""
        reads = _reads_of(run)
        for read in reads[1:] if run is past.told else reads:
            past.epochs.observe(read)
        past.told, past.told_count = run, run.count


def _follows(run: Run, recalled: OriginRead) -> bool:
    """Whether the origin's first word in this process is no older than its last in another."""
    if run.value is None or run.value.version is None or recalled.value.version is None:
        return run.value == recalled.value
    return run.value.version >= recalled.value.version


def _reads_of(run: Run) -> list[OriginRead]:
    if run.value is None or run.reading.result is not Result.VALUE:
        return []
    first = OriginRead(run.value, run.first_start, run.first_end, run.linearizable)
    if run.count == 1:
        return [first]
    return [first, OriginRead(run.value, run.last_start, run.last_end, run.linearizable)]
