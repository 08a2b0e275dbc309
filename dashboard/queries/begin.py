"""Where the store's data begins, so that a new server is not drawn as an hour of silence."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dashboard.address import Address, Window
from dashboard.wording import SECOND_NS
from freshness.rollup import Grain
from store.base import NodeRow, Store

_MINUTE_NS: Final = Grain.MINUTE * SECOND_NS
_HOUR_NS: Final = Grain.HOUR * SECOND_NS
_DAY_NS: Final = Grain.DAY * SECOND_NS
_LOOKED_BACK_NS: Final = 35 * _DAY_NS
LEAST_NS: Final = 10 * _MINUTE_NS


def data_begins_ns(store: Store, window: Window, nodes: Sequence[NodeRow]) -> int:
    """The start of the window, or of the minute in it that has the store's first row.

    A node row tells since when the node is in its state, which is no earlier than the first data.
    """
    first_ns = min((row.since_at_ns for row in nodes), default=window.since_ns)
    if first_ns <= window.since_ns or _has_older(store, window.since_ns):
        return window.since_ns
    inside = store.rollups("minute", window.since_ns, first_ns)
    first_ns = min([first_ns, *(key.start_s * SECOND_NS for key, _ in inside[:1])])
    return max(first_ns // _MINUTE_NS * _MINUTE_NS, window.since_ns)


def shown_window(window: Window, address: Address, begins_ns: int) -> Window:
    """What a chart shows: from just before the data on, unless an absolute range was asked for."""
    if address.is_absolute:
        return window
    since_ns = min(begins_ns - _MINUTE_NS, window.until_ns - LEAST_NS)
    return replace(window, since_ns=max(since_ns, window.since_ns))


def _has_older(store: Store, before_ns: int) -> bool:
    """Whether there is a roll-up of any grain that ended before this instant."""
    hour_ns, day_ns = (before_ns // width * width for width in (_HOUR_NS, _DAY_NS))
    minute_ns = before_ns // _MINUTE_NS * _MINUTE_NS
    return bool(
        store.rollups("minute", hour_ns, minute_ns)
        or store.rollups("hour", day_ns, hour_ns)
        or store.rollups("day", day_ns - _LOOKED_BACK_NS, day_ns)
    )
