"""The Objectives page: what is promised, what is kept, and what is left of each budget."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.objectives import objective_rows, summary
from dashboard.components.parts import panel
from dashboard.figures.template import Theme
from dashboard.queries.objectives import all_objectives
from dashboard.site import Parts, Site
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on what was measured."""
    views = all_objectives(site, address, now_ns)
    is_filtered = bool(address.only_keyspace or address.layer)
    return {
        "summary": {"children": summary(views)},
        "objectives": {"children": objective_rows(views, site.prefix, is_filtered=is_filtered)},
        "document-title": {"data": f"Objectives · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""
    head = [html.H1("Objectives"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel(
                "What is promised, and what is kept",
                html.Div(parts["objectives"]["children"], id="objectives"),
                note="each over its own window, whatever range is chosen above",
            ),
        ],
        className="page",
    )
