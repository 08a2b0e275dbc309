"""Drift as its page shows it: the matrix of what each node holds, and what is proven of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Address, Window
from store.base import ORIGIN, NodeRow, Store
from store.drift import DriftView, read_drift

SHOWN_ROWS: Final = 40
SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class DriftPage:
    """What was found in a window; `columns` are the listed nodes by layer, region and name."""

    window: Window
    found: DriftView
    columns: Sequence[NodeRow]


def drift(store: Store, address: Address, now_ns: int) -> DriftPage:
    """Reads the runs of at most some hundred keys."""
    window = address.window(now_ns)
    until_ns = min(window.until_ns, now_ns)
    found = read_drift(
        store, window.since_ns, until_ns, address.only_keyspace, address.layer, address.node
    )
    columns = [
        row
        for row in store.nodes()
        if row.layer != ORIGIN
        and row.state != "gone"
        and address.layer in (None, row.layer)
        and address.node in (None, row.node)
    ]
    columns.sort(key=lambda row: (row.layer, row.region, row.node))
    return DriftPage(window, found, columns)
