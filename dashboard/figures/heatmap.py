"""The heat map of staleness: a node a row, time to the right, unknown hatched, no data empty."""

from collections.abc import Sequence
from html import escape
from math import log10
from typing import Any, Final

from dashboard.figures import Figure
from dashboard.figures.rows import Row, Rows, headings, lay_out, y_axis
from dashboard.figures.template import PALETTES, Palette, Theme, template
from dashboard.queries.heat import HeatView, Lane, Sight, Square
from dashboard.wording import SECOND_NS, count, duration, instant, iso

FRESH_LEVEL: Final = 0.0
TOP_LEVEL: Final = 5.0
AROUND_NS: Final = 300 * SECOND_NS


def level(largest_ns: int) -> float:
    """Where a staleness lies on the scale: 0 is fresh, 1 is 10 ms, 3 is 1 s, 5 is 100 s or more."""
    if largest_ns <= 0:
        return FRESH_LEVEL
    return min(max(log10(largest_ns / SECOND_NS) + 3.0, 1.1), TOP_LEVEL)


def heatmap(view: HeatView, theme: Theme) -> Figure:
    """Empty squares are not drawn: nothing was read then, and nothing is said of it."""
    palette, rows = PALETTES[theme], rows_of(view.lanes)

    def seen(*sights: Sight) -> list[Square]:
        return [square for square in view.squares if square.sight in sights]

    return {
        "data": [
            _squares(view, rows, seen(Sight.JUDGED, Sight.PARTLY), palette),
            _bars(view, rows, seen(Sight.PARTLY)) | _hatched(palette, "rgba(0,0,0,0)"),
            _bars(view, rows, seen(Sight.UNKNOWN)) | _hatched(palette, palette.unknown),
            _bars(view, rows, seen(Sight.MISSES)) | _outlined(palette),
        ],
        "layout": _layout(view, rows, theme),
    }


def rows_of(lanes: Sequence[Lane]) -> Rows:
    """A row a node, under its layer; a node that does not answer says so."""
    return lay_out([Row(lane.layer, lane.node, _note(lane)) for lane in lanes])


def _note(lane: Lane) -> str:
    return lane.region if lane.state == "up" else lane.state


def _squares(
    view: HeatView, rows: Rows, squares: Sequence[Square], palette: Palette
) -> dict[str, Any]:
    """A whole grid, empty where there is no square, so that every square has the same size."""
    first = view.window.since_ns // view.width_ns
    columns = -(-view.window.until_ns // view.width_ns) - first
    levels: list[list[float | None]] = [[None] * columns for _ in range(rows.depth)]
    customs: list[list[list[str]]] = [[[]] * columns for _ in range(rows.depth)]
    for square in squares:
        column = square.start_ns // view.width_ns - first
        if 0 <= column < columns:
            levels[rows.at[square.lane]][column] = level(square.largest_ns)
            customs[rows.at[square.lane]][column] = _custom(view, square)
    return {
        "type": "heatmap",
        # Edges, one more than columns: of a single middle no width could be told.
        "x": [iso((first + column) * view.width_ns) for column in range(columns + 1)],
        "y": list(range(rows.depth)),
        "z": levels,
        "customdata": customs,
        "hovertemplate": "%{customdata[0]}<extra></extra>",
        "hoverongaps": False,
        "colorscale": [list(stop) for stop in palette.heat],
        "zmin": FRESH_LEVEL,
        "zmax": TOP_LEVEL,
        "xgap": 1.5,
        "ygap": 4,
        "showscale": False,
    }


def _hatched(palette: Palette, fill: str) -> dict[str, Any]:
    """Over judged squares (with a clear fill) where only a part of their reads is unknown."""
    pattern = {
        "shape": "/",
        "size": 6,
        "solidity": 0.22,
        "fgcolor": palette.unknown_line,
        "bgcolor": fill,
    }
    return {"name": "unknown", "marker": {"color": fill, "line": {"width": 0}, "pattern": pattern}}


def _outlined(palette: Palette) -> dict[str, Any]:
    """Only misses: an outline, since there was no copy that could be fresh or stale."""
    marker = {"color": "rgba(0,0,0,0)", "line": {"width": 1, "color": palette.line}}
    return {"name": "only misses", "marker": marker}


def _bars(view: HeatView, rows: Rows, squares: Sequence[Square]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "base": [iso(each.start_ns) for each in squares],
        "x": [view.width_ns // 1_000_000] * len(squares),
        "y": [rows.at[each.lane] for each in squares],
        "width": 0.84,
        "customdata": [_custom(view, each) for each in squares],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
    }


def _custom(view: HeatView, square: Square) -> list[str]:
    """What hovering says, and the node and window of a click: what led there and what followed."""
    lane = view.lanes[square.lane]
    around_ns = max(AROUND_NS, view.width_ns)
    since_ns, until_ns = square.start_ns - around_ns, square.start_ns + view.width_ns + around_ns
    return [_hover(view, square), lane.layer, lane.node, iso(since_ns), iso(until_ns)]


def _hover(view: HeatView, square: Square) -> str:
    lane = view.lanes[square.lane]
    end_ns = square.start_ns + view.width_ns
    where = f"<b>{escape(lane.node)}</b> · {escape(lane.layer)}"
    lines = [
        f"{where} · {escape(lane.region)}" if lane.region else where,
        f"{instant(square.start_ns)} to {instant(end_ns)} UTC",
        _said(square),
        f"{count(square.fresh, 'fresh', 'fresh')}, {square.stale:,} stale, "
        f"{square.indeterminate:,} indeterminate",
        f"{square.unknown:,} unknown, {count(square.misses, 'miss', 'misses')}",
    ]
    return "<br>".join(lines)


def _said(square: Square) -> str:
    if square.sight is Sight.UNKNOWN:
        return "unknown: no read could be judged"
    if square.sight is Sight.MISSES:
        return "only misses: no copy was held"
    if square.largest_ns <= 0:
        return "nothing proven stale"
    return f"proven stale for at least {duration(square.largest_ns)}"


def _layout(view: HeatView, rows: Rows, theme: Theme) -> dict[str, Any]:
    return {
        "template": template(theme),
        "height": rows.height_px,
        "barmode": "overlay",
        "clickmode": "event",
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
        "yaxis": y_axis(rows),
        "annotations": headings(rows, PALETTES[theme]),
    }
