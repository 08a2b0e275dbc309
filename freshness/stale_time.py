"""Stale-key-seconds: for how long copies were proven stale, of how long they were watched.

A copy is one key at one place; its intervals are united, so that one stuck key sampled a hundred
times is one stuck key. A second of it counts in the slice in which it lies.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from freshness.counts import NOTHING, Counts, count_events
from freshness.model import Bounds
from freshness.series import Place

_NS_PER_S: Final = 10**9


class Copy(NamedTuple):
    """One key at one place."""

    place: Place
    key: str


class Interval(NamedTuple):
    """[since, until) in nanoseconds of Unix time."""

    since_ns: int
    until_ns: int


class Seen(NamedTuple):
    """What is known of one copy, each as intervals that may overlap.

    Stale is proven and wins. What was watched and is neither stale nor fresh is indeterminate.
    """

    stale: Sequence[Interval] = ()
    fresh: Sequence[Interval] = ()
    watched: Sequence[Interval] = ()


class Parted(NamedTuple):
    """Time in which one copy was there: proven fresh, then neither, then proven stale."""

    good: Interval
    open: Interval
    bad: Interval


def part_time(
    since_ns: int, start_ns: int, end_ns: int, bounds: Bounds, max_staleness_ns: int
) -> Parted:
    """[since, start) of a copy that a read in [start, end] still found, by that read's bounds.

    A copy only grows staler while it stays. It was superseded at the earliest at `end` less the
    upper bound, and is fresh until that plus the maximum; at the latest at `start` less the lower
    bound, and is stale from that plus the maximum on. Where an earlier read ended at `since` and
    found the same, a single read proves an instant, which lasts for no time.
    """
    bad_since = max(since_ns, min(start_ns, start_ns - bounds.lower + max_staleness_ns))
    good_until = since_ns
    if bounds.upper is not None:
        good_until = max(since_ns, min(bad_since, end_ns - bounds.upper + max_staleness_ns))
    return Parted(
        Interval(since_ns, good_until),
        Interval(good_until, bad_since),
        Interval(bad_since, start_ns),
    )


def count_copy(good_ns: int, bad_ns: int, open_ns: int) -> Counts:
    """One copy in one slice as one event, which weighs its seconds; NOTHING of no time at all.

    It is bad where any of its time is proven stale, else indeterminate where any is.
    """
    judged = (good_ns + bad_ns + open_ns) / _NS_PER_S
    if not judged:
        return NOTHING
    good, bad = good_ns / _NS_PER_S, bad_ns / _NS_PER_S
    kind = "bad" if bad_ns else "indeterminate" if open_ns else "good"
    return count_events(**{kind: 1})._replace(
        good_weight=good,
        bad_weight=bad,
        judged_weight=judged,
        weight_squares=judged * judged,
        bad_squares=bad * bad,
    )


def unite(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as intervals that neither overlap nor touch, in order; empty ones vanish."""
    united: list[Interval] = []
    for interval in sorted(each for each in intervals if each.since_ns < each.until_ns):
        if united and interval.since_ns <= united[-1].until_ns:
            longest = max(united[-1].until_ns, interval.until_ns)
            united[-1] = Interval(united[-1].since_ns, longest)
        else:
            united.append(interval)
    return united


def count_time(copies: Mapping[Copy, Seen], slice_s: int = 60) -> dict[Place, dict[int, Counts]]:
    """The seconds of copies as a series: weights are seconds, counts are (copy, slice) pairs.

    What `freshness.copy_time` keeps up read by read comes to the same.
    """
    series: defaultdict[Place, dict[int, Counts]] = defaultdict(dict)
    for copy, seen in copies.items():
        cells = series[copy.place]
        for start_s, counts in _slices(seen, slice_s):
            cell = cells.get(start_s, NOTHING).plus(counts)
            cells[start_s] = cell._replace(clusters=1)
    return dict(series)


def stale_seconds(
    copies: Mapping[Copy, Seen], since_ns: int = -(2**63), until_ns: int = 2**63
) -> dict[Copy, float]:
    """What each copy had of the stale seconds of a window, for an attribution by key."""
    found: dict[Copy, float] = {}
    for copy, seen in copies.items():
        inside = (
            min(each.until_ns, until_ns) - max(each.since_ns, since_ns)
            for each in unite(seen.stale)
        )
        total = sum(length for length in inside if length > 0)
        if total:
            found[copy] = total / _NS_PER_S
    return found


def _slices(seen: Seen, slice_s: int) -> Iterator[tuple[int, Counts]]:
    """Each slice of one copy as one event."""
    slices: defaultdict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for kind, interval in _kinds(seen):
        for start_s, length_ns in cut(interval, slice_s):
            slices[start_s][kind] += length_ns
    for start_s, kinds in slices.items():
        yield start_s, count_copy(kinds["good"], kinds["bad"], kinds["indeterminate"])


def _kinds(seen: Seen) -> Iterator[tuple[str, Interval]]:
    """The time of a copy, each instant once, by what is known of it."""
    known = [
        (kind, unite(intervals))
        for kind, intervals in (
            ("bad", seen.stale),
            ("good", seen.fresh),
            ("indeterminate", seen.watched),
        )
    ]
    edges = sorted({edge for _, intervals in known for each in intervals for edge in each})
    at = dict.fromkeys(("bad", "good", "indeterminate"), 0)
    for since_ns, until_ns in pairwise(edges):
        for kind, intervals in known:
            while at[kind] < len(intervals) and intervals[at[kind]].until_ns <= since_ns:
                at[kind] += 1
            if at[kind] < len(intervals) and intervals[at[kind]].since_ns <= since_ns:
                yield kind, Interval(since_ns, until_ns)
                break


def cut(interval: Interval, slice_s: int) -> Iterator[tuple[int, int]]:
    """The slices that an interval runs through, with its nanoseconds in each."""
    slice_ns = slice_s * _NS_PER_S
    start_ns = interval.since_ns - interval.since_ns % slice_ns
    while start_ns < interval.until_ns:
        end_ns = start_ns + slice_ns
        inside = min(end_ns, interval.until_ns) - max(start_ns, interval.since_ns)
        yield start_ns // _NS_PER_S, inside
        start_ns = end_ns
