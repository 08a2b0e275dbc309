"""The timeline of a key: the origin's versions on top, below it every node's copy in the same hues.

A band runs from the first to the last read that saw it; in the gap between two bands the change
happened unseen. What is stale is hatched, outlined and named; unknown is hatched grey; a miss is
a gap with a thin edge.
"""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from dashboard.figures import Figure
from dashboard.figures.rows import Row, Rows, headings, lay_out, y_axis
from dashboard.figures.template import PALETTES, VERSION_HUES, Palette, Theme, template
from dashboard.queries.history import Band, HistoryView, StaleStretch, Swimlane
from dashboard.wording import count, duration, instant, iso, shortened, version
from freshness.model import Result
from store.base import ORIGIN

_CLEAR: Final = "rgba(0,0,0,0)"
_LEAST_PX: Final = 3
_PLOT_PX: Final = 900
_LABEL_PX: Final = 7
_STALE_PX: Final = 42


def timeline(view: HistoryView, theme: Theme) -> Figure:
    """Bands of versions, then unknown and unreadable ones, misses, and stale stretches on top."""
    palette, rows = PALETTES[theme], _rows_of(view.lanes)
    values = [band for band in view.bands if band.result is Result.VALUE]
    murky = [band for band in view.bands if band.result in {Result.UNKNOWN, Result.UNREADABLE}]
    misses = [band for band in view.bands if band.result is Result.MISS]
    return {
        "data": [
            _bars(view, rows, values) | _versions(view, values),
            _bars(view, rows, murky) | _unknown(view, murky, palette),
            _bars(view, rows, misses) | _missing(view, misses, palette),
            _stale(view, rows, palette),
            _stale_names(view, rows, palette),
        ],
        "layout": _layout(view, rows, theme),
    }


def _rows_of(lanes: Sequence[Swimlane]) -> Rows:
    return lay_out([_row(lane) for lane in lanes])


def _row(lane: Swimlane) -> Row:
    if lane.layer == ORIGIN:
        return Row("origin", lane.node)
    return Row(lane.layer, lane.node, lane.region if lane.state == "up" else lane.state)


