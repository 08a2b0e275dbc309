"""Seconds of copies kept up as they are read: what each read settles of the time since the last.

A copy is watched from the end of one read to the start of the next, where both found it; that time
is parted by the bounds of the later read (`freshness.stale_time.part_time`). Where the copy changed
in between, when it did is not known: its time is good where both what it held before and what it
holds now were fresh all along, and else open. Time without an answer is not counted.

Copies that were read alike share one object, so that a batch of healthy copies costs what a few
passes over it in C cost.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Final, NamedTuple

from freshness.counts import NOTHING, Counts
from freshness.model import Bounds
from freshness.stale_time import Interval, Parted, count_copy, cut, part_time

MINUTE_S: Final = 60
KEPT_MINUTES: Final = 5
"""So many of the newest minutes of a copy can still be told otherwise by late evidence."""
_NS: Final = 10**9


class Times(NamedTuple):
    """Of one copy in one minute: nanoseconds by what is known of them; whether a read failed."""

    good: int = 0
    bad: int = 0
    open: int = 0
    is_unanswered: bool = False

    def counts(self) -> Counts:
        """One event, by its time; of unknown kind where there is none and a read failed."""
        if self.good or self.bad or self.open:
            return count_copy(self.good, self.bad, self.open)
        return _UNKNOWN if self.is_unanswered else NOTHING


class Known(NamedTuple):
    """Of one copy: when a read last found it (None: nothing to go on from), and its newest minutes.

    `has_changed` is whether what it held was replaced since.
    """

    found_at: int | None = None
    has_changed: bool = False
    minutes: tuple[tuple[int, Times], ...] = ()


class Taken(NamedTuple):
    """What became known since the last time: to be added to minutes, of all and of single keys.

    `minutes` are by the Unix second of their start; `stale` holds seconds proven stale by
    (start of the minute, key).
    """

    minutes: Mapping[int, Counts]
    stale: Mapping[tuple[int, str], float]


_UNKNOWN: Final = NOTHING._replace(unknown=1)
_UNSEEN: Final = Known()


class CopyTimes:
    """The copies of one node, for one keyspace, judged at one maximum staleness.

    Stamps are nanoseconds of Unix time. `max_gap` is the longest silence between two reads that
    still counts as watching.
    """

    def __init__(self, max_staleness_ns: int) -> None:
        self._max_staleness_ns = max_staleness_ns
        self._known: dict[str, Known] = {}
        self._minutes: defaultdict[int, Counts] = defaultdict(Counts)
        self._stale: defaultdict[tuple[int, str], float] = defaultdict(float)

    def watched_since(self, key: str, start: int, max_gap: int) -> int | None:
        """From when on a read that starts at an instant tells of a copy that did not change."""
        known = self._known.get(key, _UNSEEN)
        return None if known.has_changed else _since(known, start, max_gap)

    def change(self, key: str) -> bool:
        """What the copy held was replaced since it was last found; False where it never was."""
        known = self._known.get(key)
        if known is None or known.found_at is None:
            return False
        self._known[key] = known._replace(has_changed=True)
        return True

    def find(
        self,
        keys: Sequence[str],
        start: int,
        end: int,
        bounds: Bounds,
        max_gap: int,
        former_until: int | None = None,
    ) -> None:
        """A read in [start, end] found copies that are alike in their bounds.

        Of one that changed since, what it held before was fresh until `former_until` at least.
        """

        def step(known: Known) -> tuple[Known, Parted | None]:
            since = _since(known, start, max_gap)
            found = Known(end, False, known.minutes)
            if since is None:
                return found, None
            parted = part_time(since, start, end, bounds, self._max_staleness_ns)
            return found, _mixed(parted, former_until) if known.has_changed else parted

        self._step(keys, step)

    def miss(self, keys: Sequence[str], start: int, max_gap: int) -> None:
        """A read that started at an instant found no copy: when it went is not known."""

        def step(known: Known) -> tuple[Known, Parted | None]:
            since = _since(known, start, max_gap)
            gone = Known(None, False, known.minutes)
            return gone, None if since is None else _open(since, start)

        self._step(keys, step)

    def fail(self, keys: Sequence[str], start: int) -> None:
        """A read told nothing: there is nothing to go on from, and its minute lacks the copy."""

        def step(known: Known) -> tuple[Known, Parted | None]:
            minute = _minute_of(start)
            times = dict(known.minutes).get(minute, Times())
            failed = _with(known.minutes, {minute: times._replace(is_unanswered=True)})
            return Known(None, False, failed), None

        self._step(keys, step)

    def retell(self, key: str, before: Parted, after: Parted) -> None:
        """Late evidence parts the time of a copy otherwise; what is too old stays as it is."""
        known = self._known.get(key)
        if known is None or before == after:
            return
        minutes, told = dict(known.minutes), _times_of(before)
        if not told.keys() <= minutes.keys():
            return
        for minute, times in told.items():
            minutes[minute] = _less(minutes[minute], times)
        for minute, times in _times_of(after).items():
            minutes[minute] = _plus(minutes[minute], times)
        changed = known._replace(minutes=tuple(sorted(minutes.items())))
        self._count(known, changed, 1)
        self._count_stale([key], before.bad, -1)
        self._count_stale([key], after.bad, 1)
        self._known[key] = changed

    def part(self, keys: Iterable[str] | None = None) -> None:
        """Nothing goes on from what was found of these copies, or of all: a restart, a gap."""
        for key in list(self._known) if keys is None else keys:
            known = self._known.get(key)
            if known is not None and known.found_at is not None:
                self._known[key] = Known(None, False, known.minutes)

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of copies that are no longer watched."""
        for key in keys:
            self._known.pop(key, None)

    def take(self) -> Taken:
        """What is to be added to what was taken before."""
        taken = Taken(dict(self._minutes), dict(self._stale))
        self._minutes.clear()
        self._stale.clear()
        return taken

    def _step(
        self, keys: Sequence[str], step: "Callable[[Known], tuple[Known, Parted | None]]"
    ) -> None:
        """Take a step with each copy, once for all that are alike."""
        before = list(map(self._known.get, keys, repeat(_UNSEEN)))
        which_of = list(map(id, before))
        copies, after = Counter(which_of), dict[int, Known]()
        for which, known in dict(zip(which_of, before, strict=True)).items():
            stepped, parted = step(known)
            if parted is not None:
                stepped = stepped._replace(minutes=_added(known.minutes, parted))
                if parted.bad.since_ns < parted.bad.until_ns:
                    stale = [k for k, was in zip(keys, before, strict=True) if was is known]
                    self._count_stale(stale, parted.bad, 1)
            self._count(known, stepped, copies[which])
            after[which] = stepped._replace(minutes=stepped.minutes[-KEPT_MINUTES:])
        self._known.update(zip(keys, map(after.__getitem__, which_of), strict=True))

    def _count(self, before: Known, after: Known, copies: int) -> None:
        """Count what so many copies are in each minute that changed, less what they were."""
        if before.minutes == after.minutes:
            return
        was = dict(before.minutes)
        for minute, times in after.minutes:
            if times != (told := was.get(minute, Times())):
                change = times.counts().minus(told.counts())
                self._minutes[minute] = self._minutes[minute].plus(change.times(copies))

    def _count_stale(self, keys: Iterable[str], stale: Interval, sign: int) -> None:
        for minute, length in cut(stale, MINUTE_S):
            for key in keys:
                self._stale[minute, key] += sign * length / _NS


