"""The Drift page: copies of one key that differ, for how long, and nodes that went back."""

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.apart import apart_list, looked_at, matrix, went_back_list
from dashboard.components.legend import matrix_legend
from dashboard.components.parts import panel
from dashboard.figures.template import Theme
from dashboard.queries.drift import DriftPage, drift
from dashboard.site import Parts, Site
from dashboard.wording import count
from freshness.drift import Proof, Standing
from store.base import Store

_NOTE = "nodes of a layer, and layers of a region; the firmest of each"


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on the store."""
    page = drift(store, address, now_ns)
    return {
        "summary": {"children": _summary(page)},
        "matrix": {"children": matrix(page, address, site.prefix)},
        "apart": {"children": apart_list(page, address, site.prefix, now_ns)},
        "went-back": {"children": went_back_list(page, address, site.prefix, now_ns)},
        "document-title": {"data": f"Drift · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    head = [html.H1("Drift"), html.P(parts["summary"]["children"], id="summary")]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel("Copies that differ now", filled("matrix"), note=matrix_legend()),
            panel("Disagreements", filled("apart"), note=_NOTE),
            panel("Regressions", filled("went-back"), note="a version, and later an older one"),
        ],
        className="page",
    )


def _summary(page: DriftPage) -> str:
    found = page.found
    beyond = sum(
        each.standing in (Standing.BEYOND, Standing.TORN) and not each.found.is_over
        for each in found.drifts
    )
    back = sum(each.found.proof is Proof.PROVEN for each in found.regressions)
    return (
        f"{count(len(found.rows), 'key')} {'differs' if len(found.rows) == 1 else 'differ'} now, "
        f"{beyond} beyond the promise · {count(back, 'regression')} · {looked_at(found)} "
        f"{page.window.in_words}"
    )
