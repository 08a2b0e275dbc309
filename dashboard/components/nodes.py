"""Nodes as rows: what each counted in the window, less our own reads."""

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import Child, attributes, cell, empty, pill, table
from dashboard.figures.lines import MOST_DRAWN, line_colour
from dashboard.figures.template import Theme
from dashboard.queries.nodes import NodeLine, NodesView
from dashboard.wording import SECOND_NS, ago, count, duration, percent
from store.counters import NODE, CounterRow
from store.node_counters import mean_request_s, per_second, rate_of

_HEADS = ("Node", "Hit rate", "Lookups", "Evictions", "Requests", "Time of one", "Memory")
GUIDE = "docs/counters.md"
UNKNOWN = "not told"


def node_rows(view: NodesView, theme: Theme, now_ns: int) -> Component:
    """A row a node and source, then those that nobody counts; or why there are none."""
    if not view.lines:
        return _nobody_counts(view)
    rows = [_row(line, theme, now_ns) for line in view.lines]
    hints: list[Child] = []
    if len(view.lines) > MOST_DRAWN:
        hints.append(f"The charts show the first {MOST_DRAWN}: filter by layer to see others. ")
    if view.silent:
        named = ", ".join(row.node for row in view.silent[:5])
        more = f" and {len(view.silent) - 5} more" if len(view.silent) > 5 else ""
        hints.append(f"Nobody counts at {named}{more}: see {GUIDE}.")
    return html.Div([table("Nodes", _HEADS, rows), html.P(hints, className="hint")])


def _nobody_counts(view: NodesView) -> Component:
    if not view.silent:
        return empty("No counters", f"No node was counted {view.window.in_words}.")
    return empty(
        "No counters",
        f"{count(len(view.silent), 'node')} known, and none was counted {view.window.in_words}: "
        f"a look comes every 15 s where the kind of cache has counters; {GUIDE} says which have.",
    )


def _row(line: NodeLine, theme: Theme, now_ns: int) -> Component:
    row = line.total
    return html.Tr(
        [
            cell("Node", _named(line, theme), "cell-node"),
            cell("Hit rate", _hit_rate(row), "num-wrap"),
            cell("Lookups", _lookups(row), "num-wrap"),
            cell("Evictions", _evictions(row), "num-wrap"),
            cell("Requests", _per_second(row.requests, row), "num-wrap"),
            cell("Time of one", time_words(row), "num-wrap"),
            cell("Memory", _memory(row, now_ns), "num-wrap"),
        ],
        **attributes(data_counted=f"{row.layer}/{row.node}"),
    )


def _named(line: NodeLine, theme: Theme) -> list[Child]:
    row = line.total
    where = f"{row.layer} · {line.region}" if line.region else row.layer
    source = "" if row.source == NODE else f" · by {row.source.replace(':', ' ')}"
    swatch = html.Span(
        className="line-swatch", style={"backgroundColor": line_colour(line.number, theme)}
    )
    restarts = [pill(count(row.restarts, "restart"), "warn")] if row.restarts else []
    return [
        html.Div([swatch, row.node], className="strong"),
        html.Div(f"{where}{source}", className="under"),
        html.Div(row.why, className="under bad-words") if row.why else None,
        *restarts,
    ]


def _hit_rate(row: CounterRow) -> list[Child]:
    rate = rate_of(row)
    if rate is None:
        return [html.Span(_why_no_rate(row), className="under")]
    bounds = f"{percent(rate.lower)} to {percent(rate.upper)}"
    is_exact = rate.lower == rate.upper
    return [
        html.Div(percent(rate.share), className="strong"),
        None if is_exact else html.Div(bounds, className="under"),
    ]


def _why_no_rate(row: CounterRow) -> str:
    if row.hits is None or row.misses is None:
        return UNKNOWN if row.covered_ns or row.unanswered else "not yet known"
    if row.hits < row.own_hits[0] or row.misses < row.own_misses[0]:
        return "unknown: it counted less than we read"
    return "no lookups by others"


def _lookups(row: CounterRow) -> list[Child]:
    rate = rate_of(row)
    own = row.own_hits[1] + row.own_misses[1]
    ours = html.Div(f"besides {own:,} of ours", className="under") if own else None
    others = 0 if rate is None else rate.lookups
    known = row.hits is not None and row.misses is not None
    return [f"{others:,}" if known else UNKNOWN, ours]


def _evictions(row: CounterRow) -> list[Child]:
    if row.evictions is None:
        return [UNKNOWN]
    gone = None if row.expirations is None else f"{row.expirations:,} expired"
    asked = None if row.invalidations is None else f"{row.invalidations:,} deletions asked for"
    lines = [html.Div(each, className="under") for each in (gone, asked) if each]
    return [f"{row.evictions:,}", *lines]


def _per_second(number: int | None, row: CounterRow) -> str:
    rate = per_second(number, row)
    return UNKNOWN if rate is None else f"{rate:,.3g}/s" if rate < 1_000 else f"{rate:,.0f}/s"


def time_words(row: CounterRow) -> str:
    """How long a request took in the node, in words."""
    seconds = mean_request_s(row)
    if seconds is None:
        return UNKNOWN
    return f"{seconds * 1e6:.3g} µs" if seconds < 1e-4 else duration(seconds * SECOND_NS)


def size_words(size: int | None) -> str:
    """Bytes as "1.2 MiB"."""
    if size is None:
        return UNKNOWN
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1_000:
            break
        amount, unit = amount / 1_024, larger
    return f"{amount:.3g} {unit}"


def _memory(row: CounterRow, now_ns: int) -> list[Child]:
    limit = row.memory_limit_bytes
    share = None
    if limit and row.memory_bytes is not None:
        share = f"{percent(row.memory_bytes / limit, 0)} of {size_words(limit)}"
    entries = None if row.items is None else count(row.items, "entry", "entries")
    lines = [html.Div(each, className="under") for each in (share, entries) if each]
    seen = html.Div(f"looked at {ago(row.last_at_ns, now_ns)}", className="under")
    return [size_words(row.memory_bytes), *lines, seen]
