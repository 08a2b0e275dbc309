"""Classes that the copy itself decides: when it was filled, and what it holds."""

from freshness.causes.cause import Sign, excludes, holds
from freshness.causes.clues import Clues, Reports, say_lapse
from freshness.torn import is_torn


def lost(clues: Clues) -> Sign | None:
    """F_hi < L(s), or a gap in the sequence: no invalidation has taken the copy away."""
    if clues.takes_messages is False:
        return excludes("the layer takes no invalidations")
    if clues.is_placed:
        return excludes(_placed(clues))
    word = None if clues.reports is None else _word(clues.reports)
    if word is not None:
        return excludes(f"{clues.node} acknowledged the invalidation{clues.clock(word)}")
    early = clues.heard_by(clues.stale_at)
    if early is not None:
        when = clues.clock(early.arrived_at)
        return excludes(f"{clues.node} acknowledged a newer version{when} and kept the copy")
    if clues.is_kept:
        return holds(f"{say_kept(clues)}, and was kept{_silence(clues)}")
    if clues.reports is not None and clues.reports.is_lost:
        return holds(
            f"{clues.node} acknowledged the messages before and after the invalidation, "
            "and never the invalidation"
        )
    return None


def raced(clues: Clues) -> Sign | None:
    """F_lo > U(s): an old value was put there after the newer version had committed."""
    if clues.is_kept:
        return excludes(say_kept(clues))
    if not clues.is_placed or clues.fill is None:
        return None
    before = clues.heard_by(clues.fill.lower)
    if before is None:
        return holds(_placed(clues))
    heard = f"{clues.node} had acknowledged the invalidation{clues.clock(before.arrived_at)}"
    return holds(f"{_placed(clues)}; {heard}, before that")


def torn(clues: Clues) -> Sign | None:
    """The version is the origin's latest, the projection is not."""
    if is_torn(clues.held, clues.latest):
        return holds("the copy had the origin's version, and not the origin's value of it")
    held, latest = clues.held, clues.latest
    if held is None or held.version is None or latest is None or held.version != latest.version:
        return None  # an older version is stale whatever it looks like, so nobody asks
    return None if is_torn(held, latest) is None else excludes("the copy had the origin's value")


def say_kept(clues: Clues) -> str:
    """F_hi < L(s) in words."""
    assert clues.fill is not None
    assert clues.commit.after is not None
    lead = clues.commit.after - clues.fill.upper
    when = clues.clock(clues.commit.after)
    return (
        f"the copy was filled at least {say_lapse(lead)} before the newer version was written{when}"
    )


def _placed(clues: Clues) -> str:
    assert clues.fill is not None
    assert clues.commit.before is not None
    lead = clues.fill.lower - clues.commit.before
    when = clues.clock(clues.commit.before)
    return (
        f"the copy was filled at least {say_lapse(lead)} after the newer version "
        f"had committed{' by' + when.removeprefix(' at') if when else ''}"
    )


def _word(reports: Reports) -> int | None:
    """When the node's word on the successor's message arrived, if it acted on it."""
    word = None if reports.claimed is None else reports.claimed.word
    return None if word is None or word.outcome == "failed" else word.arrived_at


def _silence(clues: Clues) -> str:
    """What the node's receipts add."""
    reports = clues.reports
    if reports is None:
        return ""
    if reports.is_lost or reports.passed_at is not None:
        return "; the node acknowledged later messages and not this one"
    if reports.silence is not None and reports.silence.is_deaf and reports.sent_after_silence:
        return "; the node acknowledged nothing any more: deaf, or cut off"
    return ""
