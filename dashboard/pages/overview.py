"""The Overview: freshness now, staleness by node over time, findings, coverage."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.cover import coverage_panel
from dashboard.components.faults import (
    MORE_HEALED,
    findings_of_window,
    healed_findings,
    open_findings,
)
from dashboard.components.fresh import freshness_cards
from dashboard.components.legend import heat_legend
from dashboard.components.parts import empty, panel
from dashboard.figures.heatmap import heatmap
from dashboard.figures.template import Theme
from dashboard.queries.overview import OverviewView, overview
from dashboard.site import Parts, Site
from dashboard.wording import count
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:
    """Everything on the page that depends on the store."""
    view = overview(store, address, now_ns)
    listed = findings_of_window if view.is_absolute else open_findings
    return {
        "summary": {"children": _summary(view)},
        "fresh": {"children": freshness_cards(view.fresh)},
        "heat": {"figure": heatmap(view.heat, theme)},
        "heat-empty": {"children": _no_lanes(view)},
        "findings-title": {
            "children": "Findings of this window" if view.is_absolute else "Open findings"
        },
        "findings": {
            "children": listed(view.findings, view.coverage, address, site.prefix, now_ns)
        },
        "healed": {"children": _healed(view, address, site, now_ns)},
        "coverage": {"children": coverage_panel(view.coverage)},
        "document-title": {"data": f"Overview · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    chart = dcc.Graph(
        id="heat",
        figure=parts["heat"]["figure"],
        config={"displayModeBar": False, "responsive": True},
        className="chart",
    )
    title = html.Span(parts["findings-title"]["children"], id="findings-title")
    return html.Div(
        [
            html.Div(
                [html.H1("Overview"), html.P(parts["summary"]["children"], id="summary")],
                className="page-head",
            ),
            panel("Freshness now", filled("fresh")),
            panel(title, filled("findings")),
            panel("Staleness by node", [filled("heat-empty"), chart], note=heat_legend()),
            panel("Coverage", filled("coverage")),
            panel("Recently healed", filled("healed")),
        ],
        className="page",
    )


def _healed(view: OverviewView, address: Address, site: Site, now_ns: int) -> list[Component]:
    table = healed_findings(view.findings.healed, address, site.prefix, now_ns)
    if table is None:
        # Where so many are open that the newest hold none that is over, older ones may be.
        none = MORE_HEALED if view.findings.more_healed else "None in this window."
        return [html.P(none, className="hint")]
    if view.is_absolute:
        return [html.P("Listed above, among the findings of this window.", className="hint")]
    hints = [html.P(MORE_HEALED, className="hint")] if view.findings.more_healed else []
    return [table, *hints]


def _summary(view: OverviewView) -> str:
    opened = len(view.findings.open) + sum(view.findings.folded.values())
    more = "+" if view.findings.more_open else ""
    faults = f"{opened:,}{more} open {'finding' if opened == 1 else 'findings'}"
    if view.is_absolute and view.findings.healed:
        faults += f", {len(view.findings.healed)}{'+' if view.findings.more_healed else ''} healed"
    seen = view.coverage
    return (
        f"{faults} · {seen.nodes_answering} of {count(seen.nodes_listed, 'node')} answering · "
        f"{count(seen.reads, 'read')} {view.window.in_words}"
    )


def _no_lanes(view: OverviewView) -> Component | None:
    if view.heat.lanes:
        return None
    return empty("No nodes", "No cache node is known, or none is left by the filters.")
