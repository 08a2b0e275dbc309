"""Values without a version: what can be said of a copy by equality alone.

Values recur (A, B, A between two looks), so a digest that differs from the origin's proves nothing
superseded, unless the keyspace declares that its values never come back. A digest that equals what
the leader returned was current at some instant of that read, and that bounds its staleness.
"""

from freshness.evidence import Evidence, OriginRead, Write
from freshness.model import NOTHING_KNOWN, Bounds, Reason, Value


def digest_of(value: Value) -> Value | None:
    """The value without its version, None where nothing but the version stands for it."""
    digest = Value(None, value.projection, value.absent)
    return None if digest == Value() else digest


class Digests:
    """When each unversioned value of a key was provably current, on one clock."""

    __slots__ = ("_current", "_recurs")

    def __init__(self, recurs: bool = True) -> None:
        self._recurs = recurs
        # (end, start) of leader's reads that returned the digest and of acknowledged writes of it.
        self._current: dict[Value, list[tuple[int, int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._current)

    def add(self, evidence: Evidence) -> None:
        """Take one more piece of evidence, in any order; a replica's word counts for nothing."""
        match evidence:
            case OriginRead(value, start, end, linearizable=True) | Write(
                value, start, int() as end
            ):
                digest = digest_of(value)
                if digest is not None:
                    self._current.setdefault(digest, []).append((end, start))
            case _:
                pass

    def bounds(self, digest: Value, start: int, end: int) -> tuple[Bounds, Reason | None]:
        """Bounds on the staleness of a copy read between `start` and `end`, and any doubt."""
        if not self._current:
            return NOTHING_KNOWN, Reason.NO_EVIDENCE
        reads = self._current.get(digest, [])
        before = [read_start for read_end, read_start in reads if read_end <= start]
        if not before:
            return NOTHING_KNOWN, Reason.MISMATCH
        if self._recurs or digest.absent:
            return Bounds(0, max(0, end - max(before)), 0, None), None
        return self._bounds_of_lasting(digest, start, end)

    def trim(self, keep: int) -> None:
        """Forget all but the newest reads of the newest digests, which only widens bounds."""
        newest = sorted(self._current, key=lambda digest: max(self._current[digest]))[-keep:]
        self._current = {digest: _ends(self._current[digest]) for digest in newest}

    def _bounds_of_lasting(
        self, digest: Value, start: int, end: int
    ) -> tuple[Bounds, Reason | None]:
        """A digest that never comes back: another one, current after it, supersedes it."""
        reads = self._current[digest]
        since = min(read_end for read_end, _ in reads)
        gone = min(
            (
                other_end
                for other, others in self._current.items()
                # A row that is removed and made again with the same content is no other value.
                if other != digest and not other.absent
                for other_end, other_start in others
                # Equal stamps order nothing: the other one may have come first.
                if other_start > since
            ),
            default=None,
        )
        lower = max(0, start - gone) if gone is not None else 0
        upper = max(0, end - max(read_start for _, read_start in reads))
        if lower > upper:
            return NOTHING_KNOWN, Reason.CONTRADICTION
        return Bounds(lower, upper, int(gone is not None and gone <= start), None), None


def _ends(reads: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [min(reads), max(reads)] if len(reads) > 1 else reads
