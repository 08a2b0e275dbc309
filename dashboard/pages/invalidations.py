"""The Invalidations page: how messages spread, layer by layer, and the newest of them."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import panel
from dashboard.components.spread import invalidation_list, lag_table
from dashboard.components.visibility import visibility_table
from dashboard.figures.template import Theme
from dashboard.queries.spread import InvalidationsView, invalidations
from dashboard.site import Parts, Site
from dashboard.wording import count
from store.base import Store

_CLOCKS = "claims hold the offset of two hosts' clocks"


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on the store."""
    view = invalidations(store, address, now_ns)
    return {
        "summary": {"children": _summary(view)},
        "lag": {"children": lag_table(view)},
        "visibility": {"children": visibility_table(view.visibility)},
        "invalidations": {"children": invalidation_list(view, address, site.prefix)},
        "document-title": {"data": f"Invalidations · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    head = [html.H1("Invalidations"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel("Lag by layer", filled("lag"), note=_CLOCKS),
            panel("Seen after so long", filled("visibility"), note="event-triggered checks"),
            panel("Newest first", filled("invalidations"), note="the longest lag of each layer"),
        ],
        className="page",
    )


def _summary(view: InvalidationsView) -> str:
    more = "" if view.is_all else "+"
    noun = count(view.looked_at, "invalidation").split(" ", 1)[1]
    return f"{view.looked_at:,}{more} {noun} {view.window.in_words}"
