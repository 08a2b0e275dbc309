"""One objective: its figures, its pairs of windows, who spent its budget, and what is not known."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.budget import budget_bar
from dashboard.components.objectives import interval_words, no_data
from dashboard.components.parts import Child, cell, empty, facts, link, pill, table
from dashboard.queries.objectives import ObjectiveView
from dashboard.telling_objectives import (
    GAPS,
    WHYS,
    bad_words,
    budget_words,
    budgeting_words,
    burnt_words,
    forecast_at,
    forecast_words,
    pair_words,
    rate_words,
    share_words,
    spent_words,
    target_words,
    undecided_words,
    unit_words,
    window_words,
)
from dashboard.wording import SECOND_NS, ago, instant, percent, small_percent
from freshness.attribution import Amount, Attribution
from freshness.burn import Burn, Decision
from freshness.objective import Caution, Measure
from freshness.series import Place
from freshness.status import BudgetStatus
from store.objective_blame import Blame, KeyName

Name = TypeVar("Name", bound=Hashable)
_BURN_HEADS = ("Windows", "Long", "Short", "Threshold", "Severity", "What it says")
_CAUTIONS = {
    Caution.OCCURRENCES_IN_CALENDAR: (
        "How many events a calendar window will have is not known before it ends: nor is its budget"
    )
}


def figures(view: ObjectiveView) -> Component:
    """Three cards: the share, the budget, and the outlook; or why there are none."""
    status = view.standing.status
    if status is None or status.gap is not None:
        return html.Div(_card("SLI", no_data(status)), className="cards")
    return html.Div(
        [_sli(status), _budget(status), _outlook(status, view.now_ns)], className="cards"
    )


def _card(title: str, body: Sequence[Child]) -> Component:
    return html.Article([html.H3(title, className="card-name"), *body], className="card")


def _sli(status: BudgetStatus) -> Component:
    sli, target = status.sli, status.objective.target
    assert sli is not None
    pair = [share_words(each, target) for each in (sli.at_least, sli.at_most)]
    open_ = pair[0] if pair[0] == pair[1] else f"{pair[0]} to {pair[1]}"
    tone = "bad-words" if sli.good < target else ""
    return _card(
        "SLI",
        [
            html.Div(share_words(sli.good, target), className=f"big {tone}"),
            facts(
                [
                    ("Target", target_words(target)),
                    ("With what is undecided", open_),
                    ("Sampling", interval_words(sli)),
                ]
            ),
        ],
    )


def _budget(status: BudgetStatus) -> Component:
    assert status.remaining is not None
    spends = [
        (f"Spent in the last {name}", "no data" if each.spent is None else spent_words(each.spent))
        for name, each in status.spends.items()
    ]
    tone = "bad-words" if status.remaining < 0 else ""
    return _card(
        "Error budget left",
        [
            html.Div(budget_words(status.remaining), className=f"big {tone}"),
            budget_bar(status.remaining),
            facts(spends),
        ],
    )


def _outlook(status: BudgetStatus, now_ns: int) -> Component:
    return _card(
        "Outlook",
        [
            html.Div(forecast_words(status.forecast, now_ns), className="big big-words"),
            facts(
                [
                    ("At", forecast_at(status.forecast) or "–"),
                    ("Slow failure", WHYS[status.slow_failure]),
                    ("Bad", bad_words(status.objective.measure, status.counts)),
                ]
            ),
        ],
    )


def burn_rows(status: BudgetStatus | None) -> Component:
    """A row a pair of windows, with what it says and why."""
    if status is None or not status.burns:
        return empty("No windows", "It was not looked at yet, or no pair of windows can ever fire.")
    dropped = [html.P(f"Left out: {each}.", className="hint") for each in status.fitted.dropped]
    listed = table(
        "Burn rates",
        _BURN_HEADS,
        [_burn_row(each, status.objective.measure) for each in status.burns],
    )
    return html.Div([listed, *dropped])


def _burn_row(decision: Decision, measure: Measure) -> Component:
    pair = decision.pair
    tone = "bad" if decision.is_firing else "unknown" if decision.is_frozen else "plain"
    tone = "warn" if decision.is_insufficient else tone
    said = "frozen" if decision.is_frozen else "firing" if decision.is_firing else "quiet"
    why = WHYS[decision.why] if decision.gap is None else GAPS[decision.gap]
    return html.Tr(
        [
            cell("Windows", pair_words(decision), "num strong"),
            cell("Long", _rate(decision.long, measure), "num"),
            cell("Short", _rate(decision.short, measure), "num"),
            cell("Threshold", rate_words(pair.threshold), "num"),
            cell("Severity", pair.severity.value),
            cell("What it says", [pill(said, tone), html.Span(why, className="under wrap")]),
        ]
    )


def _rate(burn: Burn, measure: Measure) -> list[Child]:
    if burn.gap is not None:
        return [html.Span("no data", className="under")]
    words = burnt_words(measure, burn.counts)
    return [html.Span(rate_words(burn.rate)), html.Span(words, className="under")]


def blame_tables(blame: Blame | None, measure: Measure, address: Address, prefix: str) -> Component:
    """Who spent it, each way of telling adding up to the whole."""
    if blame is None:
        return empty("Not known", "It was not measured yet.")
    if not blame.by_node.whole.bad:
        return empty("Nobody", "Nothing in this window was proven bad.", is_good=True)

    def node(place: Place) -> Child:
        href = Address(page="overview", layer=place.layer, node=place.node).href(prefix)
        return link(f"{place.node} · {place.layer} · {place.keyspace}", href)

    def layer(name: str) -> Child:
        return link(name, Address(page="overview", layer=name).href(prefix))

    def key(name: KeyName) -> Child:
        return link(name.key, address.key_page(name.keyspace, name.key).href(prefix), "link mono")

    unit = unit_words(measure)
    tables = [
        _parts("Node", unit, blame.by_node, node),
        _parts("Layer", unit, blame.by_layer, layer),
        _parts("Key", unit, blame.by_key, key),
    ]
    if blame.by_publisher is not None:
        tables.append(_parts("Publisher", unit, blame.by_publisher, lambda name: name))
    return html.Div(tables, className="blame")


def _parts(
    head: str, unit: str, parts: Attribution[Name], named: Callable[[Name], Child]
) -> Component:
    heads = (head, unit, "Share", "Of the budget")
    rows = [_part(heads, named(name), amount) for name, amount in parts.worst]
    if parts.others.bad:
        rows.append(_part(heads, "others", parts.others))
    if not parts.is_whole:
        rows.append(_part(heads, "not known any more", parts.unattributed))
    return html.Div(table(f"By {head.lower()}", heads, rows))


def _part(heads: Sequence[str], named: Child, amount: Amount) -> Component:
    return html.Tr(
        [
            cell(heads[0], named, "wrap"),
            cell(heads[1], f"{float(amount.bad):,.0f}", "num"),
            cell(heads[2], small_percent(float(amount.share)), "num"),
            cell(heads[3], spent_words(amount.spent), "num"),
        ]
    )


def unknowns(view: ObjectiveView) -> Component:
    """What its figures cannot speak for."""
    status = view.standing.status
    if status is None:
        return empty("Not yet measured", "It is looked at within seconds of the start.")
    share = status.coverage.share
    places = ", ".join(f"{each.node} · {each.layer}" for each in status.coverage.short[:10])
    more = len(status.coverage.short) - 10
    told: list[tuple[str, Child]] = [
        ("Coverage", "–" if share is None else percent(float(share), 2)),
        ("Observed", f"{status.coverage.observed:,} of {status.coverage.expected:,} expected"),
        ("Below 90 %", (places + (f" and {more:,} more" if more > 0 else "")) or "none"),
        ("Undecided", undecided_words(status.objective.measure, status.counts)),
        ("Supported nines", "–" if status.nines is None else f"{status.nines}"),
        ("Measured up to", _watermark(view)),
    ]
    notes = [_CAUTIONS[each] for each in status.objective.cautions]
    if not status.is_whole:
        notes.append("Measuring began within this window, and speaks for the time since then")
    return html.Div([facts(told), *(html.P(f"{note}.", className="hint") for note in notes)])


def _watermark(view: ObjectiveView) -> str:
    at_ns = view.standing.at.watermark_s * SECOND_NS
    if not at_ns:
        return "nothing yet"
    return f"{instant(at_ns, with_date=True)} UTC, {ago(at_ns, view.now_ns)}"


def promise(view: ObjectiveView) -> Component:
    """What was declared."""
    spec = view.standing.spec
    return facts(
        [
            ("Owner", spec.owner or "–"),
            ("Indicator", spec.measure.value),
            ("Target", target_words(spec.objective.target)),
            ("Window", window_words(spec)),
            ("Budget of", budgeting_words(spec)),
            ("Runbook", html.A(spec.runbook, href=spec.runbook) if _is_url(spec.runbook) else "–"),
        ]
    )


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://"))
