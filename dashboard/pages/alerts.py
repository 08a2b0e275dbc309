"""The Alerts page: what fires, since when and why, and what became of each notification."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.alerting import (
    deliveries,
    firing_alerts,
    summary,
    transitions,
    waiting_alerts,
)
from dashboard.components.parts import panel
from dashboard.components.silences import silence_form, silences
from dashboard.figures.template import Theme
from dashboard.queries.alerting import alerts
from dashboard.site import Parts, Site
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on the store."""
    view = alerts(store, address, now_ns)
    return {
        "summary": {"children": summary(view)},
        "firing": {"children": firing_alerts(view, site.prefix)},
        "pending": {"children": waiting_alerts(view.pending, view, site.prefix)},
        "resolved": {"children": waiting_alerts(view.resolved, view, site.prefix)},
        "transitions": {"children": transitions(view)},
        "silences": {"children": silences(view)},
        "adrift": {"children": deliveries(view.adrift, now_ns)},
        "document-title": {"data": f"Alerts · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    head = [html.H1("Alerts"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel("Firing", filled("firing")),
            panel("Pending", filled("pending"), note="the condition holds, not yet for its time"),
            panel("Resolved of late", filled("resolved")),
            panel(
                "Silences",
                [silence_form(address, site), filled("silences")],
                note="what they are over is shown, and not told",
            ),
            panel("Recent transitions", filled("transitions")),
            panel("Undelivered, of earlier alerts", filled("adrift")),
        ],
        className="page",
    )
