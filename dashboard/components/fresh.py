"""Freshness now, a card for each keyspace."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import attributes, empty, facts, pill
from dashboard.queries.fresh import KeyspaceFreshness
from dashboard.wording import count, percent, small_percent
from freshness.indicator import Indicator


def freshness_cards(views: Sequence[KeyspaceFreshness]) -> Component:
    """One card a keyspace, or a word on why there is none."""
    if not views:
        return empty("No data yet", "No read fell into this window, so nothing is known of it.")
    return html.Div([_card(view) for view in views], className="cards")


def nines_in_words(view: KeyspaceFreshness) -> str:
    """What the sample supports: "3 nines supported by 4,212 clusters"."""
    clusters = count(view.clusters, "cluster")
    if not view.nines:
        return f"no nine supported yet by {clusters}"
    return f"{count(view.nines, 'nine')} supported by {clusters}"


def _card(view: KeyspaceFreshness) -> Component:
    body = _unjudged(view) if view.indicator is None else _judged(view, view.indicator)
    head = html.H3(view.keyspace, className="card-name")
    return html.Article([head, html.Div(body, className="card-body")], className="card")


def _unjudged(view: KeyspaceFreshness) -> list[Component]:
    if not view.unknown:
        return [
            html.Div("no data yet", className="big big-unknown"),
            html.P(f"{count(view.misses, 'miss', 'misses')}, no copy read", className="card-sub"),
        ]
    words = f"none of {count(view.unknown, 'read')} could be judged"
    return [html.Div("unknown", className="big big-unknown"), html.P(words, className="card-sub")]


def _judged(view: KeyspaceFreshness, said: Indicator) -> list[Component]:
    low, high = percent(said.sampling.low), percent(said.sampling.high)
    return [
        html.Div(
            [
                html.Div(
                    [html.Span(percent(said.good), className="big"), _stale(view)],
                    className="card-top",
                ),
                html.P(f"of {count(view.judged, 'read')} not proven stale", className="card-sub"),
                _bar(view),
                _next_nine(view),
            ]
        ),
        facts(
            [
                ("95 % interval", f"{low} to {high}"),
                ("Supported", nines_in_words(view)),
                ("Indeterminate as stale", percent(said.at_least)),
                ("Indeterminate as fresh", percent(said.at_most)),
                ("Unknown", _unknown(view)),
            ]
        ),
    ]


def _stale(view: KeyspaceFreshness) -> Component:
    if view.stale:
        return pill(f"{view.stale:,} proven stale", "bad")
    return pill("nothing proven stale", "good")


def _unknown(view: KeyspaceFreshness) -> str:
    if view.unknown_share is None or not view.unknown:
        return "none"
    return f"{small_percent(view.unknown_share)} ({count(view.unknown, 'read')})"


def _next_nine(view: KeyspaceFreshness) -> Component:
    if view.missing_for_next is None:
        return html.P("Stale reads in this window limit what it supports.", className="card-foot")
    more = count(view.missing_for_next, "clean cluster")
    return html.P(f"{more} more for {count(view.nines + 1, 'nine')}.", className="card-foot")


def _bar(view: KeyspaceFreshness) -> Component:
    """The verdicts as lengths, and below them as numbers: no colour has to be told apart."""
    parts = (
        ("fresh", view.fresh),
        ("indeterminate", view.indeterminate),
        ("stale", view.stale),
        ("unknown", view.unknown),
    )
    segments = [
        html.Span(className=f"seg seg-{name}", style={"flexGrow": amount})
        for name, amount in parts
        if amount
    ]
    numbers = [
        html.Li([html.Span(className=f"swatch seg-{name}"), f"{amount:,} {name}"])
        for name, amount in parts
    ]
    bar = html.Div(segments, className="bar", **attributes(aria_hidden="true"))
    return html.Div([bar, html.Ul(numbers, className="numbers")])
