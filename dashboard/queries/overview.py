"""Everything that the Overview shows, read together."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.address import Address, Window
from dashboard.queries.begin import shown_window
from dashboard.queries.coverage import CoverageView
from dashboard.queries.faults import FindingsView, findings
from dashboard.queries.fresh import KeyspaceFreshness, freshness_now
from dashboard.queries.heat import HeatView, heat
from store.base import Store
from store.begin import data_begins_ns
from store.cells import read_cells
from store.coverage import read_coverage


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The four parts of the Overview, for one window and one set of filters."""

    window: Window
    is_absolute: bool
    fresh: Sequence[KeyspaceFreshness]
    heat: HeatView
    findings: FindingsView
    coverage: CoverageView


def overview(store: Store, address: Address, now_ns: int) -> OverviewView:
    """Reads the store; takes milliseconds to tenths of a second, so never on an event loop."""
    nodes, asked = store.nodes(), address.window(now_ns)
    begins_ns = data_begins_ns(store, asked.since_ns, nodes)
    window = shown_window(asked, address, begins_ns)
    keyspace, layer, node = address.only_keyspace, address.layer, address.node
    cells = read_cells(store, window.since_ns, window.until_ns, keyspace, layer, node)
    return OverviewView(
        window=window,
        is_absolute=address.is_absolute,
        fresh=freshness_now(cells),
        heat=heat(cells, window, nodes, layer, node),
        findings=findings(store, window, keyspace, layer, node),
        coverage=CoverageView(
            window, read_coverage(store, cells, begins_ns, keyspace, layer, node)
        ),
    )
