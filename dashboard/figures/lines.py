"""Figures of nodes over time, a line a node; where nothing is known the line breaks."""

from collections.abc import Callable, Iterator
from html import escape
from itertools import chain, islice, pairwise
from typing import Any, Final

from dashboard.figures import Figure
from dashboard.figures.template import PALETTES, VERSION_HUES, Theme, template
from dashboard.queries.nodes import NodeLine, NodesView
from dashboard.wording import SECOND_NS, instant, iso
from store.counters import CounterRow

MOST_DRAWN: Final = 24
HEIGHT_PX: Final = 210
_ON_DARK: Final = (
    "#7fb2f5", "#4fc3ad", "#c3a1f2", "#e6a05a", "#f08fbb", "#a9c46a", "#f0929f", "#6cc6e6",
)  # fmt: skip
_DASHES: Final = ("solid", "dash", "dot")

Measure = Callable[[CounterRow], float | None]
Words = Callable[[CounterRow], str]


def line_colour(number: int, theme: Theme) -> str:
    """The colour of a node, on charts and beside its name."""
    hues = _ON_DARK if theme == "dark" else VERSION_HUES
    return hues[number % len(hues)]


def line_chart(
    view: NodesView, theme: Theme, measure: Measure, words: Words, *, tick_format: str = ",.3~r"
) -> Figure:
    """One measure of every node; `words` says a bucket's on hovering."""
    drawn = islice(view.lines, MOST_DRAWN)
    traces = [_trace(view, line, theme, measure, words) for line in drawn]
    return {"data": traces, "layout": _layout(view, theme, tick_format)}


def _trace(
    view: NodesView, line: NodeLine, theme: Theme, measure: Measure, words: Words
) -> dict[str, Any]:
    points = list(_points(view, line))
    values = [None if bucket is None else measure(bucket) for _, bucket in points]
    colour = line_colour(line.number, theme)
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(points) < 3 or _has_lonely(values) else "lines",
        "name": line.total.node,
        "x": [iso(at_ns) for at_ns, _ in points],
        "y": values,
        "connectgaps": False,
        "line": {
            "color": colour,
            "width": 1.75,
            "dash": _DASHES[line.number // len(VERSION_HUES) % len(_DASHES)],
        },
        "marker": {"size": 4, "color": colour},
        "customdata": [
            "" if bucket is None else _hover(line, bucket, words) for _, bucket in points
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _points(view: NodesView, line: NodeLine) -> Iterator[tuple[int, CounterRow | None]]:
    """Buckets at their middle; one without counts, or a minute that is missing, breaks the line."""
    last_s: int | None = None
    width_s = view.width_ns // SECOND_NS
    for bucket in line.buckets:
        if last_s is not None and bucket.start_s > last_s + width_s:
            yield (last_s + width_s) * SECOND_NS + view.width_ns // 2, None
        yield bucket.start_s * SECOND_NS + view.width_ns // 2, bucket
        last_s = bucket.start_s


def _has_lonely(values: list[float | None]) -> bool:
    """Whether a point has none beside it that a line could be drawn to."""
    around = [None, *chain(values), None]
    pairs = zip(pairwise(around), around[2:], strict=False)
    return any(
        here is not None and before is None and after is None for (before, here), after in pairs
    )


def _hover(line: NodeLine, bucket: CounterRow, words: Words) -> str:
    where = f"<b>{escape(line.total.node)}</b> · {escape(line.total.layer)}"
    at = f"from {instant(bucket.start_s * SECOND_NS)} UTC"
    return "<br>".join([where, at, escape(words(bucket))])


def _layout(view: NodesView, theme: Theme, tick_format: str) -> dict[str, Any]:
    muted = PALETTES[theme].muted
    return {
        "template": template(theme),
        "height": HEIGHT_PX,
        "margin": {"l": 8, "r": 12, "t": 10, "b": 8},
        "hovermode": "closest",
        "xaxis": {
            "type": "date",
            "range": [iso(view.window.since_ns), iso(view.window.until_ns)],
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
            "nticks": 5,
            "tickangle": 0,
            "ticks": "outside",
        },
        "yaxis": {
            "fixedrange": True,
            "automargin": True,
            "nticks": 5,
            "tickformat": tick_format,
            "rangemode": "normal" if tick_format.endswith("%") else "tozero",
            "tickfont": {"color": muted, "size": 11},
        },
    }
