"""Coverage: what the evidence can speak for, and who is silent."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import attributes, facts, pill
from dashboard.queries.coverage import CoverageView
from dashboard.wording import count, instant, percent, small_percent
from freshness.model import Verdict
from store.base import NodeRow


def coverage_panel(view: CoverageView) -> Component:
    """Meters of nodes and minutes, counts, shares with their reasons, and the silent nodes."""
    more = "+" if view.has_more_keys else ""
    return html.Div(
        [
            html.Div(
                [
                    meter("Nodes answering", view.nodes_answering, view.nodes_listed),
                    meter("Node-minutes observed", *view.seen.minutes),
                    _counted_from(view),
                ],
                className="meters",
            ),
            facts(
                [
                    ("Keys known", f"{view.keys:,}{more}"),
                    ("Reads", f"{view.reads:,}"),
                    (
                        "Indeterminate",
                        _share(view, view.indeterminate_share, Verdict.INDETERMINATE),
                    ),
                    ("Unknown", _share(view, view.unknown_share, Verdict.UNKNOWN)),
                ]
            ),
            html.Div(_silent(view.silent)),
        ],
        className="coverage",
    )


def meter(name: str, have: int, want: int) -> Component:
    """How much there is of what there could be, as a bar and in words."""
    share = have / want if want else 0.0
    words = f"{have:,} of {want:,}" if want else "none listed"
    tone = "good" if want and have >= want else "warn"
    return html.Div(
        [
            html.Div([html.Span(name), html.Span(words, className="num")], className="meter-words"),
            html.Div(
                html.Span(style={"width": f"{100 * share:.1f}%"}, className=f"fill fill-{tone}"),
                className="track",
                role="img",
                **attributes(aria_label=f"{name}: {words}, {percent(share, 1)}"),
            ),
        ],
        className="meter",
    )


def _counted_from(view: CoverageView) -> Component | None:
    """Only where the data begins later than the window that is shown."""
    if view.counted_from_ns <= view.window.since_ns:
        return None
    words = f"Expected from {instant(view.counted_from_ns)} on, where the stored data begins."
    return html.P(words, className="hint")


def _share(view: CoverageView, share: float | None, verdict: Verdict) -> Component | str:
    if share is None:
        return "no reads yet"
    reasons = [html.Li(f"{words} ({reads:,})") for words, reads in view.why(verdict)]
    listed = html.Ul(reasons, className="reasons") if reasons and share > 0 else None
    return html.Div([html.Div(small_percent(share), className="num"), listed])


def _silent(nodes: Sequence[NodeRow]) -> list[Component]:
    if not nodes:
        return []
    items = [
        html.Li(
            [
                pill(node.state, "unknown"),
                html.Span(f"{node.node} · {node.layer}", className="strong"),
                html.Span(
                    f"{node.why or 'no reason given'}, since {instant(node.since_at_ns)}",
                    className="under wrap",
                ),
            ]
        )
        for node in nodes
    ]
    title = f"{count(len(nodes), 'node does', 'nodes do')} not answer"
    return [html.H3(title, className="minor"), html.Ul(items, className="silent")]
