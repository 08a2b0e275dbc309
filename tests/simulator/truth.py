"""What was true of a read, and in which histories no judge could have known better.

The limits of the method. In these histories a sound judge that ever says anything else than
"indeterminate" is impossible, because another history, in which its verdict is right, leaves the
same evidence; they are checked like the others, and counted apart:

hidden-life
    A restore, or a deletion without a version and a recreation, put version numbers back, and no
    evidence on the reading clock shows it. Evidence shows it where a linearizable origin read of
    the new life returned less than (or, after a deletion, absence instead of) a version of the old
    life that is known to have committed before that read began. From the second such life on, and
    where the key was first seen absent (which may be a deletion), the word of the old life must
    itself be a linearizable read: a message has no start stamp that could tell its life.
unwitnessed-reuse
    The life that ended is known to have ended, but reached numbers that no evidence of it shows;
    a cache still holds such a number (or a late message or a lagging replica still tells it), and
    the new life reaches it too.
phantom-reuse
    A cache holds a number that never committed there, and another writer's commit took the number
    (or a later one, which with a counter implies it).

Beyond these, the simulator keeps to what the method asks of those who record evidence: an attempt
that lost a race is no write, the first attempt of a retry is recorded before the second, messages
come from commit-ordered sources, one clock id is one clock, and digests that were declared not to
recur do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import ABSENT
from tests.simulator.timeline import State, index_at
from tests.simulator.world import PHANTOM, Piece, Read, World


@dataclass(frozen=True)
class Truth:
    """Of one cache read; a phantom was never current, so its staleness is None."""

    staleness: int | None
    behind_least: int
    """Versions of a larger number committed since; restores and reused numbers left out."""
    behind_most: int
    """Changes of any kind committed since."""
    limit: str | None
    """Which limit of the method the read falls under, if any."""


def truth_of(world: World, read: Read, evidence: Sequence[Piece]) -> Truth:
    """The truth about a read, and the limit that a judge with this evidence runs into."""
    limit = limit_of(world, read, evidence)
    if read.identity == PHANTOM:
        return Truth(None, 0, len(world.states), limit)
    newest = index_at(world.states, read.instant)
    last = _last_current(world.states, read, newest)
    if last is None or last == newest:
        return Truth(0, 0, 0, limit)
    since = world.states[last + 1 : newest + 1]
    version = read.value.version
    larger = [s for s in since if version is None or (s.value.version or 0) > version]
    staleness = read.instant - world.states[last + 1].instant
    return Truth(staleness, len(larger), len(since), limit)


def _last_current(states: list[State], read: Read, newest: int) -> int | None:
    for index in range(newest, -1, -1):
        if _is_what(states[index], read):
            return index
    return None


def _is_what(state: State, read: Read) -> bool:
    """Whether a state is the value that was read, as far as the read showed it.

    Without a version the content alone counts: any absence is a not-found, versioned ones too.
    """
    if read.value.version is not None:
        return state.identity == read.identity
    if read.value.absent:
        return state.value.absent
    return state.value.projection == read.value.projection


def limit_of(world: World, read: Read, evidence: Sequence[Piece]) -> str | None:
    """The limit of the method that a read falls under with this evidence, by name."""
    if read.identity == PHANTOM:
        reached = max((_version(p) for p in evidence), default=-1)
        return "phantom-reuse" if reached >= (read.value.version or 0) else None
    lives = max(state.life for state in world.states)
    if lives == 0:
        return None
    shown = [_shown_by(life, evidence) for life in range(1, lives + 1)]
    if None in shown:
        return "hidden-life"
    starts = [start for start in shown if start is not None]
    if _tells_unwitnessed(starts, evidence) or _holds_unwitnessed(world, read, starts, evidence):
        return "unwitnessed-reuse"
    return None


def _shown_by(life: int, evidence: Sequence[Piece]) -> int | None:
    """The earliest start of an origin read that shows that a life had begun, if one does."""
    starts = [
        piece.evidence.start
        for piece in evidence
        if piece.life == life and isinstance(piece.evidence, OriginRead)
        if piece.evidence.linearizable and _shows(piece.evidence, life, evidence)
    ]
    return min(starts, default=None)


def _shows(read: OriginRead, life: int, evidence: Sequence[Piece]) -> bool:
    if read.value != ABSENT and read.value.version is None:
        return False
    return any(
        _end(old.evidence) < read.start  # equal stamps order nothing
        and (read.value == ABSENT or _version(old) > (read.value.version or 0))
        for old in evidence
        if old.life == life - 1
        and _version(old) >= 0
        and (_is_leaders(old) or not _follows_a_life(life, evidence))
        and _proves_commit(old.evidence)
    )


def _follows_a_life(life: int, evidence: Sequence[Piece]) -> bool:
    """Whether the life before this one may itself have followed another, as a judge sees it."""
    began_absent = any(_is_leaders(p) and p.life == 0 and _version(p) < 0 for p in evidence)
    return life > 1 or began_absent


def _tells_unwitnessed(starts: list[int], evidence: Sequence[Piece]) -> bool:
    """Whether something arrived late that tells a number its life was not known to reach."""
    return any(
        _end(late.evidence) > starts[late.life]
        and not _is_leaders(late)
        and _version(late) > _witnessed(late.life, starts[late.life], evidence)
        for late in evidence
        if late.life < len(starts)
    )


def _holds_unwitnessed(
    world: World, read: Read, starts: list[int], evidence: Sequence[Piece]
) -> bool:
    owner = next(state for state in world.states if state.identity == read.identity)
    if read.value.version is None or owner.life >= len(starts):
        return False
    return read.value.version > _witnessed(owner.life, starts[owner.life], evidence)


def _witnessed(life: int, start: int, evidence: Sequence[Piece]) -> int:
    """The largest number that is known to have been reached up to a life, when it ended."""
    known = [
        _version(p)
        for p in evidence
        if p.life <= life and _end(p.evidence) <= start and _proves_commit(p.evidence)
    ]
    return max(known, default=-1)


def _is_leaders(piece: Piece) -> bool:
    return isinstance(piece.evidence, OriginRead) and piece.evidence.linearizable


def _proves_commit(evidence: Evidence) -> bool:
    return not isinstance(evidence, Write) or evidence.end is not None


def _version(piece: Piece) -> int:
    one = piece.evidence
    version = one.version if isinstance(one, Invalidation) else one.value.version
    return -1 if version is None else version


def _end(evidence: Evidence) -> float:
    if isinstance(evidence, Invalidation):
        return evidence.received
    return float("inf") if evidence.end is None else evidence.end
