"""Classes that the node's words on messages decide: late, out of order, repeated, led astray."""

from collections.abc import Iterator

from freshness.causes.cause import Sign, excludes, holds
from freshness.causes.clues import Clues, Heard, say_lapse
from freshness.propagation import Caveat, Status

ACTED = "applied"


def late(clues: Clues) -> Sign | None:
    """A receipt after the layer's maximum, and no stale read after it."""
    reports = clues.reports
    claimed = None if reports is None else reports.claimed
    if clues.takes_messages is False:
        return excludes("the layer takes no invalidations")
    if clues.is_placed:
        return excludes("the copy was put there after the newer version had committed")
    if reports is None or claimed is None:
        return None
    word = claimed.word
    if word is None:
        lost = "the sequence of the node proves that the invalidation never came"
        return excludes(lost) if reports.is_lost else None
    is_one_clock = claimed.caveat is None
    if claimed.status is Status.IN_TIME and is_one_clock:
        return excludes("the node acknowledged the invalidation in time")
    if reports.silence is not None:
        return None  # the node took no messages at all: each of them is late for that reason
    if word.outcome == "failed" or clues.stale_at is None or word.arrived_at < clues.stale_at:
        # Heard before the copy was read again, and stale then: that is no mere lateness.
        return None
    # Stamps of two hosts prove no lateness; a copy that outlived the write until it was read does.
    if not (clues.is_kept or (claimed.status is Status.LATE and is_one_clock)):
        return None
    is_lag = claimed.lag is not None and claimed.caveat is not Caveat.CLOCKS_DISAGREE
    lag = claimed.lag if is_lag else claimed.at_most
    caveat = ", by the clocks of two hosts" if claimed.caveat is Caveat.TWO_CLOCKS else ""
    return holds(
        f"{clues.node} acknowledged the invalidation{clues.clock(word.arrived_at)}, "
        f"{'' if is_lag else 'at most '}{say_lapse(lag or 0)} after the write{caveat}, "
        "and not before the copy was read stale"
    )


def reordered(clues: Clues) -> Sign | None:
    """The node acted on an older version after a newer one, and went back."""
    return _went_back(clues, is_repeat=False)


def duplicate(clues: Clues) -> Sign | None:
    """The node acted twice on one message, the second time after a newer version."""
    return _went_back(clues, is_repeat=True)


def misrouted(clues: Clues) -> Sign | None:
    """A node that does not own the key spoke of the message, and the owner did not."""
    if clues.ring is None:
        return None
    owners, reports = clues.ring.owners, clues.reports
    if owners is None:
        return excludes("each node of the layer may hold each key")
    if clues.node not in owners:
        return None
    if reports is None or not reports.told:
        return None
    strangers = sorted(set(reports.told) - set(owners))
    if clues.node in reports.told or clues.heard_by(clues.stale_at) is not None:
        return excludes(f"{clues.node}, which owns the key, acknowledged the invalidation")
    if clues.is_placed or not strangers or set(reports.told) & set(owners):
        return None
    return holds(
        f"{', '.join(strangers)} acknowledged the invalidation and {clues.node} did not, "
        "which owns the key on the ring"
    )


def _went_back(clues: Clues, *, is_repeat: bool) -> Sign | None:
    if clues.takes_messages is False:
        return excludes("the layer takes no invalidations")
    if clues.is_kept:
        return excludes("the copy was filled before the newer version was written")
    found = next(_steps_back(clues, is_repeat), None)
    if found is None:
        return None
    newer, older = found
    if older.outcome != ACTED:
        what = "the repeated message" if is_repeat else "the older message"
        return excludes(f"the node set {what} aside ({older.outcome})")
    if not (clues.is_placed or _regressed(clues)):
        return None
    again = " again" if is_repeat else ""
    return holds(
        f"{clues.node} applied version {older.version}{again} after version {newer.version}, "
        f"{say_lapse(older.at - newer.at)} later by its own clock, and went back"
    )


def _steps_back(clues: Clues, is_repeat: bool) -> Iterator[tuple[Heard, Heard]]:
    """Words on an older version after one on a newer: those acted on first, the copy's own first.

    A repeated message is one whose id the node had spoken of before.
    """
    words = () if clues.reports is None else clues.reports.words
    newer: Heard | None = None
    known: set[str] = set()
    found: list[tuple[Heard, Heard]] = []
    for word in words:
        if newer is not None and clues.is_older(word.version):
            if (word.message in known) is is_repeat:
                found.append((newer, word))
        elif newer is None and clues.is_newer(word.version) and word.outcome == ACTED:
            newer = word
        known.add(word.message)
    held = None if clues.held is None else clues.held.version
    yield from sorted(found, key=lambda each: (each[1].outcome != ACTED, each[1].version != held))


def _regressed(clues: Clues) -> bool:
    return clues.life is not None and clues.is_newer(clues.life.showed)
