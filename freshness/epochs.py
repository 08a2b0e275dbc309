"""Restores and recreations cut the history of a key into lives; no evidence crosses the cut.

A life ends where the leader itself, read twice one after the other, no longer has a version that
had provably committed (a restore from a backup, a rolled-back version), or where it once says that
the row is gone (a recreated row may count its versions from one again). A number that an earlier
life used may then name two values, so such a number is never certified fresh.
"""

from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter

from freshness.digests import Digests
from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.history import NEVER, History
from freshness.judge import decide
from freshness.model import NOTHING_KNOWN, Bounds, Judgement, Order, Reason, Value


class Life:
    """One stretch of a key in which versions only grow.

    Reads that start after `opened` and end before `closed` fall in this life for sure. `taken` is
    the highest version that any other life may have used.
    """

    __slots__ = (
        "_doubted",
        "closed",
        "contradicted",
        "history",
        "opened",
        "suspect",
        "taken",
    )

    def __init__(self, history: History, opened: float, taken: int | None) -> None:
        self.history = history
        self.opened = opened
        self.closed = NEVER
        self.contradicted = -NEVER
        self.taken = taken
        self.suspect: OriginRead | None = None
        self._doubted: History | None = None

    def add(self, evidence: Evidence) -> None:
        """Take evidence that belongs to this life for sure."""
        self.history.add(evidence)
        self._doubted = None

    def admit(self, read: OriginRead) -> None:
        """Take a leader's read that found this life alive; a lone contradiction before it stays."""
        if self.suspect is not None:
            self.add(self.suspect)
            self.suspect = None
        self.add(read)

    def doubt(self, read: OriginRead) -> None:
        """Hold a leader's read that contradicts this life until another one decides about it."""
        if self.suspect is not None:
            self.add(self.suspect)
        self.suspect = read
        self._doubted = None

    def holds(self, evidence: Evidence) -> bool:
        """Whether evidence belongs to this life, not to one before.

        A late message or a lagging replica may speak of an earlier life, whenever it comes.
        """
        if self.is_first:
            return True
        match evidence:
            case OriginRead(linearizable=True) | Write():
                return evidence.start > self.opened
            case _:
                return False

    def take(self, version: int | None) -> None:
        """Note a version that another life may have used."""
        if version is not None:
            self.taken = version if self.taken is None else max(self.taken, version)

    def seal(self, evidence: Iterable[Evidence]) -> None:
        """Keep only this evidence: what else there was may be of the next life.

        Where it contradicted what is kept, it goes on doing so.
        """
        self.contradicted = self.doubted().contradicted()
        self.history = History(self.history.order)
        self.suspect = None
        for one in evidence:
            self.add(one)

    def doubted(self) -> History:
        """The evidence, with what contradicts it and is not yet decided."""
        if self.suspect is None:
            return self.history
        if self._doubted is None:
            self._doubted = self.history.copy()
            self._doubted.add(self.suspect)
        return self._doubted

    @property
    def is_first(self) -> bool:
        """Whether nothing is known of a life before this one."""
        return self.opened == -NEVER

    def highest_taken(self) -> int | None:
        """The highest version that this life or any before it may have used."""
        suspected = self.suspect.value.version if self.suspect is not None else None
        used = (self.taken, self.history.highest(), suspected)
        return max((version for version in used if version is not None), default=None)

    def is_taken(self, version: int | None) -> bool:
        """Whether the number may name a value of another life."""
        return version is not None and self.taken is not None and version <= self.taken


