"""Everything that the Overview shows, read together."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.address import Address, Window
from dashboard.queries.cells import read_cells
from dashboard.queries.coverage import CoverageView, coverage
from dashboard.queries.faults import FindingsView, findings
from dashboard.queries.fresh import KeyspaceFreshness, freshness_now
from dashboard.queries.heat import HeatView, heat
from store.base import Store


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The four parts of the Overview, for one window and one set of filters."""

    window: Window
    fresh: Sequence[KeyspaceFreshness]
    heat: HeatView
    findings: FindingsView
    coverage: CoverageView


def overview(store: Store, address: Address, now_ns: int) -> OverviewView:
    """Reads the store; takes milliseconds to tenths of a second, so never on an event loop."""
    window = address.window(now_ns)
    keyspace, layer, node = address.only_keyspace, address.layer, address.node
    cells = read_cells(store, window, keyspace, layer, node)
    nodes = store.nodes()
    return OverviewView(
        window=window,
        fresh=freshness_now(cells),
        heat=heat(cells, nodes, layer, node),
        findings=findings(store, window, keyspace, layer, node),
        coverage=coverage(store, cells, nodes, keyspace, layer, node),
    )
