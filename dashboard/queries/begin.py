"""The window that charts show: a new server's is not drawn as an hour of silence."""

from dataclasses import replace
from typing import Final

from dashboard.address import Address, Window
from store.cells import MINUTE_NS

LEAST_NS: Final = 10 * MINUTE_NS


def shown_window(window: Window, address: Address, begins_ns: int) -> Window:
    """What a chart shows: from just before the data on, unless an absolute range was asked for."""
    if address.is_absolute:
        return window
    since_ns = min(begins_ns - MINUTE_NS, window.until_ns - LEAST_NS)
    return replace(window, since_ns=max(since_ns, window.since_ns))
