"""What copies are counted as, read by read, is what their whole histories come to, and is true."""

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.copy_time import CopyTimes
from freshness.counts import NOTHING, Counts
from freshness.model import Bounds
from freshness.stale_time import Copy, Interval, Seen, count_time, cut, part_time, stale_seconds
from tests.freshness.budgets import N1

NS = 10**9
FAR = 10**6 * NS
LIMIT = 20 * NS
FRESH = Bounds(0, NS, 0, None)


def total(times: CopyTimes) -> Counts:
    """All minutes that were not taken yet."""
    minutes = times.take().minutes.values()
    whole = NOTHING
    for each in minutes:
        whole = whole.plus(each)
    return whole


def test_time_between_two_reads_of_a_fresh_copy_is_good() -> None:
    times = CopyTimes(LIMIT)
    times.find(["a", "b"], 10 * NS, 11 * NS, FRESH, FAR)
    assert total(times) == NOTHING
    times.find(["a", "b"], 21 * NS, 22 * NS, FRESH, FAR)
    whole = total(times)
    assert (whole.good, whole.good_weight, whole.judged_weight) == (2, 20.0, 20.0)
    assert whole.weight_squares == 200.0
    # The same minute again: the same two events, which weigh more.
    times.find(["a", "b"], 32 * NS, 33 * NS, FRESH, FAR)
    more = total(times)
    assert (more.good, more.good_weight, more.weight_squares) == (0, 20.0, 600.0)


def test_a_copy_that_is_proven_stale_is_bad_from_then_on() -> None:
    times = CopyTimes(LIMIT)
    times.find(["a"], 0, NS, FRESH, FAR)
    times.find(["a"], 51 * NS, 52 * NS, Bounds(30 * NS, 40 * NS, 1, None), FAR)
    minutes, stale = times.take()
    assert stale == {(0, "a"): 10.0}
    whole = minutes[0]
    assert (whole.good_weight, whole.bad_weight, whole.judged_weight) == (31.0, 10.0, 50.0)
    assert (whole.good, whole.bad, whole.indeterminate) == (0, 1, 0)


@pytest.mark.parametrize(
    ("former_until", "good"),
    [
        pytest.param(None, 0.0, id="nobody knows what it held before"),
        pytest.param(40 * NS, 9.0, id="it was fresh long enough"),
        pytest.param(5 * NS, 4.0, id="it was fresh for a while"),
    ],
)
def test_when_a_copy_changed_is_not_known(former_until: int | None, good: float) -> None:
    times = CopyTimes(LIMIT)
    times.find(["a"], 0, NS, FRESH, FAR)
    assert times.change("a")
    assert times.watched_since("a", 10 * NS, FAR) is None
    times.find(["a"], 10 * NS, 11 * NS, FRESH, FAR, former_until)
    whole = total(times)
    assert (whole.good_weight, whole.bad_weight, whole.judged_weight) == (good, 0.0, 9.0)


def test_a_copy_that_went_was_there_for_some_of_the_time() -> None:
    times = CopyTimes(LIMIT)
    times.find(["a"], 0, NS, FRESH, FAR)
    times.miss(["a", "b"], 10 * NS, FAR)
    whole = total(times)
    assert (whole.indeterminate, whole.judged_weight) == (1, 9.0)
    times.find(["a"], 20 * NS, 21 * NS, FRESH, FAR)
    assert total(times) == NOTHING


def test_time_without_an_answer_is_not_counted() -> None:
    times = CopyTimes(LIMIT)
    times.find(["a"], 0, NS, FRESH, FAR)
    times.fail(["a"], 10 * NS)
    assert total(times) == NOTHING._replace(unknown=1)
    times.find(["a"], 20 * NS, 21 * NS, FRESH, FAR)
    assert total(times) == NOTHING
    # Judged in the same minute after all, it is no longer unknown.
    times.find(["a"], 30 * NS, 31 * NS, FRESH, FAR)
    whole = total(times)
    assert (whole.unknown, whole.good, whole.good_weight) == (-1, 1, 9.0)


def test_a_copy_that_was_not_read_for_long_was_not_watched() -> None:
    times = CopyTimes(LIMIT)
    times.find(["a"], 0, NS, FRESH, 5 * NS)
    times.find(["a"], 10 * NS, 11 * NS, FRESH, 5 * NS)
    assert total(times) == NOTHING
    times.part()
    times.find(["a"], 12 * NS, 13 * NS, FRESH, 5 * NS)
    assert total(times) == NOTHING
    times.forget(["a"])
    assert not times.change("a")


def test_late_evidence_tells_newest_minutes_otherwise() -> None:
    times = CopyTimes(LIMIT)
    unknown, stale = Bounds(0, None, 0, None), Bounds(30 * NS, 40 * NS, 1, None)
    times.find(["a"], 0, NS, FRESH, FAR)
    times.find(["a"], 51 * NS, 52 * NS, unknown, FAR)
    before = part_time(NS, 51 * NS, 52 * NS, unknown, LIMIT)
    after = part_time(NS, 51 * NS, 52 * NS, stale, LIMIT)
    assert total(times).indeterminate == 1
    times.retell("a", before, after)
    minutes, keys = times.take()
    assert keys == {(0, "a"): 10.0}
    assert (minutes[0].bad, minutes[0].indeterminate, minutes[0].bad_weight) == (1, -1, 10.0)
    times.find(["a"], 400 * NS, 401 * NS, FRESH, FAR)
    times.find(["a"], 800 * NS, 801 * NS, FRESH, FAR)
    times.take()
    times.retell("a", after, before)
    assert times.take() == ({}, {})


