"""The page of one weekly report, which prints well; once its week is over it is frozen."""

from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import empty, link
from dashboard.components.report import sections, verdict
from dashboard.figures.template import Theme
from dashboard.queries.reports import one_report
from dashboard.site import Parts, Site
from dashboard.wording import instant
from reports.tables import title_of
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on what was made."""
    name, week = address.report or "", address.week or ""
    found = one_report(store, site, name, week, now_ns)
    if found is None:
        text = f"No report {name!r} of week {week!r} was made: /reports lists those that were."
        return {
            "message": {"children": empty("Unknown report", text)},
            "document-title": {"data": f"Unknown report · {site.title}"},
        }
    document, row = found
    told = (
        f"frozen at {instant(row.made_at_ns, with_date=True)} UTC"
        if row is not None
        else "so far: these numbers still change"
    )
    return {
        "message": {"children": None},
        "heading": {"children": title_of(document)},
        "summary": {"children": f"{document.report} · {told}"},
        "verdict": {"children": verdict(document)},
        "sections": {"children": sections(document)},
        "document-title": {"data": f"{title_of(document)} · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    trail = html.Div(link("Reports", f"{site.prefix}reports"), className="trail")
    if "heading" not in parts:
        head = [trail, html.H1("Report")]
        return html.Div(
            [html.Div(head, className="page-head"), filled("message")], className="page"
        )
    head = [
        trail,
        html.H1(parts["heading"]["children"], id="heading"),
        html.P(parts["summary"]["children"], id="summary"),
        html.P(_forms(address, site), className="forms"),
    ]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            filled("message"),
            filled("verdict"),
            html.Div(parts["sections"]["children"], id="sections", className="report"),
        ],
        className="page page-report",
    )


def _forms(address: Address, site: Site) -> list[Component]:
    segments = "/".join(quote(each or "", safe="") for each in (address.report, address.week))
    where = f"{site.prefix}api/v1/reports/{segments}"
    return [
        html.A("CSV", href=f"{where}?format=csv", className="link"),
        html.A("JSON", href=where, className="link"),
    ]
