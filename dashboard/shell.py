"""What stands around every page: header, navigation, time range and filters, and the live badge."""

from typing import Any, Final

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import RANGES
from dashboard.components.parts import attributes, link
from dashboard.site import Site

TICK_MS: Final = 1_000
_ACCENT: Final = [
    "#eef1ff", "#dfe3ff", "#bcc4fb", "#97a3f6", "#7886f1", "#6473ee", "#5566e8", "#4554cf",
    "#3b49ba", "#303da4",
]  # fmt: skip

PAGES: Final = (
    ("overview", "Overview", ""),
    ("key", "Keys", "key"),
    ("invalidations", "Invalidations", "invalidations"),
    ("drift", "Drift", "drift"),
    ("coverage", "Coverage", "coverage"),
    ("nodes", "Nodes", "nodes"),
    ("objectives", "Objectives", "objectives"),
    ("reports", "Reports", "reports"),
    ("alerts", "Alerts", "alerts"),
    ("catalogue", "Catalogue", "catalogue"),
)
"""What the header leads to: name, label and path; `live.js` marks where one is, in this order."""

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{%title%}</title>
    <link rel="icon" type="image/svg+xml" href="PREFIXassets/logo.svg">
    <script src="PREFIXassets/theme.js"></script>
    {%css%}
  </head>
  <body>
    <noscript>Stalewatch needs JavaScript; /api/v1/ has the same data as JSON.</noscript>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
"""


def index(site: Site) -> str:
    """The page that carries the application; `theme.js` runs before anything is painted."""
    return INDEX.replace("PREFIX", site.prefix)


def layout(site: Site) -> Component:
    """Everything but the page itself, which `page` receives."""
    shell = dmc.AppShell(
        [
            dmc.AppShellHeader(_header(site)),
            dmc.AppShellMain([_toolbar(), html.Div(id="problem"), html.Div(id="page")], id="main"),
        ],
        header={"height": {"base": 92, "sm": 56}},
        padding=0,
    )
    provider: Component = dmc.MantineProvider(
        [*_state(), shell],
        id="provider",
        defaultColorScheme="auto",
        theme=_theme(),
    )
    return provider


def _theme() -> dict[str, Any]:
    return {
        "primaryColor": "accent",
        "colors": {"accent": _ACCENT},
        "primaryShade": {"light": 7, "dark": 5},
        "defaultRadius": "md",
        "fontFamily": "var(--font)",
        "fontFamilyMonospace": "var(--mono)",
        "cursorType": "pointer",
    }


def _state() -> list[Component]:
    """`view` is all that a page is made from; `shown` the path of the page that is laid out."""
    stores = ("view", "shown", "beat", "poll", "theme", "paused", "document-title", "sink")
    return [
        dcc.Location(id="url", refresh=False),
        dcc.Interval(id="tick", interval=TICK_MS),
        *(dcc.Store(id=name) for name in stores),
    ]


def _header(site: Site) -> Component:
    brand = link(
        [html.Img(src=site.asset("logo.svg"), alt="", width=24, height=24), html.Span(site.title)],
        site.prefix,
        "brand",
    )
    pages = [
        link(label, f"{site.prefix}{path}", "nav-link", id=f"nav-{name}")
        for name, label, path in PAGES
    ]
    return html.Div(
        [
            html.A("Skip to content", href="#main", className="skip"),
            brand,
            html.Nav(pages, className="nav", **attributes(aria_label="Pages")),
            html.Span("Times in UTC", id="zone", className="zone"),
            _live_badge(),
            html.Button(
                html.Span(className="icon icon-theme"),
                id="theme-toggle",
                type="button",
                className="icon-button",
                title="Light or dark",
                **attributes(aria_label="Switch between light and dark"),
            ),
        ],
        className="header",
    )


def _live_badge() -> Component:
    """A button, since pausing is what people do with it."""
    return html.Button(
        [html.Span(className="dot"), html.Span("connecting", id="live-words")],
        id="live",
        type="button",
        className="live live-connecting",
        title="Pause or resume",
        **attributes(aria_live="polite"),
    )


def _toolbar() -> Component:
    ranges = dmc.SegmentedControl(
        id="range",
        data=[{"value": name, "label": name} for name in RANGES],
        value="1h",
        size="xs",
        className="ranges",
    )
    return html.Div(
        [
            ranges,
            _custom_range(),
            _filter("keyspace-filter", "All keyspaces", "Keyspace"),
            _filter("layer-filter", "All layers", "Layer"),
            html.Div(id="chips", className="chips"),
        ],
        className="toolbar",
        role="search",
        **attributes(aria_label="Time range and filters"),
    )


def _filter(id: str, placeholder: str, label: str) -> Component:
    select: Component = dmc.Select(
        id=id,
        data=[],
        placeholder=placeholder,
        clearable=True,
        size="xs",
        className="filter",
        **attributes(aria_label=label),
    )
    return select


def _custom_range() -> Component:
    fields = [
        dmc.DateTimePicker(
            id=id,
            label=label,
            placeholder="YYYY-MM-DD HH:MM:SS",
            valueFormat="YYYY-MM-DD HH:mm:ss",
            size="xs",
            withSeconds=True,
            popoverProps=_INSIDE,
        )
        for id, label in (("range-from", "From (UTC)"), ("range-to", "To (UTC)"))
    ]
    apply = dmc.Button("Apply", id="range-apply", size="xs", fullWidth=True)
    popover: Component = dmc.Popover(
        [
            dmc.PopoverTarget(
                dmc.Button("Custom", id="range-custom", size="xs", variant="default")
            ),
            dmc.PopoverDropdown(dmc.Stack([*fields, apply], gap="xs")),
        ],
        position="bottom-start",
        width=260,
        shadow="md",
        trapFocus=True,
    )
    return popover


_INSIDE: Final = {"withinPortal": False}
