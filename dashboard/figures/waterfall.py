"""The waterfall of one invalidation: a row a node, what it claims above what probes saw.

The axis is the time since the write, logarithmic, since milliseconds stand beside hours. A claim is
a bar from the write to the receipt, by two hosts' stamps; an observation is a bar between its
bounds. What is missing is an open bar: it runs to now, and its end is no value.
"""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from math import log10
from typing import Any, Final, Literal, NamedTuple

from dashboard.figures import Figure
from dashboard.figures.rows import Row, Rows, headings, lay_out, y_axis
from dashboard.figures.template import PALETTES, Palette, Theme, template
from dashboard.queries.spread import SpreadView
from dashboard.telling import CAVEATS, STATUSES, WHYS, claimed_lag, delay_words
from dashboard.wording import duration
from freshness.propagation import Caveat, Claimed, Observed, Status
from store.spread import NodeSpread

_ROW_PX: Final = 40
_OFFSET: Final = 0.2
_WIDTH: Final = 0.3
_LEAST_NS: Final = 1_000_000
"""Where the axis begins at the latest; a shorter lag is a bar of the least width."""
_LEAST_RATIO: Final = 1.03
_ROOM: Final = 0.5
"""So many of the axis' decades follow its last bar, for what stands beside it."""
_TICKS_NS: Final = (10**4, 10**6, 10**8, 10**10, 600 * 10**9, 36_000 * 10**9, 3_456_000 * 10**9)
_BAD: Final = (Status.LATE, Status.MISSING, Status.FAILED)

Side = Literal["claimed", "observed"]


class Bar(NamedTuple):
    """One account of one node, from and to so many nanoseconds after the write.

    `until_ns` None is an open end. `is_bad` is true of what is proven bad alone.
    """

    node: int
    side: Side
    from_ns: int
    until_ns: int | None
    is_bad: bool
    is_doubtful: bool
    words: str
    hover: str


def bars_of(view: SpreadView) -> list[Bar]:
    """The bars of every node, claims before observations."""
    bars: list[Bar] = []
    for number, each in enumerate(view.nodes):
        if each.claimed is not None:
            bars.append(_claim(number, each, each.claimed))
        if each.observed is not None and _is_telling(each.observed):
            bars.append(_sight(number, each, each.observed))
    return bars


def waterfall(view: SpreadView, theme: Theme) -> Figure:
    """Bars as the module says, in seconds; a dashed line a layer at its maximum staleness."""
    palette = PALETTES[theme]
    rows = lay_out([_row(each) for each in view.nodes])
    bars = bars_of(view)
    axis = _axis(view, bars)
    closed = [bar for bar in bars if bar.until_ns is not None]
    return {
        "data": [
            _trace(rows, _of(closed, "claimed"), axis) | _claimed_look(closed, palette),
            _trace(rows, _of(closed, "observed"), axis) | _observed_look(closed, palette),
            _open_trace(rows, [bar for bar in bars if bar.until_ns is None], axis, palette),
        ],
        "layout": _layout(view, rows, axis, theme),
    }


def _row(each: NodeSpread) -> Row:
    note = each.region
    if not each.is_known:
        note = "not known"
    elif not each.is_listed:
        note = "gone"
    return Row(each.layer, each.node, note)


def _claim(number: int, each: NodeSpread, claimed: Claimed) -> Bar:
    is_bad = claimed.status in _BAD
    words = _label(claimed.status, claimed_lag(claimed))
    hover = _hover(each, "claimed", claimed.status, WHYS[claimed.why], claimed.caveat)
    if claimed.word is None or claimed.lag is None:
        words = STATUSES[claimed.status][0] if is_bad else "no word"
        return Bar(number, "claimed", 0, None, is_bad, True, words, hover)
    if claimed.caveat is Caveat.CLOCKS_DISAGREE:
        most = claimed.at_most if claimed.at_most is not None and claimed.at_most >= 0 else None
        return Bar(number, "claimed", 0, most, is_bad, True, "clocks disagree", hover)
    is_doubtful = claimed.caveat is not None
    return Bar(number, "claimed", 0, claimed.lag, is_bad, is_doubtful, words, hover)


