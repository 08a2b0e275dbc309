"""The page of one objective: what is left, where it went, and what is not known."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.objective import (
    blame_tables,
    burn_rows,
    figures,
    promise,
    unknowns,
)
from dashboard.components.parts import empty, link, panel
from dashboard.figures.burn_down import burn_down, gap_words
from dashboard.figures.template import Theme
from dashboard.queries.objectives import ObjectiveView, one_objective
from dashboard.site import Parts, Site
from dashboard.telling_objectives import promise_words
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """Everything on the page that depends on what was measured."""
    name = address.objective or ""
    view = one_objective(site, name, now_ns)
    if view is None:
        text = f"No objective {name!r} is declared: /objectives lists those that are."
        return {
            "message": {"children": empty("Unknown objective", text)},
            "document-title": {"data": f"Unknown objective · {site.title}"},
        }
    status = view.standing.status
    return {
        "message": {"children": None},
        "summary": {"children": _summary(view)},
        "figures": {"children": figures(view)},
        "burn-down": {"figure": burn_down(view.history, theme)},
        "burn-down-note": {"children": gap_words(view.history)},
        "burns": {"children": burn_rows(status)},
        "blame": {
            "children": blame_tables(view.blame, view.standing.spec.measure, address, site.prefix)
        },
        "unknowns": {"children": unknowns(view)},
        "promise": {"children": promise(view)},
        "document-title": {"data": f"{name} · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:
    """The page with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    trail = html.Div(link("Objectives", f"{site.prefix}objectives"), className="trail")
    head = [trail, html.H1(address.objective)]
    if "figures" not in parts:
        return html.Div(
            [html.Div(head, className="page-head"), filled("message")], className="page"
        )
    head.append(html.P(parts["summary"]["children"], id="summary"))
    beside = [
        panel("What is not known", filled("unknowns")),
        panel("What is promised", filled("promise")),
    ]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            filled("message"),
            filled("figures"),
            panel("Budget over its window", _chart(parts), note=filled("burn-down-note")),
            panel("Burn rates", filled("burns"), note="both windows of a pair must exceed"),
            panel("Who spent it", filled("blame"), note="each way of telling adds up to the whole"),
            html.Div(beside, className="charts"),
        ],
        className="page",
    )


def _chart(parts: Parts) -> Component:
    return dcc.Graph(
        id="burn-down",
        figure=parts["burn-down"]["figure"],
        config={"displayModeBar": False, "responsive": True},
        className="chart",
    )


def _summary(view: ObjectiveView) -> str:
    spec = view.standing.spec
    return " · ".join(filter(None, (spec.description, promise_words(spec))))
