"""Coverage by keyspace and layer, what it leaves unseen, and times of which nothing is known."""

from collections import defaultdict
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.blind_words import blind_words
from dashboard.components.parts import Child, attributes, cell, empty, pill, table
from dashboard.queries.coverage import CoverageView
from dashboard.wording import ago, count, duration, instant, percent, small_percent
from freshness.blind_spots import Blind
from freshness.check import Seen
from freshness.resident import resident
from freshness.rollup import SAMPLED
from store.coverage import LayerCover, Minutes

_STRATA = {
    SAMPLED: "walk",
    "recheck": "in doubt",
    "sweep": "swept",
    "hot": "much read",
}
_GRAVE = (Blind.NO_READS, Blind.SILENT_NODES, Blind.NO_CHECKS)
_HEADS = ("Layer", "Node-minutes", "Walk", "Reads", "Event checks", "Last sweep", "Supports")


def layer_table(view: CoverageView) -> Component:
    """A row for each keyspace on each layer."""
    if not view.seen.layers:
        return empty("No data yet", f"Nothing was read {view.window.in_words}.")
    rows = [_row(each, view.seen.until_ns) for each in view.seen.layers]
    return table("Coverage by layer", _HEADS, rows)


def unseen_list(view: CoverageView) -> Component:
    """What the evidence cannot see, a sentence each with the layers that it is about."""
    said: defaultdict[str, list[str]] = defaultdict(list)
    grave: set[str] = set()
    for each in view.seen.layers:
        for spot in each.blind:
            words = blind_words(spot)
            said[words].append(f"{each.layer} · {each.keyspace}")
            if spot.kind in _GRAVE:
                grave.add(words)
    if not said:
        return empty("Nothing can be said", f"Nothing was read {view.window.in_words}.")
    ordered = sorted(said.items(), key=lambda item: item[0] not in grave)
    items = [_unseen(words, places, words in grave) for words, places in ordered]
    return html.Ul(items, className="unseen")


def _unseen(words: str, places: Sequence[str], is_grave: bool) -> Component:
    tone = "warn" if is_grave else "plain"
    named = [pill(place, tone) for place in places]
    return html.Li([html.Div(words), html.Div(named, className="unseen-places")])


def _row(each: LayerCover, now_ns: int) -> Component:
    return html.Tr(
        [
            cell("Layer", _named(each), "cell-node"),
            cell("Node-minutes", _minutes(each.minutes), "num-wrap"),
            cell("Walk", _walk(each), "num-wrap"),
            cell("Reads", _strata(each), "num-wrap"),
            cell("Event checks", _checks(each), "num-wrap"),
            cell("Last sweep", _swept(each, now_ns), "num-wrap"),
            cell("Supports", _nines(each), "num-wrap"),
        ],
        **attributes(data_cover=f"{each.keyspace}/{each.layer}"),
    )


def _named(each: LayerCover) -> list[Child]:
    answering = f"{each.nodes - each.nodes_silent} of {count(each.nodes, 'node')} answering"
    return [
        html.Div(each.layer, className="strong"),
        html.Div(each.keyspace, className="under"),
        html.Div(answering, className="under"),
    ]


def _minutes(minutes: Minutes) -> list[Child]:
    observed, expected = minutes
    if not expected:
        return [html.Span("none", className="hint")]
    share = observed / expected
    tone = "good" if observed >= expected else "warn"
    fill = html.Span(style={"width": f"{100 * share:.1f}%"}, className=f"fill fill-{tone}")
    return [
        html.Div(percent(share, 1), className="num"),
        html.Div(fill, className="track"),
        html.Div(f"{observed:,} of {expected:,}", className="under"),
    ]


def _walk(each: LayerCover) -> list[Child]:
    more = "" if each.keys.is_all else "+"
    keys = html.Div(f"{each.keys.seen:,}{more} keys", className="under")
    if each.walk_ns is None:
        return [html.Span("unknown", className="hint"), keys]
    half = f"a random loss: {duration(each.walk_ns // 2)} on average"
    return [
        html.Div(f"at most {duration(each.walk_ns)}", className="num"),
        keys,
        html.Div(half, className="under"),
    ]


def _strata(each: LayerCover) -> list[Child]:
    lines = [
        html.Li([html.Span(_STRATA.get(name, name), className="under"), f" {reads:,}"])
        for name, reads in each.strata.items()
    ]
    return [html.Ul(lines, className="strata")]


def _checks(each: LayerCover) -> list[Child]:
    checks = each.checks
    if not checks.n:
        return [html.Span("none", className="hint")]
    left_out = checks.weight - checks.n
    lost = [
        f"{checks.seen[seen]:,} {words}"
        for seen, words in ((Seen.SKIPPED, "skipped"), (Seen.UNANSWERED, "unanswered"))
        if checks.seen.get(seen)
    ]
    share = html.Div(f"{small_percent(checks.lost / checks.n)} lost", className="under")
    return [
        html.Div(f"{checks.n:,}", className="num"),
        share,
        html.Div(", ".join(lost), className="under") if lost else None,
        html.Div(f"{left_out:,.0f} left out", className="under") if left_out >= 1.0 else None,
    ]


def _swept(each: LayerCover, now_ns: int) -> list[Child]:
    if each.swept is None:
        return [html.Span("never", className="hint")]
    total = each.swept.total
    found = resident(total.right, total.wrong, total.indeterminate)
    share = "none could be judged" if found is None else f"{percent(found.good)} not proven wrong"
    return [
        html.Div(ago(each.swept.ended_at_ns, now_ns), className="num"),
        html.Div(count(total.entries, "entry", "entries"), className="under"),
        html.Div(share, className="under"),
    ]


def _nines(each: LayerCover) -> list[Child]:
    if each.stale:
        more = f"{each.stale:,} stale reads limit it"
    else:
        more = f"the next takes {each.needed:,} clean ones"
    return [
        html.Div(count(each.nines, "nine") if each.nines else "no nine yet", className="num"),
        html.Div(f"{each.clusters:,} independent samples", className="under"),
        html.Div(more, className="under"),
    ]


def lost_times(view: CoverageView) -> Component:
    """Origins that do not answer, sources that were not heard, times without a judged read."""
    now_ns = view.seen.until_ns
    rows = [
        *(_time("origin", row.node, row.since_at_ns, None, row.why, now_ns)
          for row in view.seen.origins if row.state != "up"),
        *(_time("source", gap.source, gap.since_ns, gap.until_ns, gap.why, now_ns)
          for gap in view.seen.gaps),
        *(_time("keyspace", each.keyspace, each.since_ns, each.until_ns,
                "no copy was judged anywhere", now_ns) for each in view.seen.silences),
    ]  # fmt: skip
    if not rows:
        words = (
            f"Every origin answers, no source of invalidations missed anything that we know of, "
            f"and each whole stretch of time has a judged read {view.window.in_words}."
        )
        return empty("No time is lost", words, is_good=bool(view.reads))
    return table("Lost times", ("What", "From", "For", "Why"), rows)


def _time(
    kind: str, name: str, since_ns: int, until_ns: int | None, why: str, now_ns: int
) -> Component:
    length = duration((until_ns or now_ns) - since_ns)
    lasts = length if until_ns is not None else f"{length}, and goes on"
    return html.Tr(
        [
            cell("What", [html.Div(name, className="strong"),
                          html.Div(kind, className="under")], "cell-node"),
            cell("From", instant(since_ns), "num-wrap"),
            cell("For", lasts, "num-wrap"),
            cell("Why", why or "no reason given", "cell-cause"),
        ],
        **attributes(data_lost=f"{kind} {name}"),
    )  # fmt: skip
