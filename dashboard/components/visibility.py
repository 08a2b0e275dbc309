"""How much of what was written each layer shows after so long, by event-triggered checks."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import Child, attributes, cell, empty, table
from dashboard.wording import duration, percent
from freshness.check import CheckCell, Checked, Seen
from store.visibility import Visibility

_LOST = {
    Seen.AMBIGUOUS: "without an order",
    Seen.UNANSWERED: "unanswered",
    Seen.SKIPPED: "skipped",
}


def visibility_table(found: Sequence[Visibility]) -> Component:
    """A row a layer, a column a horizon: the share that no longer showed an older version."""
    if not found:
        text = "No invalidation came whose nodes could be checked, so nothing is known of it."
        return empty("Unknown", text)
    horizons = sorted({each.horizon_ns for each in found})
    cells = {(each.place.layer, each.horizon_ns): each.cell for each in found}
    rows = [_row(layer, horizons, cells) for layer in sorted({layer for layer, _ in cells})]
    hint = (
        "Each node is read again for each invalidation: the share of checks that found the "
        "version, a newer one, or no copy. What was behind is then asked for at the origin."
    )
    heads = ("Layer", *map(_after, horizons), "Lost")
    return html.Div([table("Seen after", heads, rows), html.P(hint, className="hint")])


def _row(layer: str, horizons: Sequence[int], cells: dict[tuple[str, int], CheckCell]) -> Component:
    shown = [cells.get((layer, horizon), CheckCell()) for horizon in horizons]
    return html.Tr(
        [
            cell("Layer", html.Div(layer, className="strong")),
            *(
                cell(_after(horizon), _share(each), "num-wrap")
                for horizon, each in zip(horizons, shown, strict=True)
            ),
            cell("Lost", _lost(shown), "cell-cause"),
        ],
        **attributes(data_visibility=layer),
    )


def _after(horizon_ns: int) -> str:
    return f"After {duration(horizon_ns)}" if horizon_ns else "At once"


def _share(checks: CheckCell) -> list[Child]:
    shares = checks.shares
    if not shares:
        return [html.Span("unknown", className="hint")]
    # Of what is behind there is a count, so that rounding hides none of it.
    behind = checks.seen.get(Seen.BEHIND, Checked()).n
    without = 1.0 - shares[Seen.BEHIND]
    words = f"{behind:,} behind" if behind else "none behind"
    tone = "warn" if behind else "good"
    fill = html.Span(style={"width": f"{100 * without:.1f}%"}, className=f"fill fill-{tone}")
    return [
        html.Div(percent(without), className="num"),
        html.Div(fill, className="track"),
        html.Div(words, className="under"),
    ]


def _lost(shown: Sequence[CheckCell]) -> str:
    """What of the checks says nothing, in words."""
    totals = sum(shown, CheckCell()).seen
    lost = [f"{totals[seen].n:,} {words}" for seen, words in _LOST.items() if seen in totals]
    return ", ".join(lost) or "none"
