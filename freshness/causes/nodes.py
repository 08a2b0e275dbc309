"""Classes that meet a whole node: cut off, deaf, come back, a clock or a lifetime of its own."""

from freshness.causes.cause import Sign, excludes, holds
from freshness.causes.clues import Absence, Clues, Neighbours, count, say_lapse
from freshness.fill import NS_PER_S
from freshness.ttl_drift import Drift


def partitioned(clues: Clues) -> Sign | None:
    """Every key of the node that changed is behind, and nothing reached it since."""
    around = clues.around
    if around.current:
        keys = count(around.current, "other key")
        return excludes(f"{keys} that had changed by then {_were(around.current)} current there")
    if around.filled:
        keys = count(around.filled, "other key")
        return excludes(f"{keys} {_were(around.filled)} filled there meanwhile")
    if clues.is_placed:
        return excludes("the node was filled from below after the newer version had committed")
    if _passed(clues):
        return excludes(f"{clues.node} acknowledged other messages meanwhile")
    if clues.heard_by(clues.stale_at) is not None:
        return excludes(f"{clues.node} acknowledged a newer version meanwhile")
    if not around.is_outage:
        return None
    return holds(
        f"all {around.behind} other keys that had changed by then were stale on {clues.node}, too"
    )


def deaf(clues: Clues) -> Sign | None:
    """The sequence of the node is frozen while others advance, and yet it is filled from below."""
    if clues.takes_messages is False:
        return excludes("the layer takes no invalidations")
    if clues.is_placed:
        return excludes("the copy was put there after the newer version had committed")
    if _passed(clues):
        return excludes(f"{clues.node} acknowledged other messages meanwhile")
    if clues.heard_by(clues.stale_at) is not None:
        return excludes(f"{clues.node} acknowledged a newer version meanwhile")
    reports = clues.reports
    if reports is None or reports.silence is None or not reports.silence.is_deaf:
        return None
    # Without a copy that came from below meanwhile, it may as well be cut off from everything.
    if not reports.sent_after_silence or not clues.around.is_reached:
        return None
    missed = count(reports.silence.missed, "message")
    return holds(
        f"{clues.node} acknowledged none of {missed} that others did, "
        f"and {_say_reached(clues.around)} all the same: it was filled, and did not hear"
    )


def zombie(clues: Clues) -> Sign | None:
    """An old value after the node came back."""
    life = clues.life
    if life is None:
        return None
    absence, after = life.absence, clues.commit.after
    if absence is None:
        is_steady = life.steady_since is not None and after is not None
        if is_steady and (life.steady_since or 0) <= (after or 0):
            return excludes(f"{clues.node} was there all the time since before the write")
        return None
    if after is not None and absence.back < after:
        return excludes(f"{clues.node} was back before the newer version was written")
    if absence.is_restart and not absence.is_steady:
        return None  # a balancer shows another one each time
    return _returned(clues, absence)


def wrong_ttl(clues: Clues) -> Sign | None:
    """The copy was given a longer life than the documented one, and was stale for longer than that.

    Before that a copy of the documented lifetime may be as stale: then its end is not the cause.
    """
    drift = clues.ttl
    if drift is None or drift.is_longer is None:
        return None
    if not drift.is_longer:
        return excludes("the copy's lifetime was no longer than the documented one")
    if clues.takes_messages is not False and _is_message_known(clues):
        return excludes("an invalidation was due, and what became of it left the copy to its TTL")
    if not _is_overdue(clues, drift):
        return None
    return holds(f"{drift.say()}, and the copy was stale for longer than that")


def skewed(clues: Clues) -> Sign | None:
    """The clock of the host is off, and the lifetimes of the whole node are shifted alike."""
    skew = clues.skew
    if skew is None or skew.is_off is None:
        return None
    if not skew.is_off:
        return excludes(f"the clock of {clues.node} was right to {say_lapse(skew.tolerance)}")
    if not skew.explains_shift:
        return None
    return holds(f"the clock of {clues.node} was {skew.say()}, and all its lifetimes with it")


def _returned(clues: Clues, absence: Absence) -> Sign | None:
    how = "restarted" if absence.is_restart else "was away"
    when = clues.clock(absence.back)
    if clues.is_newer(absence.showed):
        return holds(
            f"{clues.node} showed version {absence.showed}, {how}, "
            f"and showed an older one once it was back{when}"
        )
    after, before = clues.commit
    if after is None or before is None or clues.heard_by(clues.stale_at) is not None:
        return None
    is_kept = clues.held is not None and absence.showed == clues.held.version is not None
    # An origin is read before its caches: the write may lie a little before the last answer, as
    # long as its message was not overdue by then.
    if is_kept and absence.left - clues.limit <= after and absence.left <= before <= absence.back:
        if clues.reports is not None and clues.reports.silence is not None:
            return excludes(f"{clues.node} was back{when}, and heard nothing all the same")
        return holds(
            f"{clues.node} {how} for up to {say_lapse(absence.back - absence.left)} around the "
            f"write of the newer version, and came back{when} with the copy from before"
        )
    return None


def _is_overdue(clues: Clues, drift: Drift) -> bool:
    """Whether the copy was stale for longer than a documented lifetime."""
    before = clues.commit.before
    if before is None or clues.stale_at is None:
        return False
    return clues.stale_at - before > (drift.documented_s + drift.jitter_s) * NS_PER_S


def _is_message_known(clues: Clues) -> bool:
    """Whether it is known what became of the invalidation at the node."""
    reports = clues.reports
    if reports is None:
        return False
    is_answered = reports.claimed is not None and reports.claimed.word is not None
    return reports.is_lost or reports.passed_at is not None or is_answered


def _passed(clues: Clues) -> bool:
    """Whether the node spoke of messages while the copy was stale."""
    reports = clues.reports
    if reports is None or clues.stale_at is None:
        return False
    words = (at for at in (reports.passed_at, reports.spoke_at) if at is not None)
    return any(at < clues.stale_at for at in words)


def _say_reached(around: Neighbours) -> str:
    if around.current:
        return f"held the newest version of {count(around.current, 'key')}"
    return f"took up {count(around.filled, 'key')} that it had not held before"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