def _bars(view: HistoryView, rows: Rows, bands: Sequence[Band]) -> dict[str, Any]:
    least_ns = (view.window.until_ns - view.window.since_ns) * _LEAST_PX // _PLOT_PX
    return {
        "type": "bar",
        "orientation": "h",
        "base": [iso(band.first_at_ns) for band in bands],
        "x": [max(band.last_at_ns - band.first_at_ns, least_ns) // 1_000_000 for band in bands],
        "y": [rows.at[band.lane] for band in bands],
        "width": 0.72,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "constraintext": "inside",
        "customdata": [[_hover(view, band)] for band in bands],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
    }


def _versions(view: HistoryView, bands: Sequence[Band]) -> dict[str, Any]:
    hues = [VERSION_HUES[(band.hue or 0) % len(VERSION_HUES)] for band in bands]
    return {
        "name": "versions",
        "text": [_fitting(view, band, version(band.value)) for band in bands],
        "textfont": {"color": "#ffffff", "size": 11},
        "marker": {"color": hues, "line": {"width": 0}, "cornerradius": 3},
    }


def _unknown(view: HistoryView, bands: Sequence[Band], palette: Palette) -> dict[str, Any]:
    pattern = {
        "shape": "/",
        "size": 6,
        "solidity": 0.22,
        "fgcolor": palette.unknown_line,
        "bgcolor": palette.unknown,
    }
    return {
        "name": "unknown",
        "text": [_fitting(view, band, band.result.value) for band in bands],
        "textfont": {"color": palette.text, "size": 11},
        "marker": {"color": palette.unknown, "line": {"width": 0}, "pattern": pattern},
    }


def _missing(view: HistoryView, bands: Sequence[Band], palette: Palette) -> dict[str, Any]:
    return {
        "name": "miss",
        "text": [_fitting(view, band, "miss") for band in bands],
        "textfont": {"color": palette.muted, "size": 11},
        "marker": {"color": _CLEAR, "line": {"width": 1, "color": palette.line}},
    }


def _stale(view: HistoryView, rows: Rows, palette: Palette) -> dict[str, Any]:
    least_ns = (view.window.until_ns - view.window.since_ns) * _LEAST_PX // _PLOT_PX
    hatching = {"shape": "x", "size": 7, "solidity": 0.18, "fgcolor": "#ffffff", "bgcolor": _CLEAR}
    stretches = view.stale
    return {
        "type": "bar",
        "name": "stale",
        "orientation": "h",
        "base": [iso(each.first_at_ns) for each in stretches],
        "x": [max(each.last_at_ns - each.first_at_ns, least_ns) // 1_000_000 for each in stretches],
        "y": [rows.at[each.lane] for each in stretches],
        "width": 0.84,
        "customdata": [[_stale_hover(view, each)] for each in stretches],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
        "marker": {
            "color": _CLEAR,
            "line": {"width": 2.5, "color": palette.danger},
            "pattern": hatching,
        },
    }


def _fitting(view: HistoryView, band: Band, text: str) -> str:
    """The text where the band is wide enough for it on a common screen, else none."""
    span_ns = view.window.until_ns - view.window.since_ns
    width_px = (band.last_at_ns - band.first_at_ns) * _PLOT_PX / span_ns
    return escape(text) if width_px > len(text) * _LABEL_PX + 4 else ""


def _hover(view: HistoryView, band: Band) -> str:
    lane = view.lanes[band.lane]
    where = "origin" if lane.layer == ORIGIN else lane.layer
    held = version(band.value) if band.result is Result.VALUE else band.result.value
    lines = [
        f"<b>{escape(shortened(held, 40))}</b> · {escape(lane.node)} · {escape(where)}",
        f"seen from {instant(band.first_at_ns)} to {instant(band.last_at_ns)} UTC",
        count(band.reads, "read"),
    ]
    if band.ended_by:
        lines.append(f"ended by {escape(band.ended_by)}")
    return "<br>".join(lines)


def _stale_hover(view: HistoryView, stretch: StaleStretch) -> str:
    lane = view.lanes[stretch.lane]
    return "<br>".join(
        [
            f"<b>stale</b> · {escape(lane.node)} · {escape(lane.layer)}",
            f"proven from {instant(stretch.first_at_ns)} to {instant(stretch.last_at_ns)} UTC",
            f"longest: at least {duration(stretch.longest_ns)}",
            count(stretch.reads, "stale read"),
        ]
    )


def _layout(view: HistoryView, rows: Rows, theme: Theme) -> dict[str, Any]:
    palette = PALETTES[theme]
    return {
        "template": template(theme),
        "height": rows.height_px,
        "barmode": "overlay",
        "bargap": 0,
        # What Python thinks wide enough may not be on a small screen.
        "uniformtext": {"mode": "hide", "minsize": 10},
        "xaxis": {
            "type": "date",
            "range": [iso(view.window.since_ns), iso(view.window.until_ns)],
            "automargin": True,
            "nticks": 5,
            "tickangle": 0,
            "ticks": "outside",
            "fixedrange": True,
        },
        "yaxis": y_axis(rows),
        "annotations": headings(rows, palette),
    }


def _stale_names(view: HistoryView, rows: Rows, palette: Palette) -> dict[str, Any]:
    """The word beside the hatching where there is room; the hatching says it elsewhere.

    A trace, so that the style sheet can leave it out where the screen is narrow.
    """
    named = [each for each in view.stale if _has_room(view, each)]
    return {
        "type": "scatter",
        "mode": "text",
        "name": "stale",
        "x": [iso(each.last_at_ns) for each in named],
        "y": [rows.at[each.lane] for each in named],
        "text": ["  stale"] * len(named),
        "textposition": "middle right",
        "textfont": {"size": 10, "color": palette.danger, "weight": 700},
        "hoverinfo": "skip",
        "cliponaxis": True,
    }


def _has_room(view: HistoryView, stretch: StaleStretch) -> bool:
    """Whether the word fits after this stretch, before the next one, a label and the edge."""
    span_ns = view.window.until_ns - view.window.since_ns
    later_ns = [
        each.first_at_ns
        for each in view.stale
        if each.lane == stretch.lane and each.first_at_ns > stretch.last_at_ns
    ]
    half_label_ns = _LABEL_PX * 3 * span_ns // _PLOT_PX
    middles_ns = [
        (band.first_at_ns + band.last_at_ns) // 2
        for band in view.bands
        if band.lane == stretch.lane and _fitting(view, band, "v0")
    ]
    labels_ns = [at - half_label_ns for at in middles_ns if at + half_label_ns > stretch.last_at_ns]
    next_ns = min([*later_ns, *labels_ns, view.window.until_ns])
    return (next_ns - stretch.last_at_ns) * _PLOT_PX > _STALE_PX * span_ns
