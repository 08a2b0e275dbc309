"""The life of a node as probes of one key show it: when it was away, and what it showed before."""

from collections.abc import Iterable, Sequence
from typing import Final

from freshness.causes import Absence, Life
from freshness.model import Result
from freshness.propagation import Sight
from store.base import NodeRow

RESTART: Final = "restart"
"""What ends a run where another identity answers."""


def find_life(
    sights: Sequence[Sight], node: NodeRow | None, held: int, read_at: int
) -> Life | None:
    """The life in which a copy was read from `read_at` on; None where the node was never read.

    `held` is the copy's version, `sights` what began by the time that its finding was opened. A
    read that got no answer parts two lives, and so does another identity. That we did not look for
    a while parts none. What is said to have been before was over before: reads may overlap.
    """
    if not sights or node is None:
        return None
    parted = _parted(sights, read_at)
    own = [each for each in sights if parted is None or each.first_start >= parted.last_end]
    newest = _newest(each for each in own if each.first_end <= read_at)
    showed = newest if newest is not None and newest > held else None
    steady_since = node.since_at_ns if node.state == "up" else None
    before = [each for each in sights if parted is not None and each.last_end <= parted.last_end]
    answered = [each for each in before if each.result is not Result.UNKNOWN]
    if parted is None or not own or not answered or showed is not None:
        # What went back within one life did not come back with it.
        return Life(steady_since, showed)
    back = min(each.first_end for each in own)
    absence = Absence(
        left=max(each.last_start for each in answered),
        back=back,
        showed=_newest(answered),
        is_restart=parted.ended_by == RESTART,
        is_steady=steady_since is not None and steady_since <= back,
    )
    return Life(steady_since, None, absence)


def of_one_identity(sights: Sequence[Sight], node: NodeRow | None) -> Sequence[Sight]:
    """The sights since the node answers as who it is; none where it does not say, or is many."""
    if node is None or node.state != "up" or not node.identity:
        return []
    return [each for each in sights if each.first_start >= node.since_at_ns]


def _parted(sights: Sequence[Sight], read_at: int) -> Sight | None:
    """The last sight that parts the life at an instant from the one before it."""
    parting = (
        each
        for each in sights
        if (each.result is Result.UNKNOWN and each.first_start < read_at)
        or (each.ended_by == RESTART and each.last_end <= read_at)
    )
    return max(parting, key=lambda each: each.last_end, default=None)


def _newest(sights: Iterable[Sight]) -> int | None:
    return max((each.version for each in sights if each.version is not None), default=None)
