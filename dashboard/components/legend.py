"""What the marks of the charts mean, in words beside their look."""

from dash import html
from dash.development.base_component import Component


def heat_legend() -> Component:
    """The scale from fresh to over a minute, then unknown and no data."""
    steps = [html.Span(className=f"swatch heat-{step}") for step in range(5)]
    return html.Div(
        [
            html.Span("fresh"),
            html.Span(steps, className="scale"),
            html.Span("stale > 1 min"),
            _sample("unknown", "unknown"),
            _sample("nothing", "no data"),
        ],
        className="legend",
    )


def timeline_legend() -> Component:
    """Versions share a colour across lanes; what is stale, unknown or missing looks different."""
    return html.Div(
        [
            html.Span("same colour, same version"),
            _sample("stale", "proven stale"),
            _sample("unknown", "unknown"),
            _sample("nothing", "miss"),
        ],
        className="legend",
    )


def waterfall_legend() -> Component:
    """Claims and observations look different, and what is open is neither good nor bad."""
    return html.Div(
        [
            _sample("claimed", "claimed by the node"),
            _sample("clocks", "… by two clocks"),
            _sample("observed", "first seen fresh by a probe"),
            _sample("unknown", "open: nothing came yet"),
        ],
        className="legend",
    )


def _sample(look: str, words: str) -> Component:
    return html.Span([html.Span(className=f"swatch swatch-{look}"), words], className="sample")


def matrix_legend() -> Component:
    """Known newer versions by colour; what is no value looks different."""
    steps = [html.Span(className=f"swatch behind-{step}") for step in range(4)]
    return html.Div(
        [
            html.Span("newest"),
            html.Span(steps, className="scale"),
            html.Span("3 or more behind"),
            _sample("unknown", "unknown"),
            _sample("nothing", "no copy"),
        ],
        className="legend",
    )
