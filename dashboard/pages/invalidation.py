"""One invalidation: the waterfall from its write to each node, and every status in words."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.legend import waterfall_legend
from dashboard.components.parts import attributes, empty, link, panel
from dashboard.components.spread import invalidation_facts, keys_words, node_table, version_words
from dashboard.figures.template import Theme
from dashboard.figures.waterfall import waterfall
from dashboard.queries.spread import SpreadView, invalidation
from dashboard.site import Parts, Site
from dashboard.wording import count, shortened
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:
    """Everything on the page that depends on the store."""
    view = invalidation(store, address, now_ns)
    return {
        "summary": {"children": _summary(view)},
        "spread": {"figure": waterfall(view, theme)},
        "spread-box": {"style": {} if view.nodes else {"display": "none"}},
        "message": {"children": invalidation_facts(view) or _unknown(view)},
        "nodes": {"children": node_table(view) if view.spread else None},
        "document-title": {"data": f"{shortened(view.id, 40)} · Invalidations · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    chart = dcc.Graph(
        id="spread",
        figure=parts["spread"]["figure"],
        config={"displayModeBar": False, "responsive": True},
        className="chart",
    )
    box = html.Div(chart, id="spread-box", style=parts["spread-box"]["style"])
    return html.Div(
        [
            _head(address, site, parts),
            panel("From the write to each node", box, note=waterfall_legend()),
            panel("Nodes", filled("nodes")),
            panel("The message", filled("message")),
        ],
        className="page",
    )


def _head(address: Address, site: Site, parts: Parts) -> Component:
    trail = html.Nav(
        link("Invalidations", f"{site.prefix}invalidations"),
        className="trail",
        **attributes(aria_label="Breadcrumb"),
    )
    name = html.H1(address.invalidation or "(empty id)", className="key-name")
    summary = html.P(parts["summary"]["children"], id="summary")
    return html.Div([trail, name, summary], className="page-head")


def _summary(view: SpreadView) -> str:
    if view.spread is None:
        return "Unknown"
    row = view.spread.invalidation
    said = f"{keys_words(row)} of {row.keyspace}, {version_words(row)}"
    return f"{said} · {count(len(view.nodes), 'node')}"


def _unknown(view: SpreadView) -> Component:
    words = f"No invalidation “{shortened(view.id, 60)}” is stored: it never came, or it aged out."
    return empty("Unknown invalidation", words)
