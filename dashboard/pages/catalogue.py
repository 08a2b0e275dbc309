"""The Catalogue page: what is documented of layers and keyspaces, observed, and was before."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.documented import history, keyspace_table, layer_cards, summary
from dashboard.components.parts import panel
from dashboard.figures.template import Theme
from dashboard.queries.catalogue import catalogue
from dashboard.site import Parts, Site
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on the store."""
    view = catalogue(store, address, now_ns)
    return {
        "summary": {"children": summary(view)},
        "layers": {"children": layer_cards(view)},
        "keyspaces": {"children": keyspace_table(view)},
        "history": {"children": history(view)},
        "document-title": {"data": f"Catalogue · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    head = [html.H1("Catalogue"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel("Layers", filled("layers"), note="documented beside what was observed"),
            panel("Keyspaces", filled("keyspaces")),
            panel("What changed", filled("history"), note="at each start and reload"),
        ],
        className="page",
    )