class World(NamedTuple):
    """One key: when versions 1, 2 … were committed, which one a copy held from when on, its reads.

    `slack` is how far off bounds are; a read without a version failed.
    """

    commits: list[int]
    held: list[tuple[int, int]]
    reads: list[tuple[int, int]]
    slack: int

    def holds(self, at: int) -> int:
        return [version for since, version in self.held if since <= at][-1]

    def held_all(self, since: int, until: int) -> bool:
        return not any(since < at <= until for at, _ in self.held)

    def superseded(self, version: int) -> int | None:
        return self.commits[version] if version < len(self.commits) else None

    def bounds(self, version: int, start: int, end: int) -> Bounds:
        """Sound, and as wide as the slack."""
        at = self.superseded(version)
        if at is None or at > start:
            return Bounds(0, max(0, end - start) + self.slack, 0, None)
        return Bounds(max(0, start - at - self.slack), end - at + self.slack, 1, None)

    def stale_ns(self, since: int, until: int) -> int:
        """How much of a stretch the copy was truly staler than the limit."""
        edges = {since, until, *(at for at, _ in self.held)}
        edges |= {at + LIMIT for at in self.commits}
        inside = sorted(edge for edge in edges if since <= edge <= until)
        return sum(b - a for a, b in pairwise(inside) if self._is_stale(a))

    def _is_stale(self, at: int) -> bool:
        superseded = self.superseded(self.holds(at))
        return superseded is not None and superseded + LIMIT <= at


@st.composite
def worlds(draw: st.DrawFn) -> World:
    stamps = st.integers(1, 400)
    commits = [0, *sorted(draw(st.sets(stamps, max_size=4)))]
    held = [(0, 1)]
    for at in sorted(draw(st.sets(stamps, max_size=4))):
        exist = sum(commit <= at for commit in commits)
        version = draw(st.integers(held[-1][1], exist)) if exist >= held[-1][1] else held[-1][1]
        if version != held[-1][1]:
            held.append((at * NS, version))
    starts = sorted(draw(st.sets(st.integers(1, 420), min_size=2, max_size=12)))
    reads = [(start * NS, start * NS + draw(st.integers(0, NS // 2))) for start in starts]
    slack = draw(st.integers(0, 30)) * NS
    return World([at * NS for at in commits], held, reads, slack)


@given(st.lists(worlds(), min_size=1, max_size=3))
def test_what_is_counted_is_true_and_equals_whole_histories(several: list[World]) -> None:
    times = CopyTimes(LIMIT)
    seen: dict[Copy, Seen] = {}
    truly: defaultdict[int, int] = defaultdict(int)
    for number, world in enumerate(several):
        key, good, bad, watched = str(number), [], [], []
        last: tuple[int, int] | None = None
        for start, end in world.reads:
            version = world.holds(start)
            bounds = world.bounds(version, start, end)
            if last is not None and not world.held_all(last[0], start):
                times.change(key)
            times.find([key], start, end, bounds, FAR)
            if last is not None:
                watched.append(Interval(last[1], start))
                if world.held_all(last[0], start):
                    parted = part_time(last[1], start, end, bounds, LIMIT)
                    good.append(parted.good)
                    bad.append(parted.bad)
                    assert world.stale_ns(*parted.good) == 0
                    length = parted.bad.until_ns - parted.bad.since_ns
                    assert world.stale_ns(*parted.bad) == length
                for minute, _ in cut(Interval(last[1], start), 60):
                    since, until = max(last[1], minute * NS), min(start, (minute + 60) * NS)
                    truly[minute] += world.stale_ns(since, until)
            last = start, end
        seen[Copy(N1, key)] = Seen(bad, good, watched)
    minutes, stale = times.take()
    whole = count_time(seen).get(N1, {})
    for minute in {*minutes, *whole}:
        assert flat(minutes.get(minute, NOTHING)) == pytest.approx(flat(whole.get(minute, NOTHING)))
        assert minutes.get(minute, NOTHING).bad_weight <= truly[minute] / NS + 1e-6
    by_key: defaultdict[Copy, float] = defaultdict(float)
    for (_, key), seconds in stale.items():
        by_key[Copy(N1, key)] += seconds
    assert by_key == pytest.approx(stale_seconds(seen))


def flat(counts: Counts) -> list[float]:
    """But for clusters, which are told by whoever reads the sums."""
    return list(counts._replace(clusters=0))


@given(st.lists(st.tuples(st.sets(st.sampled_from("abcdef"), min_size=1), st.booleans())))
def test_a_batch_counts_what_its_copies_count_alone(rounds: list[tuple[set[str], bool]]) -> None:
    together, apart = CopyTimes(LIMIT), CopyTimes(LIMIT)
    for at, (keys, is_fresh) in enumerate(rounds):
        start = at * 37 * NS
        bounds = FRESH if is_fresh else Bounds(30 * NS, 45 * NS, 1, None)
        together.find(sorted(keys), start, start + NS, bounds, FAR)
        for key in keys:
            apart.find([key], start, start + NS, bounds, FAR)
    one, other = together.take(), apart.take()
    assert one.stale == pytest.approx(other.stale)
    assert {at: flat(cell) for at, cell in one.minutes.items()} == {
        at: pytest.approx(flat(cell)) for at, cell in other.minutes.items()
    }