def _sight(number: int, each: NodeSpread, observed: Observed) -> Bar:
    delay = observed.delay
    hover = _hover(each, "observed", observed.status, WHYS[observed.why], None)
    lower, upper = (0, None) if delay is None else (delay.lower, delay.upper)
    words = _label(observed.status, delay_words(delay)) or "not seen yet"
    if observed.status is Status.MISSING:  # its bound is where the open bar begins
        words = STATUSES[observed.status][0]
    return Bar(number, "observed", lower, upper, observed.status in _BAD, False, words, hover)


def _is_telling(observed: Observed) -> bool:
    """An account without any probe draws nothing; the table says why."""
    return observed.delay is not None or observed.behind_at is not None


def _label(status: Status, lag: str) -> str:
    said = "" if lag == "not known" else lag
    return f"{STATUSES[status][0]}, {said}".rstrip(", ") if status in _BAD else said


def _hover(each: NodeSpread, side: Side, status: Status, why: str, caveat: Caveat | None) -> str:
    account: Claimed | Observed | None = each.claimed if side == "claimed" else each.observed
    lines = [
        f"<b>{escape(each.node)}</b> · {escape(each.layer)} · {side}",
        f"{STATUSES[status][0]}: {why}",
    ]
    if isinstance(account, Observed) and account.delay is not None:
        lines.append(f"fresh {delay_words(account.delay)} after the write")
    if isinstance(account, Claimed) and account.lag is not None:
        lines.append(f"lag {claimed_lag(account)}")
    if caveat is not None:
        lines.append(CAVEATS[caveat])
    return "<br>".join(lines)


class _Axis(NamedTuple):
    """Where the axis begins, where open bars stop, and where it ends, in ns since the write."""

    first_ns: float
    now_ns: float
    last_ns: float


def _axis(view: SpreadView, bars: Sequence[Bar]) -> _Axis:
    known = [bar.from_ns for bar in bars]
    known += [bar.until_ns for bar in bars if bar.until_ns is not None]
    known += [each.limit_ns for each in view.nodes if each.limit_ns is not None]
    known = [each for each in known if each > 0] or [_LEAST_NS]
    arrived_ns = view.spread.invalidation.received_at_ns if view.spread else view.now_ns
    latest_ns = max((bar.from_ns for bar in bars), default=0)
    # A clock that was set back must not close what is open.
    now_ns = max(view.now_ns - arrived_ns, latest_ns, 2 * _LEAST_NS)
    is_open = any(bar.until_ns is None for bar in bars)
    last_ns = max([*known, now_ns] if is_open else known)
    first_ns = min(_LEAST_NS, min(known) / 2, last_ns / 10)
    return _Axis(first_ns, now_ns, last_ns * (last_ns / first_ns) ** _ROOM)


def _of(bars: Sequence[Bar], side: Side) -> list[Bar]:
    return [bar for bar in bars if bar.side == side]


def _trace(rows: Rows, bars: Sequence[Bar], axis: _Axis) -> dict[str, Any]:
    starts = [max(bar.from_ns, axis.first_ns) for bar in bars]
    ends = [axis.now_ns if bar.until_ns is None else bar.until_ns for bar in bars]
    spans = [
        max(end - start, start * (_LEAST_RATIO - 1))
        for start, end in zip(starts, ends, strict=True)
    ]
    return {
        "type": "bar",
        "orientation": "h",
        "base": [start / 1e9 for start in starts],
        "x": [span / 1e9 for span in spans],
        "y": [rows.at[bar.node] + (-_OFFSET if bar.side == "claimed" else _OFFSET) for bar in bars],
        "width": _WIDTH,
        "text": [escape(bar.words) for bar in bars],
        "textposition": "outside",
        "textangle": 0,
        "constraintext": "none",
        "cliponaxis": False,
        "customdata": [[bar.hover] for bar in bars],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
    }


