"""Rows of nodes under a heading for each layer: what both charts stand on."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from dashboard.figures.template import Palette
from dashboard.wording import shortened

ROW_PX: Final = 26
_EDGES_PX: Final = 56


@dataclass(frozen=True, slots=True)
class Row:
    """A node; rows of the same `group` that follow each other share a heading."""

    group: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Where each row lies on the y axis, from 0 at the top, and where the headings do."""

    rows: Sequence[Row]
    at: Sequence[int]
    headings: Sequence[tuple[int, str]]
    depth: int

    @property
    def height_px(self) -> int:
        """The height of a chart with these rows."""
        return _EDGES_PX + round(ROW_PX * max(self.depth, 1))


def lay_out(rows: Sequence[Row]) -> Rows:
    """Each group gets a heading above it; a group without a name gets none."""
    at: list[int] = []
    headings: list[tuple[int, str]] = []
    depth = 0
    for number, row in enumerate(rows):
        if row.group and (number == 0 or rows[number - 1].group != row.group):
            headings.append((depth, row.group))
            depth += 1
        at.append(depth)
        depth += 1
    return Rows(rows, at, headings, depth)


def y_axis(rows: Rows) -> dict[str, Any]:
    """Names are escaped, since plotly reads a subset of HTML in them."""
    return {
        "range": [rows.depth - 0.5, -0.5],
        "tickvals": list(rows.at),
        "ticktext": [_tick(row) for row in rows.rows],
        "fixedrange": True,
        "showgrid": False,
        "automargin": True,
        "ticklabelstandoff": 8,
    }


def _tick(row: Row) -> str:
    name = escape(shortened(row.name, 20))
    return f"<i>{escape(row.note)}</i>  {name}" if row.note else name


def headings(rows: Rows, palette: Palette) -> list[dict[str, Any]]:
    """The headings as annotations, at the left edge of the plot."""
    base = {"xref": "paper", "x": 0, "xanchor": "left", "yanchor": "middle", "showarrow": False}
    font = {"size": 11, "color": palette.muted, "weight": 600}
    return [
        base | {"y": y + 0.12, "text": escape(shortened(name, 40)), "font": font}
        for y, name in rows.headings
    ]
