"""The Coverage page: which nodes, keys, layers and times the evidence speaks for, and which not."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.cover import coverage_panel
from dashboard.components.layers import layer_table, lost_times, unseen_list
from dashboard.components.parts import panel
from dashboard.figures.template import Theme
from dashboard.queries.coverage import CoverageView, coverage
from dashboard.site import Parts, Site
from dashboard.wording import count
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on the store."""
    view = coverage(store, address, now_ns)
    return {
        "summary": {"children": _summary(view)},
        "unseen": {"children": unseen_list(view)},
        "layers": {"children": layer_table(view)},
        "coverage": {"children": coverage_panel(view)},
        "lost": {"children": lost_times(view)},
        "document-title": {"data": f"Coverage · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    head = [html.H1("Coverage"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel("By layer", filled("layers"), note="a sample is one node and minute"),
            panel("What this cannot see", filled("unseen")),
            panel("Nodes and reads", filled("coverage")),
            panel("Times of which nothing is known", filled("lost")),
        ],
        className="page",
    )


def _summary(view: CoverageView) -> str:
    more = "+" if view.has_more_keys else ""
    return (
        f"{view.nodes_answering} of {count(view.nodes_listed, 'node')} answering · "
        f"{view.keys:,}{more} keys · {count(view.reads, 'read')} {view.window.in_words}"
    )
