"""Copies of one key that disagree at the same time, and nodes that went back to an older version.

All of it rests on reads of one clock. A claim says that the copies cannot all have been coherent:
where versions are ordered, an origin that only went forward cannot have had x, then y, then x. So
values without an order prove nothing (they recur), and no claim reaches across an instant at which
the numbers of the origin may have begun anew, nor past the last word of the origin.
Between two equal reads of one run a copy counts as having stood still, as runs do everywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from freshness.model import Read, Value


class Proof(StrEnum):
    """Whether the reads prove what they look like, or why they do not."""

    PROVEN = "proven"
    OVERLAP = "overlap"
    """The reads overlap one another: each may have been true when it was made."""
    UNORDERED = "unordered"
    """A value has no order; values may come back, so each may have been current in turn."""
    EPOCH = "epoch"
    """The numbers of the origin went back or began anew in between."""
    AHEAD = "ahead"
    """The origin had not been seen with the newer version by then: it may have been rolled back."""
    UNSETTLED = "unsettled"
    """The origin has not answered since, so that its numbers may have gone back unseen."""
    POOL = "pool"
    """Many caches answer under this name, or nothing shows that one does."""


class Standing(StrEnum):
    """What a disagreement is against the maximum staleness that is promised of the older copy."""

    BEYOND = "beyond"
    """The older copy was there for longer than promised after the newer version had committed."""
    WITHIN = "within"
    """It was over in time: normal while an invalidation spreads."""
    AROUND = "around"
    """The maximum staleness lies between the bounds, or it goes on."""
    TORN = "torn"
    """One version with two contents, which no delay explains."""
    UNKNOWN = "unknown"
    """That the copies disagreed is not proven."""


class Stay:
    """A run of equal readings at one place; `value` is None where it held nothing (a miss).

    `reads` are those whose stamps are known, the first and the last among them. It was there by
    `first_end`, and it still was at `last_start`; all of them lie between `began` and `ended`.
    """

    __slots__ = ("began", "ended", "ended_by", "first_end", "last_start", "reads", "value")

    def __init__(self, value: Value | None, reads: Sequence[Read], ended_by: str = "") -> None:
        self.value = value
        self.reads = reads
        self.ended_by = ended_by
        self.began = min(read.start for read in reads)
        self.first_end = min(read.end for read in reads)
        self.last_start = max(read.start for read in reads)
        self.ended = max(read.end for read in reads)

    def within(self, life: "Life") -> "Stay | None":
        """What of it was read while the origin is known to have gone forward only."""
        kept = [r for r in self.reads if r.start > life.since and r.end <= life.until]
        return Stay(self.value, kept, self.ended_by) if kept else None


@dataclass(frozen=True, slots=True)
class Life:
    """A time in which each answer of the origin was at or above the one before it."""

    since: int
    until: int
    stays: Sequence[Stay]

    def committed_by(self, version: int) -> int | None:
        """When the origin had been seen with this version or a newer one; None if it was not."""
        ends = (stay.first_end for stay in self.stays if _version(stay) >= version)
        return min(ends, default=None)


class Disagreement(NamedTuple):
    """Two stays whose values differ while their reads touch; positions are those of the stays.

    They began to disagree in (`since_lower`, `since_upper`] and disagreed for [`lower`, `upper`];
    None is unbounded. `behind` is the least time for which the older copy outlived the commit of
    the newer version, by the word of the origin. `is_over` once one of the two was seen with
    another value, or with none.
    """

    one: int
    other: int
    proof: Proof
    since_lower: int | None
    since_upper: int
    lower: int
    upper: int | None
    behind: int
    is_over: bool


class Regression(NamedTuple):
    """A node that showed `before` and then, in (`after`, `by`], the older version `then`."""

    proof: Proof
    before: Value
    then: Value
    after: int
    by: int
    has_restarted: bool


def lives(origin: Sequence[Stay]) -> list[Life]:
    """The lives of a key at its origin, from all that it answered, in order of time.

    A version that falls, a value without a version and a miss each may be a restore or a
    recreation, which ends a life.
    """
    parts: list[list[Stay]] = []
    for stay in origin:
        if not _is_ordered(stay):
            parts.append([])
        elif parts and parts[-1] and _goes_on(parts[-1][-1], stay):
            parts[-1].append(stay)
        else:
            parts.append([stay])
    return [Life(part[0].first_end, part[-1].last_start, part) for part in parts if part]


def disagreements(
    one: Sequence[Stay], other: Sequence[Stay], origin: Sequence[Life], *, are_single: bool = True
) -> list[Disagreement]:
    """Where the stays of two nodes differ while their reads touch, in order of the first node's.

    `are_single` is false where one of the two is a pool: then nothing is said of how long.
    """
    found = []
    for at, a, to, b in _touching(one, other):
        if a.value is None or b.value is None or a.value.agrees_with(b.value):
            continue
        proof, proven = _prove(a, b, origin)
        since = _latest(_came_after(one, at), _came_after(other, to))
        until = _earliest(_left_by(one, at), _left_by(other, to))
        lower = proven.lower if proven is not None and are_single else 0
        behind = proven.behind if proven is not None and are_single else 0
        found.append(
            Disagreement(
                one=at,
                other=to,
                proof=proof,
                since_lower=since,
                since_upper=max(a.first_end, b.first_end),
                lower=lower,
                upper=None if since is None or until is None else max(lower, until - since),
                behind=behind,
                is_over=until is not None,
            )
        )
    return found


def _touching(one: Sequence[Stay], other: Sequence[Stay]) -> Iterator[tuple[int, Stay, int, Stay]]:
    """Pairs of stays whose reads touch, with their positions; each in order of time."""
    first = 0
    for at, a in enumerate(one):
        while first < len(other) and other[first].ended < a.began:
            first += 1
        for to in range(first, len(other)):
            b = other[to]
            if b.began > a.ended:
                break
            if b.ended >= a.began:
                yield at, a, to, b


def weigh(found: Disagreement, limit: int, *, is_torn: bool) -> Standing:
    """What a disagreement is against the maximum staleness promised of the older copy."""
    if found.proof is not Proof.PROVEN:
        return Standing.UNKNOWN
    if is_torn:
        return Standing.TORN
    if found.behind > limit:
        return Standing.BEYOND
    if found.upper is not None and found.upper <= limit:
        return Standing.WITHIN
    return Standing.AROUND


def regressions(
    stays: Sequence[Stay], origin: Sequence[Life], *, is_single: bool = True
) -> list[Regression]:
    """Where a node showed a version and later an older one, in order of time.

    A proof needs the origin seen with the version before the node went back, so that the version
    was no phantom, and the origin's word after it, so that no restore explains it.
    """
    shown = [stay for stay in stays if _is_ordered(stay)]
    found = []
    for at, (last, then) in enumerate(pairwise(shown)):
        if _version(last) <= _version(then):
            continue
        before = max(shown[: at + 1], key=_version)
        proof = Proof.POOL if not is_single else _prove_regression(before, then, origin)
        restarted = any(stay.ended_by == "restart" for stay in _between(stays, before, then))
        assert before.value is not None
        assert then.value is not None
        found.append(
            Regression(proof, before.value, then.value, last.last_start, then.first_end, restarted)
        )
    return found


def _goes_on(before: Stay, after: Stay) -> bool:
    """Whether the origin only went forward; of answers out of turn nobody knows."""
    is_in_turn = before.last_start <= after.last_start and before.first_end <= after.first_end
    return is_in_turn and _version(before) <= _version(after)


class _Proven(NamedTuple):
    """What a proof rests on: the older copy as it was read in one life, and the newer one."""

    older: Stay
    newer: Stay
    committed: int

    @property
    def lower(self) -> int:
        """For how long at least both were there."""
        began = max(self.older.first_end, self.newer.first_end)
        return max(0, min(self.older.last_start, self.newer.last_start) - began)

    @property
    def behind(self) -> int:
        return self.older.last_start - self.committed


def _prove(a: Stay, b: Stay, origin: Sequence[Life]) -> tuple[Proof, _Proven | None]:
    if not (_is_ordered(a) and _is_ordered(b)):
        return Proof.UNORDERED, None
    if not _are_together(a, b):
        return Proof.OVERLAP, None
    older, newer = sorted((a, b), key=_version)
    why = Proof.UNSETTLED
    for life in reversed(origin):
        part = older.within(life)
        if part is None or not _are_together(part, newer):
            continue
        if _version(older) == _version(newer) and newer.within(life) is None:
            continue
        committed = life.committed_by(_version(newer))
        if committed is not None and committed < part.last_start:
            return Proof.PROVEN, _Proven(part, newer, committed)
        why = Proof.AHEAD
    if why is Proof.UNSETTLED and len(origin) > 1:
        why = Proof.EPOCH
    return why, None


def _prove_regression(before: Stay, then: Stay, origin: Sequence[Life]) -> Proof:
    if before.first_end >= then.last_start:
        return Proof.OVERLAP
    why = Proof.UNSETTLED
    for life in origin:
        part = then.within(life)
        if part is None:
            continue
        committed = life.committed_by(_version(before))
        if committed is not None and max(committed, before.first_end) < part.last_start:
            return Proof.PROVEN
        why = Proof.EPOCH if len(origin) > 1 else Proof.AHEAD
    return why


def _are_together(a: Stay, b: Stay) -> bool:
    """Whether both were there at one instant, whenever in its span each read was made."""
    return a.first_end < b.last_start and b.first_end < a.last_start


def _came_after(stays: Sequence[Stay], at: int) -> int | None:
    """The last instant at which the place was seen otherwise before a stay.

    A read that overlaps those of the stay may have been made after them, so it tells nothing.
    """
    value, began = stays[at].value, stays[at].began
    others = (stay for stay in reversed(stays[:at]) if stay.value != value)
    starts = ([r.start for r in stay.reads if r.end <= began] for stay in others)
    return next((max(each) for each in starts if each), None)


def _left_by(stays: Sequence[Stay], at: int) -> int | None:
    """By when the place was seen otherwise after a stay."""
    value, ended = stays[at].value, stays[at].ended
    others = (stay for stay in stays[at + 1 :] if stay.value != value)
    ends = ([r.end for r in stay.reads if r.start >= ended] for stay in others)
    return next((min(each) for each in ends if each), None)


def _between(stays: Sequence[Stay], one: Stay, other: Stay) -> Iterable[Stay]:
    return stays[stays.index(one) : stays.index(other)]


def _is_ordered(stay: Stay) -> bool:
    return stay.value is not None and stay.value.version is not None


def _version(stay: Stay) -> int:
    assert stay.value is not None
    assert stay.value.version is not None
    return stay.value.version


def _latest(*instants: int | None) -> int | None:
    return max((each for each in instants if each is not None), default=None)


def _earliest(*instants: int | None) -> int | None:
    return min((each for each in instants if each is not None), default=None)