class Epochs:
    """All the evidence about one key on one clock, and the judge of reads on it."""

    __slots__ = ("_digests", "_evidence", "_lives", "_order")

    def __init__(
        self, order: Order, evidence: Iterable[Evidence] = (), recurs: bool = True
    ) -> None:
        self._order = order
        self._digests = Digests(recurs)
        self._lives = [Life(History(order), -NEVER, None)]
        self._evidence = sorted(evidence, key=_place)
        for one in self._evidence:
            self.observe(one)

    @property
    def number(self) -> int:
        """How many lives the key has begun, less one."""
        return len(self._lives) - 1

    def observe(self, evidence: Evidence) -> bool:
        """Take one more piece of evidence, in order of time; True where it begins a new life."""
        self._digests.add(evidence)
        life = self._lives[-1]
        if isinstance(evidence, OriginRead) and evidence.linearizable:
            return self._observe_leader(life, evidence)
        if life.holds(evidence):
            life.add(evidence)
        else:
            life.take(_version(evidence))
        return False

    def judge(self, value: Value, start: int, end: int, max_staleness: int) -> Judgement:
        """The verdict on a read of `value` between `start` and `end`, for a maximum staleness."""
        if value.version is not None:
            bounds, doubt = self._bounds_of_version(value, start, end)
        else:
            bounds, doubt = self._digests.bounds(value, start, end)
        return decide(bounds, doubt, max_staleness)

    def is_calm(self, value: Value) -> bool:
        """Whether a copy that equals the leader's last word needs no second thought."""
        life = self._lives[-1]
        if value.version is None:
            return True
        return life.is_first and life.suspect is None and life.history.is_topped_by(value)

    def superseded_within(self, value: Value) -> tuple[int | None, int | None]:
        """L and U of the successor of a versioned value in the present life; None is unbounded."""
        if value.version is None:
            return None, None
        return self._lives[-1].history.superseded_within(value.version)

    def trim(self, keep: int) -> None:
        """Forget earlier lives and all but the newest versions of this one."""
        del self._lives[:-1]
        self._evidence.clear()
        self._lives[-1].history.trim(keep)
        self._digests.trim(keep)

    def _bounds_of_version(
        self, value: Value, start: int, end: int
    ) -> tuple[Bounds, Reason | None]:
        """Bounds by the evidence of the one life that the read falls in for sure."""
        instant: float = start
        # Stamps that equal the edge of a life order nothing: such a read is of either.
        life = self._lives[bisect_left(self._lives, instant, key=attrgetter("opened")) - 1]
        if end >= life.closed or (not life.is_first and start <= life.opened):
            return NOTHING_KNOWN, Reason.CONTRADICTION
        if value.version is not None and value.version <= life.contradicted:
            return NOTHING_KNOWN, Reason.CONTRADICTION
        bounds, doubt = life.doubted().bounds(value, start, end)
        if doubt is Reason.NO_EVIDENCE and self._digests:
            doubt = Reason.INCOMPARABLE
        if life.is_first:
            return bounds, doubt
        bounds = bounds._replace(behind_upper=None)
        if doubt is None and life.is_taken(value.version):
            return bounds._replace(upper=None), Reason.EPOCH
        return bounds, doubt

    def _observe_leader(self, life: Life, read: OriginRead) -> bool:
        if read.value.version is None and read.value.absent:
            self._begin(life, read)
            return True
        if not life.holds(read):
            life.take(read.value.version)
            return False
        suspect = life.suspect
        if not _contradicts(life, read):
            life.admit(read)
            return False
        if suspect is not None and _confirms(suspect, read):
            self._begin(life, suspect, read)
            return True
        life.doubt(read)
        return False

    def _begin(self, life: Life, *reads: OriginRead) -> None:
        """Close a life where it was last surely alive, and open the next."""
        born = Life(History(self._order), reads[0].end, life.highest_taken())
        life.closed = max(
            (at for one in self._evidence if (at := _alive_at(one, reads[0])) is not None),
            default=-NEVER,
        )
        if life.suspect in reads:
            life.suspect = None
        life.seal(
            one for one in self._evidence if life.holds(one) and _place(one)[0] <= life.closed
        )
        for read in reads:
            born.admit(read)
        self._lives.append(born)


def _alive_at(evidence: Evidence, contradiction: OriginRead) -> int | None:
    """When evidence shows, before the leader was read, a version that it no longer had then."""
    match evidence:
        case OriginRead(value, start, int() as end, True) | Write(value, start, int() as end):
            undone = contradiction.value.version
            is_newer = value.version is not None and (undone is None or value.version > undone)
            return start if is_newer and end < contradiction.start else None
        case _:
            return None


def _contradicts(life: Life, read: OriginRead) -> bool:
    """Whether the leader no longer has a version that had committed before it was asked."""
    return read.value.version is not None and life.history.exceeds(read.value.version, read.start)


def _confirms(suspect: OriginRead, read: OriginRead) -> bool:
    """Whether a second leader's read, after the first, bears out that versions went back."""
    if suspect.value.version is None or read.value.version is None:
        return False
    return suspect.end <= read.start and suspect.value.version <= read.value.version


def _version(evidence: Evidence) -> int | None:
    return evidence.version if isinstance(evidence, Invalidation) else evidence.value.version


def _place(evidence: Evidence) -> tuple[int, int, str]:
    """Where a piece of evidence stands in time: writes by their start, all else by its end.

    Ties are broken by the evidence itself, so that the order it came in never matters.
    """
    match evidence:
        case Write(start=start):
            return start, start, repr(evidence)
        case Invalidation(received=received):
            return received, received, repr(evidence)
        case OriginRead(start=start, end=end):
            return end, start, repr(evidence)
