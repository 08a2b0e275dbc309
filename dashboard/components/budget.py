"""Marks for error budgets: a bar that can go below nothing, and a row of small bars over time."""

from collections.abc import Sequence
from fractions import Fraction

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import attributes
from dashboard.telling_objectives import GAPS, budget_words, rate_words
from dashboard.wording import SECOND_NS, instant
from store.objective_history import Bucket

ZERO = 0.3
"""Where on a bar nothing is left: right of it what is left, left of it what is overspent."""


def budget_bar(remaining: Fraction) -> Component:
    """The sign is by side, by colour and in the words beside it."""
    left = float(remaining)
    if left >= 0:
        start, width = ZERO, min(1.0, left) * (1 - ZERO)
        tone = "good" if left >= 0.25 else "warn"
    else:
        width = min(1.0, -left) * ZERO
        start, tone = ZERO - width, "bad"
    style = {"left": f"{100 * start:.2f}%", "width": f"{100 * width:.2f}%"}
    return html.Div(
        [
            html.Span(className=f"budget-fill budget-{tone}", style=style),
            html.Span(className="budget-zero", style={"left": f"{100 * ZERO:.2f}%"}),
        ],
        className="budget",
        role="img",
        **attributes(aria_label=f"{budget_words(remaining)} of the error budget is left"),
    )


def sparkline(history: Sequence[Bucket], words: str) -> Component:
    """How fast each bucket burnt, twice as fast as allowed at full height; hatched is no data."""
    bars = [_bar(bucket) for bucket in history]
    return html.Div(bars, className="spark", role="img", **attributes(aria_label=words))


def _bar(bucket: Bucket) -> Component:
    day = instant(bucket.window.since_s * SECOND_NS, with_date=True)[:16]
    if bucket.gap is not None or bucket.rate is None:
        why = "no data" if bucket.gap is None else GAPS[bucket.gap]
        return html.Span(className="spark-bar spark-gap", title=f"from {day}: {why}")
    height = max(0.06, min(1.0, float(bucket.rate) / 2))
    tone = "bad" if bucket.rate > 1 else "good"
    return html.Span(
        className=f"spark-bar spark-{tone}",
        style={"height": f"{100 * height:.0f}%"},
        title=f"from {day}: burnt at {rate_words(bucket.rate)}",
    )
