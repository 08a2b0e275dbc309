"""The life of a node as probes of one key show it: when it was away, and what it showed before."""

from collections.abc import Sequence
from typing import Final

from freshness.causes import Absence, Life
from freshness.model import Result
from freshness.propagation import Sight
from store.base import NodeRow

RESTART: Final = "restart"
"""What ends a run where another identity answers."""


def find_life(sights: Sequence[Sight], node: NodeRow | None, held: int) -> Life | None:
    """The life that the last of the sights is of; None where the node was never read.

    A read that got no answer parts two lives, and so does another identity. That we did not look
    for a while parts none.
    """
    if not sights or node is None:
        return None
    back = _came_back(sights)
    own = sights[back:]
    newest = _newest(own[:-1])
    showed = newest if newest is not None and newest > held else None
    steady_since = node.since_at_ns if node.state == "up" else None
    before = [each for each in sights[:back] if each.result is not Result.UNKNOWN]
    if not before or showed is not None:
        # What went back within one life did not come back with it.
        return Life(steady_since, showed)
    absence = Absence(
        left=before[-1].last_start,
        back=own[0].first_end,
        showed=_newest(before),
        is_restart=sights[back - 1].ended_by == RESTART,
        is_steady=steady_since is not None and steady_since <= own[0].first_end,
    )
    return Life(steady_since, None, absence)


def of_one_identity(sights: Sequence[Sight], node: NodeRow | None) -> Sequence[Sight]:
    """The sights since the node answers as who it is; none where it does not say, or is many."""
    if node is None or node.state != "up" or not node.identity:
        return []
    return [each for each in sights if each.first_start >= node.since_at_ns]


def _came_back(sights: Sequence[Sight]) -> int:
    """The first sight of the life that the last one is of."""
    for at in range(len(sights) - 1, 0, -1):
        before = sights[at - 1]
        if before.result is Result.UNKNOWN or before.ended_by == RESTART:
            return at
    return 0


def _newest(sights: Sequence[Sight]) -> int | None:
    return max((each.version for each in sights if each.version is not None), default=None)
