"""The evidence about one key on one clock, and the bounds that follow from it.

    U(v) = min{ we(v'), r(v') : v' >= v } + { oe : an origin read returned u >= v }    C(v) <= U(v)
    L(v) = max{ ws(v') : v' <= v } + { os : a linearizable read returned u < v }       C(v) >= L(v)

C(v) is the unknown instant at which v committed. With versions that the origin orders, the
definitions of Golab, Li and Shah (PODC 2011) for delta- and k-atomicity collapse to these, a read
at a time. A history is one life of a key: no evidence from before a restore or a recreation of the
key belongs here.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import NOTHING_KNOWN, Bounds, Order, Reason, Value

NEVER = float("inf")
Doubt = Reason | None
"""Why the bounds are wider than the formulas alone would give; None where they are not."""


class History:
    """Bounds on commit instants from everything known about one life of a key.

    `order` is how versions follow each other. Evidence without a version is passed over.
    """

    __slots__ = ("_asked", "_faces", "_index", "_seen", "_tried", "order")

    def __init__(self, order: Order) -> None:
        self.order = order
        # The earliest instant by which a version existed.
        self._seen: dict[int, int] = {}
        # The start of our own first attempt to write it.
        self._tried: dict[int, int] = {}
        # The last start of a leader's read that returned it.
        self._asked: dict[int, int] = {}
        # What it was seen with.
        self._faces: dict[int, set[Value]] = {}
        self._index: _Index | None = None

    def add(self, evidence: Evidence) -> None:
        """Take one more piece of evidence; the order of calls does not matter."""
        self._index = None
        match evidence:
            case OriginRead():
                self._add_origin_read(evidence)
            case Invalidation():
                _lower(self._seen, evidence.version, evidence.received)
            case Write():
                self._add_write(evidence)

    def __bool__(self) -> bool:
        return bool(self._seen or self._tried)

    def copy(self) -> "History":
        """The same evidence, to be added to apart."""
        twin = History(self.order)
        twin._seen, twin._tried, twin._asked = (
            dict(self._seen),
            dict(self._tried),
            dict(self._asked),
        )
        twin._faces = {version: set(faces) for version, faces in self._faces.items()}
        return twin

    def highest(self) -> int | None:
        """The highest version that any evidence names, or None."""
        return max((*self._seen, *self._tried), default=None)

    def is_topped_by(self, value: Value) -> bool:
        """Whether no evidence names a version above this one, or another face of it."""
        version = value.version
        if version is None or version != self.highest():
            return False
        return self._faces.get(version, {value}) == {value}

    def exceeds(self, version: int, before: int) -> bool:
        """Whether a version above this one had provably committed before that instant."""
        return any(v > version and instant < before for v, instant in self._seen.items())

    def trim(self, keep: int) -> None:
        """Forget all but the newest versions, which only widens bounds."""
        for known in (self._seen, self._tried, self._asked, self._faces):
            for version in sorted(known)[:-keep]:
                del known[version]
        self._index = None

    def contradicted(self) -> float:
        """The highest version of which the evidence contradicts itself, minus infinity if none."""
        return self._indexed().contradicted

    def bounds(self, value: Value, start: int, end: int) -> tuple[Bounds, Doubt]:
        """Bounds on the staleness of a versioned `value` read between `start` and `end`.

        With them comes what widened them, None where nothing did.
        """
        assert value.version is not None
        index = self._indexed()
        if value.version <= index.contradicted:
            return NOTHING_KNOWN, Reason.CONTRADICTION
        if index.floor(value.version, self.order, own=True) > end:
            return NOTHING_KNOWN, Reason.PHANTOM
        bounds = index.bounds(value.version, start, end, self.order)
        doubt = self._doubt(value, value.version, index)
        if doubt is not None:
            bounds = bounds._replace(upper=None, behind_upper=None)
        return bounds, doubt

    def superseded_within(self, version: int) -> tuple[int | None, int | None]:
        """L(s) and U(s) of the successor of a version; None where nothing bounds it."""
        index = self._indexed()
        after, before = index.floor(version, self.order, own=False), index.ceiling(version + 1)
        return (None if after == -NEVER else int(after)), (None if before == NEVER else int(before))

    def _add_origin_read(self, read: OriginRead) -> None:
        version = read.value.version
        if version is None:
            return
        _lower(self._seen, version, read.end)
        self._faces.setdefault(version, set()).add(read.value)
        if read.linearizable:
            _raise(self._asked, version, read.start)

    def _add_write(self, write: Write) -> None:
        version = write.value.version
        if version is None:
            return
        _lower(self._tried, version, write.start)
        if write.end is not None:
            # Only what was acknowledged shows what the version holds: another may have won.
            self._faces.setdefault(version, set()).add(write.value)
            _lower(self._seen, version, write.end)

    def _doubt(self, value: Value, version: int, index: "_Index") -> Doubt:
        if index.ceiling(version) == NEVER and version not in self._tried:
            return Reason.AHEAD if self else Reason.NO_EVIDENCE
        faces = self._faces.get(version)
        if faces and not any(value.agrees_with(face) for face in faces):
            return Reason.TORN
        return None

    def _indexed(self) -> "_Index":
        if self._index is None:
            self._index = _Index(self._seen, self._tried, self._asked)
        return self._index


class _Index:
    """Sorted views of a history, so that many reads of one key cost a bisection each."""

    __slots__ = (
        "_asked",
        "_asked_floor",
        "_closed",
        "_closing",
        "_seen",
        "_seen_ceiling",
        "_tried",
        "_tried_floor",
        "contradicted",
    )

    def __init__(self, seen: dict[int, int], tried: dict[int, int], asked: dict[int, int]) -> None:
        self._seen = sorted(seen)
        self._seen_ceiling = list(accumulate((seen[v] for v in reversed(self._seen)), min))[::-1]
        self._tried = sorted(tried)
        self._tried_floor = list(accumulate((tried[v] for v in self._tried), max))
        self._asked = sorted(asked)
        self._asked_floor = list(accumulate((asked[v] for v in self._asked), max))
        # (instant, version): nothing from that version on can have committed before the instant.
        closings = sorted(
            [(instant, v) for v, instant in tried.items()]
            + [(instant, v + 1) for v, instant in asked.items()]
        )
        self._closing = [instant for instant, _ in closings]
        self._closed = list(accumulate((v for _, v in reversed(closings)), min))[::-1]
        self.contradicted = max(
            (v for v in self._seen if self.floor(v, Order.COUNTER, own=True) > self.ceiling(v)),
            default=-NEVER,
        )

    def ceiling(self, version: int) -> float:
        """U(version), infinite where nothing shows that it committed."""
        at = bisect_left(self._seen, version)
        return self._seen_ceiling[at] if at < len(self._seen) else NEVER

    def floor(self, version: int, order: Order, own: bool) -> float:
        """L(version) (`own`), or L of the successor of `version`, minus infinity where unknown.

        Where versions do not count by one, a version that nobody saw may be the successor, so a
        write of version + 1 says nothing about it.
        """
        last_tried = version if own or order is not Order.COUNTER else version + 1
        last_asked = version - 1 if own else version
        tried = bisect_right(self._tried, last_tried)
        asked = bisect_right(self._asked, last_asked)
        return max(
            self._tried_floor[tried - 1] if tried else -NEVER,
            self._asked_floor[asked - 1] if asked else -NEVER,
        )

    def bounds(self, version: int, start: int, end: int, order: Order) -> Bounds:
        superseded = self.ceiling(version + 1)
        current = self.floor(version, order, own=False)
        lower = int(start - superseded) if superseded < start else 0
        upper = None if current == -NEVER else max(0, int(end - current))
        if order is Order.COUNTER:
            return Bounds(lower, upper, *self._behind(version, start, end))
        # Any number of versions that nobody saw may have come, unless none had by the end.
        seen = max(0, bisect_right(self._seen_ceiling, start) - bisect_right(self._seen, version))
        return Bounds(lower, upper, seen, 0 if current > end else None)

    def _behind(self, version: int, start: int, end: int) -> tuple[int, int | None]:
        """How many versions behind, where they count by one."""
        committed = bisect_right(self._seen_ceiling, start)
        lower = max(0, self._seen[committed - 1] - version) if committed else 0
        after = bisect_right(self._closing, end)
        if after == len(self._closing):
            return lower, None
        return lower, max(0, self._closed[after] - version - 1)


def _lower(known: dict[int, int], version: int, instant: int) -> None:
    if instant < known.get(version, NEVER):
        known[version] = instant


def _raise(known: dict[int, int], version: int, instant: int) -> None:
    if instant > known.get(version, -NEVER):
        known[version] = instant
