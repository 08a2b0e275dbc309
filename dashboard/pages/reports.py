"""The Reports page: the weeks that were told, and those that will be."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import panel
from dashboard.components.report import coming_rows, made_rows
from dashboard.figures.template import Theme
from dashboard.queries.reports import coming_reports, made_reports
from dashboard.site import Parts, Site
from dashboard.wording import count
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on what was made."""
    made, coming = made_reports(store), coming_reports(site, now_ns)
    return {
        "summary": {"children": f"{count(len(made), 'report')} made · frozen as they were told"},
        "made": {"children": made_rows(made, site.prefix)},
        "coming": {"children": coming_rows(coming, site.prefix)},
        "document-title": {"data": f"Reports · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""
    head = [html.H1("Reports"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel("Told", html.Div(parts["made"]["children"], id="made")),
            panel("To come", html.Div(parts["coming"]["children"], id="coming")),
        ],
        className="page",
    )
