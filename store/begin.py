"""Where the store's data begins, so that a new server is not counted as an hour of silence."""

from collections.abc import Sequence
from typing import Final

from store.base import NodeRow, Store
from store.cells import HOUR_NS, MINUTE_NS

_DAY_NS: Final = 24 * HOUR_NS
_LOOKED_BACK_NS: Final = 35 * _DAY_NS
_SECOND_NS: Final = 10**9


def data_begins_ns(store: Store, since_ns: int, nodes: Sequence[NodeRow]) -> int:
    """The start of a window, or of the minute in it that has the store's first row.

    A node row tells since when the node is in its state, which is no earlier than the first data.
    """
    first_ns = min((row.since_at_ns for row in nodes), default=since_ns)
    if first_ns <= since_ns or _has_older(store, since_ns):
        return since_ns
    inside = store.rollups("minute", since_ns, first_ns)
    first_ns = min([first_ns, *(key.start_s * _SECOND_NS for key, _ in inside[:1])])
    return max(first_ns // MINUTE_NS * MINUTE_NS, since_ns)


def _has_older(store: Store, before_ns: int) -> bool:
    """Whether there is a roll-up of any grain that ended before this instant."""
    hour_ns, day_ns = (before_ns // width * width for width in (HOUR_NS, _DAY_NS))
    minute_ns = before_ns // MINUTE_NS * MINUTE_NS
    return bool(
        store.rollups("minute", hour_ns, minute_ns)
        or store.rollups("hour", day_ns, hour_ns)
        or store.rollups("day", day_ns - _LOOKED_BACK_NS, day_ns)
    )