def _since(known: Known, start: int, max_gap: int) -> int | None:
    """From when on a copy was watched, as of a read; None for a new one or one long not read."""
    at = known.found_at
    return at if at is not None and at < start <= at + max_gap else None


def _mixed(parted: Parted, former_until: int | None) -> Parted:
    """Time of a copy that changed in it: good as long as both the former and the new one were."""
    since, start = parted.good.since_ns, parted.bad.until_ns
    good_until = since if former_until is None else min(parted.good.until_ns, former_until)
    good_until = max(since, good_until)
    return Parted(Interval(since, good_until), Interval(good_until, start), Interval(start, start))


def _open(since: int, until: int) -> Parted:
    return Parted(Interval(since, since), Interval(since, until), Interval(until, until))


def _times_of(parted: Parted) -> dict[int, Times]:
    """By the minute."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for kind, interval in parted._asdict().items():
        for minute, length in cut(interval, MINUTE_S):
            found[minute][kind] = length
    return {
        minute: Times(kinds.get("good", 0), kinds.get("bad", 0), kinds.get("open", 0))
        for minute, kinds in found.items()
    }


def _added(minutes: tuple[tuple[int, Times], ...], parted: Parted) -> tuple[tuple[int, Times], ...]:
    known = dict(minutes)
    added = _times_of(parted)
    return _with(minutes, {at: _plus(known.get(at, Times()), each) for at, each in added.items()})


def _with(
    minutes: tuple[tuple[int, Times], ...], others: Mapping[int, Times]
) -> tuple[tuple[int, Times], ...]:
    return tuple(sorted({**dict(minutes), **others}.items()))


def _plus(one: Times, other: Times) -> Times:
    return Times(
        one.good + other.good, one.bad + other.bad, one.open + other.open, one.is_unanswered
    )


def _less(one: Times, other: Times) -> Times:
    return _plus(one, Times(-other.good, -other.bad, -other.open))


def _minute_of(stamp: int) -> int:
    seconds = stamp // _NS
    return seconds - seconds % MINUTE_S
