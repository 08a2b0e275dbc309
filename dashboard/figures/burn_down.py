"""The budget of a window, going down as it is spent; where nothing was measured the line breaks."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

from dashboard.figures import Figure
from dashboard.figures.template import PALETTES, Theme, template
from dashboard.telling_objectives import GAPS, budget_words, rate_words
from dashboard.wording import SECOND_NS, instant, iso
from store.objective_history import Bucket

HEIGHT_PX: Final = 240
_LINES: Final = {"light": "#4554cf", "dark": "#97a3f6"}


def burn_down(history: Sequence[Bucket], theme: Theme) -> Figure:
    """From all of the budget at the window's begin to what is left at its end."""
    points = list(_points(history))
    trace = {
        "type": "scatter",
        "mode": "lines",
        "x": [iso(at_s * SECOND_NS) for at_s, _, _ in points],
        "y": [None if left is None else float(left) for _, left, _ in points],
        "connectgaps": False,
        "line": {"color": _LINES[theme], "width": 2},
        "customdata": [words for _, _, words in points],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    return {"data": [trace], "layout": _layout(history, theme)}


def _points(history: Sequence[Bucket]) -> Iterator[tuple[int, Fraction | None, str]]:
    left = Fraction(1)
    is_known = False
    for bucket in history:
        before, left = left, left - (bucket.spent or Fraction(0))
        if bucket.gap is not None:
            yield bucket.window.since_s, None, ""
            is_known = False
            continue
        if not is_known:
            yield bucket.window.since_s, before, _words(bucket, before)
        yield bucket.window.until_s, left, _words(bucket, left)
        is_known = True


def _words(bucket: Bucket, left: Fraction) -> str:
    ends = f"until {instant(bucket.window.until_s * SECOND_NS, with_date=True)[:16]} UTC"
    return f"<b>{budget_words(left)}</b> left<br>{ends}<br>burnt at {rate_words(bucket.rate)}"


def _layout(history: Sequence[Bucket], theme: Theme) -> dict[str, Any]:
    palette = PALETTES[theme]
    since_s = history[0].window.since_s if history else 0
    until_s = history[-1].window.until_s if history else 1
    return {
        "template": template(theme),
        "height": HEIGHT_PX,
        "margin": {"l": 8, "r": 12, "t": 10, "b": 8},
        "xaxis": {
            "type": "date",
            "range": [iso(since_s * SECOND_NS), iso(until_s * SECOND_NS)],
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
            "nticks": 6,
            "tickangle": 0,
        },
        "yaxis": {
            "fixedrange": True,
            "automargin": True,
            "nticks": 6,
            "tickformat": ".0%",
            "rangemode": "tozero",
            "tickfont": {"color": palette.muted, "size": 11},
        },
        "shapes": [_zero(palette.danger), *(_gap(*each, theme) for each in _gaps(history))],
    }


def _zero(colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1, "dash": "dash"}
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": line,
        "layer": "below",
    }  # fmt: skip


def _gaps(history: Sequence[Bucket]) -> Iterator[tuple[int, int]]:
    """Stretches without data, neighbours as one: a new objective has one long one."""
    since_s: int | None = None
    for bucket in history:
        if bucket.gap is not None:
            since_s = bucket.window.since_s if since_s is None else since_s
        elif since_s is not None:
            yield since_s, bucket.window.since_s
            since_s = None
    if since_s is not None:
        yield since_s, history[-1].window.until_s


def _gap(since_s: int, until_s: int, theme: Theme) -> dict[str, Any]:
    return {
        "type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
        "x0": iso(since_s * SECOND_NS), "x1": iso(until_s * SECOND_NS),
        "line": {"width": 0}, "fillcolor": PALETTES[theme].unknown, "opacity": 0.55,
    }  # fmt: skip


def gap_words(history: Sequence[Bucket]) -> str:
    """What the shaded stretches are; empty where there are none."""
    reasons = dict.fromkeys(GAPS[each.gap] for each in history if each.gap is not None)
    return f"shaded: {'; '.join(reasons)}" if reasons else ""
