"""Classes that what a copy was filled from decides: a lagging replica, a stale layer below."""

from freshness.causes.cause import Sign, excludes, holds
from freshness.causes.clues import Clues, Source, Standing


def replica_lag(clues: Clues) -> Sign | None:
    """Filled after the commit, from a replica that still had the old version."""
    return _filled_from(clues, is_replica=True)


def repoisoned(clues: Clues) -> Sign | None:
    """Filled after the commit, from a lower layer whose copy was stale itself."""
    return _filled_from(clues, is_replica=False)


def _filled_from(clues: Clues, *, is_replica: bool) -> Sign | None:
    if clues.is_kept:
        return excludes("the copy was filled before the newer version was written")
    asked = [source for source in clues.sources if source.is_replica is is_replica]
    if not asked:
        return None
    if all(map(_is_current, asked)):
        return excludes(
            f"{_names(clues, is_replica)} had the newer version at the time of the fill"
        )
    # One source that was not seen may have served the fill: then nothing is decided.
    others = [source for source in clues.sources if source.is_replica is not is_replica]
    are_behind = all(source.standing is Standing.BEHIND for source in asked)
    # A layer that held nothing passed on what the replica had.
    may_pass = _passes_on if is_replica else _is_current
    if not clues.is_placed or not are_behind or not all(map(may_pass, others)):
        return None
    return holds(
        f"the copy was filled after the newer version had committed"
        f"{_not_before(clues)}, when {_names(clues, is_replica)} had the old one"
    )


def _names(clues: Clues, is_replica: bool) -> str:
    names = [source.name for source in clues.sources if source.is_replica is is_replica]
    return " and ".join(names)


def _is_current(source: Source) -> bool:
    return source.standing is Standing.CURRENT


def _passes_on(source: Source) -> bool:
    return source.standing in {Standing.CURRENT, Standing.ABSENT}


def _not_before(clues: Clues) -> str:
    when = clues.clock(None if clues.fill is None else clues.fill.lower)
    return f" (not before{when.removeprefix(' at')})" if when else ""
