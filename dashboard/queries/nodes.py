"""Nodes of a window by what they count of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboard.address import Address, Window
from dashboard.queries.begin import shown_window
from dashboard.wording import SECOND_NS
from store.base import ORIGIN, NodeRow, Store
from store.counters import CounterRow
from store.node_counters import read_counts


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One node as one source counts it; `number` tells it from the others on all charts."""

    number: int
    region: str
    total: CounterRow
    buckets: Sequence[CounterRow]


@dataclass(frozen=True, slots=True)
class NodesView:
    """Nodes by layer, name and source; `silent` are those of the catalogue that nobody counts.

    Buckets are `width_ns` wide. `window` is what charts show of it.
    """

    window: Window
    width_ns: int
    lines: Sequence[NodeLine]
    silent: Sequence[NodeRow]


def nodes(store: Store, address: Address, now_ns: int) -> NodesView:
    """What the nodes that the filters leave have counted."""
    asked = address.window(now_ns)
    counted = read_counts(store, asked.since_ns, asked.until_ns, address.layer, address.node)
    listed = [row for row in store.nodes() if row.layer != ORIGIN and row.state != "gone"]
    regions = {(row.layer, row.node): row.region for row in listed}
    lines = [
        NodeLine(
            number, regions.get((each.total.layer, each.total.node), ""), each.total, each.buckets
        )
        for number, each in enumerate(counted.nodes)
    ]
    known = {(line.total.layer, line.total.node) for line in lines}
    silent = [
        row
        for row in listed
        if (row.layer, row.node) not in known
        and address.layer in (None, row.layer)
        and address.node in (None, row.node)
    ]
    return NodesView(_shown(asked, address, lines), counted.width_ns, lines, silent)


def _shown(asked: Window, address: Address, lines: Sequence[NodeLine]) -> Window:
    """From the first counts on, where the window ends now."""
    first_s = min((bucket.start_s for line in lines for bucket in line.buckets[:1]), default=None)
    if first_s is None:
        return asked
    begins_ns = max(asked.since_ns, first_s * SECOND_NS)
    return replace(shown_window(asked, address, begins_ns), name=asked.name)
