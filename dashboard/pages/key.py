"""The Key page: a key's versions at its origin against every node's copy; and the key picker."""

from urllib.parse import quote

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.faults import healed_findings
from dashboard.components.legend import timeline_legend
from dashboard.components.parts import attributes, empty, link, panel
from dashboard.components.picker import key_list
from dashboard.components.reads import unfresh_reads
from dashboard.figures.template import Theme
from dashboard.figures.timeline import timeline
from dashboard.queries.history import HistoryView, history, picker
from dashboard.queries.names import keyspaces
from dashboard.site import Parts, Site
from dashboard.wording import count, shortened
from store.base import Store


def fill(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:
    """Everything on the page of a key that depends on the store."""
    view = history(store, address, now_ns)
    rows = [*view.findings.open, *view.findings.healed]
    faults = healed_findings(rows, address, site.prefix, now_ns)
    return {
        "summary": {"children": _summary(view)},
        "lanes": {"figure": timeline(view, theme)},
        "lanes-empty": {"children": _no_bands(view)},
        "lanes-box": {"style": {} if view.bands else {"display": "none"}},
        "findings": {
            "children": faults or html.P("None in this window.", className="hint"),
        },
        "reads": {"children": unfresh_reads(view, address, site.prefix)},
        "document-title": {"data": f"{shortened(view.key, 40)} · {view.keyspace} · {site.title}"},
    }


def frame(address: Address, site: Site, parts: Parts) -> Component:
    """The page of a key with its parts in place."""

    def filled(id: str) -> Component:
        return html.Div(parts[id]["children"], id=id)

    chart = dcc.Graph(
        id="lanes",
        figure=parts["lanes"]["figure"],
        config={"displayModeBar": False, "responsive": True},
        className="chart",
    )
    box = html.Div(chart, id="lanes-box", style=parts["lanes-box"]["style"])
    return html.Div(
        [
            _head(address, site, parts),
            panel("Versions over time", [filled("lanes-empty"), box], note=timeline_legend()),
            panel("Findings of this key", filled("findings")),
            panel("Reads that were not fresh", filled("reads")),
        ],
        className="page",
    )


def _head(address: Address, site: Site, parts: Parts) -> Component:
    keys = f"{site.prefix}key/{quote(address.keyspace or '', safe='')}"
    trail = html.Nav(
        [link("Keys", f"{site.prefix}key"), " / ", link(address.keyspace or "", keys)],
        className="trail",
        **attributes(aria_label="Breadcrumb"),
    )
    name = html.H1(address.key or "(empty key)", className="key-name")
    summary = html.P(parts["summary"]["children"], id="summary")
    return html.Div([trail, name, summary], className="page-head")


def _summary(view: HistoryView) -> str:
    copies = sum(1 for lane in view.lanes if lane.layer)
    stale = count(len(view.stale), "stale stretch", "stale stretches")
    return f"{count(copies, 'node')} read {view.window.in_words} · {stale}"


def _no_bands(view: HistoryView) -> Component | None:
    if view.bands:
        return None
    if not view.is_known:
        return empty("Unknown key", f"No read of this key in {view.keyspace} is stored.")
    return empty("No data", f"This key was not read {view.window.in_words}.")


def fill_picker(store: Store, address: Address, site: Site, theme: Theme, now_ns: int) -> Parts:  # noqa: ARG001
    """The list of keys that fit what was typed."""
    view = picker(store, address, keyspaces(store, address, now_ns))
    return {
        "keys": {"children": key_list(view, address, site.prefix)},
        "document-title": {"data": f"Keys · {site.title}"},
    }


def picker_frame(address: Address, site: Site, parts: Parts) -> Component:  # noqa: ARG001
    """The picker: a search field that writes itself into the address, and the list."""
    search = dmc.TextInput(
        id="key-search",
        placeholder="Keys that begin with…",
        value=address.search,
        debounce=250,
        className="search",
        **attributes(aria_label="Keys that begin with"),
    )
    return html.Div(
        [
            html.Div(html.H1("Keys"), className="page-head"),
            panel(
                "Find a key",
                [search, html.Div(parts["keys"]["children"], id="keys")],
            ),
        ],
        className="page",
    )
