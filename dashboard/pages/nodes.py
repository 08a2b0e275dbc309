"""The Nodes page: hit rate without our own reads, evictions, requests and memory, over time."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.nodes import node_rows, size_words, time_words
from dashboard.components.parts import panel
from dashboard.figures.lines import line_chart
from dashboard.figures.template import Theme
from dashboard.queries.nodes import NodesView, nodes
from dashboard.site import Parts, Site
from dashboard.wording import count, percent
from store.base import Store
from store.counters import CounterRow
from store.node_counters import per_second, rate_of

_OURS = "without Stalewatch's own reads; a line breaks where nothing is known"
CHARTS = (
    ("hit-rate", "Hit rate", _OURS),
    ("evictions", "Evictions a second", "entries that had to go for want of room"),
    ("requests", "Requests a second", "ours included"),
    ("memory", "Memory", "as of the last look of each bucket"),
)


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:
    """Everything on the page that depends on the store."""
    view = nodes(store, address, now_ns)
    return {
        "summary": {"children": _summary(view)},
        "counted": {"children": node_rows(view, theme, now_ns)},
        "charts": {"className": "charts" if view.lines else "charts charts-empty"},
        "hit-rate": {"figure": line_chart(view, theme, _share, _share_words, tick_format=".3~%")},
        "evictions": {"figure": line_chart(view, theme, _evictions, _evictions_words)},
        "requests": {"figure": line_chart(view, theme, _requests, _requests_words)},
        "memory": {"figure": line_chart(view, theme, _memory, _memory_words, tick_format=".3~s")},
        "document-title": {"data": f"Nodes · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The page with its parts in place."""
    head = [html.H1("Nodes"), html.P(parts["summary"]["children"], id="summary")]
    charts = [panel(title, _chart(id, parts), note=note) for id, title, note in CHARTS]
    return html.Div(
        [
            html.Div(head, className="page-head"),
            panel(
                "What nodes count",
                html.Div(parts["counted"]["children"], id="counted"),
                note=_OURS.partition(";")[0],
            ),
            html.Div(charts, id="charts", className=parts["charts"]["className"]),
        ],
        className="page",
    )


def _chart(id: str, parts: Parts) -> Component:
    return dcc.Graph(
        id=id,
        figure=parts[id]["figure"],
        config={"displayModeBar": False, "responsive": True},
        className="chart",
    )


def _summary(view: NodesView) -> str:
    places = {(line.total.layer, line.total.node) for line in view.lines}
    return f"{count(len(places), 'node')} counted {view.window.in_words}"


def _share(row: CounterRow) -> float | None:
    rate = rate_of(row)
    return None if rate is None else rate.share


def _share_words(row: CounterRow) -> str:
    rate = rate_of(row)
    if rate is None:
        return "unknown"
    bounds = f"{percent(rate.lower)} to {percent(rate.upper)}"
    within = "" if rate.lower == rate.upper else f" ({bounds})"
    return f"{percent(rate.share)}{within} of {count(rate.lookups, 'lookup')}"


def _evictions(row: CounterRow) -> float | None:
    return per_second(row.evictions, row)


def _evictions_words(row: CounterRow) -> str:
    return "not told" if row.evictions is None else count(row.evictions, "eviction")


def _requests(row: CounterRow) -> float | None:
    return per_second(row.requests, row)


def _requests_words(row: CounterRow) -> str:
    requests = "not told" if row.requests is None else count(row.requests, "request")
    return f"{requests}, {time_words(row)} each"


def _memory(row: CounterRow) -> float | None:
    return None if row.memory_bytes is None else float(row.memory_bytes)


def _memory_words(row: CounterRow) -> str:
    return size_words(row.memory_bytes)
