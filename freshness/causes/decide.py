"""All classes at once: the table, their order, and one answer with what it rules out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from freshness.causes import copies, messages, nodes, sources
from freshness.causes.cause import Cause, Diagnosis, Sign, is_narrower
from freshness.causes.clues import Clues

Look = Callable[[Clues], Sign | None]

CLASSES: Final[Sequence[tuple[Cause, Look]]] = (
    # A copy of the latest version is not stale at all: no other class can be meant.
    (Cause.TORN_VALUE, copies.torn),
    # What is proven of a whole node explains each of its keys, so it comes before what is proven
    # of one. A wrong clock comes first: it makes doubtful when anything was filled.
    (Cause.CLOCK_SKEW, nodes.skewed),
    (Cause.ZOMBIE_REJOIN, nodes.zombie),
    (Cause.DEAF_SUBSCRIBER, nodes.deaf),
    # A word on the very message tells more than how other keys fared: a queue that is worked off
    # leaves many keys behind for a while, too.
    (Cause.MISROUTED_KEY, messages.misrouted),
    (Cause.LATE_INVALIDATION, messages.late),
    (Cause.PARTITIONED_NODE, nodes.partitioned),
    (Cause.DUPLICATE, messages.duplicate),
    (Cause.REORDERED, messages.reordered),
    # Where a copy came from, and how long it was to stay.
    (Cause.REPLICA_LAG_REFILL, sources.replica_lag),
    (Cause.REPOISONED, sources.repoisoned),
    (Cause.WRONG_TTL, nodes.wrong_ttl),
    # Last the two broad classes: they say when the copy was put there, and nothing says why.
    (Cause.REFILL_RACE, copies.raced),
    (Cause.LOST_INVALIDATION, copies.lost),
)
"""Each class and what decides it. The first whose discriminator holds is named."""

_ORDER: Final = {cause: at for at, (cause, _) in enumerate(CLASSES)}


def diagnose(clues: Clues) -> Diagnosis:
    """Decide the class from what is known; UNDECIDED where the evidence allows more than one.

    The answer is the same whatever order the clues came in, and every class that is ruled out says
    why.
    """
    signs = {cause: sign for cause, look in CLASSES if (sign := look(clues)) is not None}
    ruled_out = {cause: sign.because for cause, sign in signs.items() if not sign.is_for}
    for cause, sign in signs.items():
        if sign.is_for:
            return Diagnosis(cause, sign.because, ruled_out)
    return Diagnosis(Cause.UNDECIDED, _say_what_lacks(clues), ruled_out)


def reconcile(probed: Diagnosis, gathered: Diagnosis) -> Diagnosis:
    """One answer from what a node's probes decided at once, and what all stored evidence decides.

    The narrower of two classes stands, since it contradicts the broader one in nothing; what the
    wider evidence rules out is withdrawn; two classes that exclude each other are undecided.
    """
    ruled_out = {**probed.ruled_out, **gathered.ruled_out}
    if probed.cause in gathered.ruled_out or probed.cause is Cause.UNDECIDED:
        chosen = gathered
    elif gathered.cause is Cause.UNDECIDED or is_narrower(probed.cause, gathered.cause):
        chosen = probed
    elif gathered.cause is probed.cause or is_narrower(gathered.cause, probed.cause):
        chosen = gathered
    elif _are_of_one_kind(probed.cause, gathered.cause):
        chosen = min((probed, gathered), key=lambda each: _ORDER[each.cause])
    else:
        return _contradict(probed, gathered, ruled_out)
    if chosen.cause in ruled_out:
        return _contradict(probed, gathered, ruled_out)
    return replace(chosen, ruled_out=ruled_out)


def _are_of_one_kind(one: Cause, other: Cause) -> bool:
    """Whether some broader class holds both."""
    return any(is_narrower(one, broad) and is_narrower(other, broad) for broad in _ORDER)


def _contradict(one: Diagnosis, other: Diagnosis, ruled_out: dict[Cause, str]) -> Diagnosis:
    kept = {cause: why for cause, why in ruled_out.items() if cause not in (one.cause, other.cause)}
    because = f"the evidence contradicted itself: {one.because}; {other.because}"
    return Diagnosis(Cause.UNDECIDED, because, kept)


def _say_what_lacks(clues: Clues) -> str:
    """What would have decided."""
    early = clues.heard_by(clues.stale_at)
    if early is not None and not clues.is_placed:
        when = clues.clock(early.arrived_at)
        return (
            f"{clues.node} acknowledged a newer version{when}, and was read stale after that; "
            "when the copy was filled would tell whether it kept or refilled it"
        )
    if clues.fill is None:
        return "the copy did not tell when it was filled"
    if clues.commit.after is None and clues.commit.before is None:
        return "nothing told when the newer version was written"
    if clues.is_kept:
        return f"{copies.say_kept(clues)}, which excludes no other class"
    return "the write lies within the bounds of the fill instant"
