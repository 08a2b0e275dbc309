"""A chart as a mail shows it: bars of table cells, one line of characters, and words for both.

No picture and no position, which mail programs block or ignore: a limit is the edge between two
rows of the table. Pure; all text of it is `shown`, and none of it is markup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from alerts.chart import NS_PER_S, Chart, Unit
from alerts.rules.base import in_seconds, share_in_words
from alerts.shown import shown
from freshness.spark import pixels, scale, text_bars

HEIGHT: Final = 64
"""Pixels from zero to the top."""
HEADROOM: Final = 1.15
"""How far above a limit a chart reaches at least, so that its line is seen."""
_TITLE: Final = 120


class Cell(NamedTuple):
    """A cell of one row: a bar of so many pixels, or `span` neighbours that have none.

    `kind` is `ok` or `bad`, and `none` where nothing is known.
    """

    kind: str
    height: int
    span: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A row of cells, and its own pixels."""

    height: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the templates are given of a chart.

    `in_words` stands for the bars, and holds nothing from outside: programs that clean mails are
    least to be trusted with attributes. `above` is the row over the limit, None without one. `top`
    says what the highest block of `line` stands for.
    """

    title: str
    above: Row | None
    below: Row
    line: str
    since: str
    until: str
    most: str
    top: str
    limit: str
    gaps: str
    in_words: str


def draw(chart: Chart) -> Drawing | None:
    """None where it has nothing to show.

    Raises ValueError or TypeError where its values are no numbers, as those of a payload may be.
    """
    values = [None if each is None else float(each) for each in chart.values]
    known = [each for each in values if each is not None]
    if not known:
        return None
    top, title = _top(chart, known), shown(chart.title, _TITLE)
    limit = 0 if chart.limit is None else max(1, pixels([chart.limit], top, HEIGHT)[0] or 0)
    bars = [_bar(chart, *each) for each in zip(values, pixels(values, top, HEIGHT), strict=True)]
    scaled = scale(values, 1.0 if chart.unit == "share" else chart.limit)
    since, until = _instants(chart)
    most = _most(chart, known)
    written = "" if chart.limit is None else said(chart.limit, chart.unit)
    missing = len(values) - len(known)
    gaps = f"{missing} of {len(values)} without data" if missing else ""
    words = [f"Bars from {since} to {until}", most, f"limit {written}" if written else "", gaps]
    return Drawing(
        title=title,
        above=_row(bars, limit, HEIGHT) if limit else None,
        below=_row(bars, 0, limit or HEIGHT),
        line=text_bars(values, scaled),
        since=since,
        until=until,
        most=most,
        top=said(scaled, chart.unit),
        limit=written,
        gaps=gaps,
        in_words=", ".join(filter(None, words)),
    )


def _most(chart: Chart, known: Sequence[float]) -> str:
    """Of a limit that is a floor, the least as well."""
    least, most = (said(each, chart.unit) for each in (min(known), max(known)))
    return f"from {least} to {most}" if chart.is_floor else f"highest {most}"


def said(value: float, unit: Unit) -> str:
    """A value for people."""
    if unit == "seconds":
        return in_seconds(value * NS_PER_S) if value > 0 else "0 s"
    return share_in_words(value) if unit == "share" else f"{value:.3g}×"


def _top(chart: Chart, known: Sequence[float]) -> float:
    if chart.unit == "share":
        return 1.0 if max(known) <= 1 else max(known)
    return scale(known, None if chart.limit is None else chart.limit * HEADROOM)


def _bar(chart: Chart, value: float | None, height: int | None) -> Cell:
    if value is None or height is None:
        return Cell("none", 0)
    is_over = chart.limit is not None and (
        value < chart.limit if chart.is_floor else value > chart.limit
    )
    return Cell("bad" if is_over else "ok", height)


def _row(bars: Sequence[Cell], from_: int, to: int) -> Row:
    """What of the bars lies between two heights; neighbours with nothing there are one cell."""
    cells: list[Cell] = []
    for bar in bars:
        height = max(0, min(bar.height, to) - from_)
        kind = bar.kind if height or bar.kind == "none" else "ok"
        if not height and cells and cells[-1][:2] == (kind, 0):
            cells[-1] = Cell(kind, 0, cells[-1].span + 1)
        else:
            cells.append(Cell(kind, height))
    return Row(to - from_, cells)


def _instants(chart: Chart) -> tuple[str, str]:
    """Both ends; seconds where they matter."""
    since, until = (_instant(each) for each in (chart.since_ns, chart.until_ns))
    exact = "%H:%M:%S" if since.second or until.second else "%H:%M"
    return f"{since:%Y-%m-%d {exact}}", f"{until:%Y-%m-%d {exact}} UTC"


def _instant(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC)