def _claimed_look(closed: Sequence[Bar], palette: Palette) -> dict[str, Any]:
    bars = _of(closed, "claimed")
    colours = [palette.danger if bar.is_bad else palette.muted for bar in bars]
    pattern = {
        "shape": ["/" if bar.is_doubtful else "" for bar in bars],
        "size": 5,
        "solidity": 0.35,
        "fgcolor": colours,
        "bgcolor": palette.surface,
    }
    return {
        "name": "claimed",
        "textfont": {"color": palette.text, "size": 11},
        "marker": {
            "color": colours,
            "line": {"width": 1, "color": colours},
            "pattern": pattern,
        },
    }


def _observed_look(closed: Sequence[Bar], palette: Palette) -> dict[str, Any]:
    bars = _of(closed, "observed")
    return {
        "name": "observed",
        "textfont": {"color": palette.text, "size": 11},
        "marker": {
            "color": [palette.danger if bar.is_bad else _SEEN for bar in bars],
            "line": {"width": 0},
            "cornerradius": 2,
        },
    }


_SEEN: Final = "#2f6fc4"


def _open_trace(rows: Rows, bars: Sequence[Bar], axis: _Axis, palette: Palette) -> dict[str, Any]:
    """Hatched and without an outline on the right: an end would say that something came."""
    inks = [palette.danger if bar.is_bad else palette.unknown_line for bar in bars]
    trace = _trace(rows, bars, axis)
    return trace | {
        "name": "open",
        "text": [f"▸ {words}" for words in trace["text"]],
        "textfont": {"color": palette.text, "size": 11},
        "marker": {
            "color": palette.unknown,
            "line": {"width": 0},
            "pattern": {
                "shape": "/",
                "size": 8,
                "solidity": 0.12,
                "fgcolor": inks,
                "bgcolor": palette.unknown,
            },
        },
    }


def _layout(view: SpreadView, rows: Rows, axis: _Axis, theme: Theme) -> dict[str, Any]:
    palette = PALETTES[theme]
    return {
        "template": template(theme),
        "height": 64 + _ROW_PX * max(rows.depth, 1),
        "barmode": "overlay",
        "xaxis": {
            "type": "log",
            "range": [log10(axis.first_ns / 1e9), log10(axis.last_ns / 1e9)],
            "tickvals": [tick / 1e9 for tick in _TICKS_NS],
            "ticktext": [duration(tick) for tick in _TICKS_NS],
            "automargin": True,
            "tickangle": 0,
            "ticks": "outside",
            "fixedrange": True,
            "title": {"text": "since the write", "font": {"size": 11, "color": palette.muted}},
        },
        "yaxis": y_axis(rows),
        "shapes": _limits(view, rows, palette),
        "annotations": headings(rows, palette) + _limit_names(view, rows, palette),
    }


class _Layer(NamedTuple):
    """Where the rows of a layer begin and end, and its maximum staleness."""

    limit_ns: int
    top: int
    bottom: int


def _layers(view: SpreadView, rows: Rows) -> list[_Layer]:
    placed = zip(view.nodes, rows.at, strict=True)
    found = []
    for _, group in groupby(placed, key=lambda each: each[0].layer):
        members = list(group)
        limit_ns = members[0][0].limit_ns
        if limit_ns:  # a line at zero has no place on the axis
            found.append(_Layer(limit_ns, members[0][1], members[-1][1]))
    return found


def _limits(view: SpreadView, rows: Rows, palette: Palette) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "x0": layer.limit_ns / 1e9,
            "x1": layer.limit_ns / 1e9,
            "y0": layer.top - 0.5,
            "y1": layer.bottom + 0.5,
            "line": {"color": palette.text, "width": 1, "dash": "dash"},
        }
        for layer in _layers(view, rows)
    ]


def _limit_names(view: SpreadView, rows: Rows, palette: Palette) -> list[dict[str, Any]]:
    return [
        {
            "x": log10(layer.limit_ns / 1e9),
            "y": layer.top - 0.5,
            "yanchor": "bottom",
            "text": f"max {duration(layer.limit_ns)}",
            "showarrow": False,
            "font": {"size": 10, "color": palette.muted},
        }
        for layer in _layers(view, rows)
    ]
