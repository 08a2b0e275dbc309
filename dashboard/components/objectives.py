"""The list of objectives, a row each."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.budget import budget_bar, sparkline
from dashboard.components.parts import Child, attributes, cell, empty, link, pill, table
from dashboard.queries.objectives import ObjectiveView
from dashboard.telling_objectives import (
    GAPS,
    budget_words,
    forecast_at,
    forecast_words,
    pair_words,
    promise_words,
    rate_words,
    share_words,
    target_words,
    window_words,
)
from dashboard.wording import count, percent
from freshness.budget import Sli
from freshness.forecast import Outlook
from freshness.status import BudgetStatus

HEADS = ("Objective", "SLI", "Budget left", "Burning", "Forecast", "Measured", "Window")
EXAMPLE = """objectives:
  product-fresh:
    {keyspace: product, indicator: reads, max_staleness: 2s, target: 99.9%, window: 28d}"""


def objective_rows(views: Sequence[ObjectiveView], prefix: str, *, is_filtered: bool) -> Component:
    """A table; where there is none, how to declare one."""
    if views:
        return table("Objectives", HEADS, [_row(view, prefix) for view in views])
    if is_filtered:
        return empty("None here", "No objective is of this keyspace and layer.")
    text = "Declare one in the config; docs/objectives.md says what each option means."
    return html.Div(
        [empty("No objective is declared", text), html.Pre(EXAMPLE, className="example")]
    )


def _row(view: ObjectiveView, prefix: str) -> Component:
    status = view.standing.status
    known = status if status is not None and status.gap is None else None
    cells = [
        cell("Objective", _name(view, prefix), "cell-objective"),
        cell("SLI", no_data(status) if known is None else _sli(known), "num"),
        cell("Budget left", "–" if known is None else _budget(known), "cell-budget"),
        cell("Burning", _burning(view), "num"),
        cell("Forecast", "–" if known is None else _forecast(known, view.now_ns)),
        cell("Measured", _measured(status), "num"),
        cell("Window", _window(view), "cell-spark"),
    ]
    return html.Tr(cells, **attributes(data_objective=view.standing.spec.name))


def no_data(status: BudgetStatus | None) -> list[Child]:
    """Why there is no figure: a gap in measuring is never told as a share."""
    if status is None or status.gap is None:
        return [pill("not yet measured", "unknown")]
    return [pill("no data", "unknown"), html.Span(GAPS[status.gap], className="under wrap")]


def _name(view: ObjectiveView, prefix: str) -> list[Child]:
    spec = view.standing.spec
    owner = f"{spec.owner} · " if spec.owner else ""
    return [
        link(spec.name, f"{prefix}objectives/{spec.name}", "link strong"),
        html.Span(f"{owner}{promise_words(spec)}", className="under wrap"),
    ]


def _sli(status: BudgetStatus) -> list[Child]:
    assert status.sli is not None
    target = status.objective.target
    tone = "bad-words" if status.sli.good < target else "strong"
    return [
        html.Span(share_words(status.sli.good, target), className=tone),
        html.Span(f"of {target_words(target)} promised", className="under"),
        html.Span(interval_words(status.sli), className="under"),
    ]


def interval_words(sli: Sli) -> str:
    """What the sample supports, and what indeterminate events leave open."""
    low, high = (percent(each, 3) for each in sli.sampling)
    return f"95 %: {low} to {high}"


def _budget(status: BudgetStatus) -> list[Child]:
    assert status.remaining is not None
    tone = "bad-words" if status.remaining < 0 else "strong"
    return [
        html.Span(budget_words(status.remaining), className=f"num {tone}"),
        budget_bar(status.remaining),
    ]


def _burning(view: ObjectiveView) -> list[Child]:
    decision = view.burning
    if decision is None:
        return ["–"]
    words = f"over {pair_words(decision)}"
    rates = f"{rate_words(decision.long.rate)}, {rate_words(decision.short.rate)}"
    shown: list[Child] = [
        html.Span(rates, className="bad-words" if decision.is_firing else ""),
        html.Span(words, className="under"),
    ]
    if decision.is_firing:
        shown.append(pill(decision.pair.severity.value, "bad"))
    elif decision.is_insufficient:
        shown.append(pill("insufficient samples", "warn"))
    return shown


def _forecast(status: BudgetStatus, now_ns: int) -> list[Child]:
    is_bad = status.forecast.outlook in (Outlook.EXHAUSTED, Outlook.EXHAUSTS)
    words = forecast_words(status.forecast, now_ns)
    return [
        html.Span(words, className="bad-words" if is_bad else ""),
        html.Span(forecast_at(status.forecast), className="under"),
    ]


def _measured(status: BudgetStatus | None) -> list[Child]:
    if status is None or status.coverage.share is None:
        return ["–"]
    nines = "" if status.nines is None else f"supports {count(status.nines, 'nine')}"
    whole = "" if status.is_whole else "not yet for the whole window"
    return [
        html.Span(percent(float(status.coverage.share), 1)),
        html.Span(nines, className="under"),
        html.Span(whole, className="under wrap"),
    ]


def _window(view: ObjectiveView) -> list[Child]:
    spec = view.standing.spec
    words = f"How fast the budget of {spec.name} burnt, over its window"
    return [
        sparkline(view.history, words),
        html.Span(window_words(spec), className="under"),
    ]


def summary(views: Sequence[ObjectiveView]) -> str:
    """The page in a line; what is not known is counted by itself."""
    statuses = [view.standing.status for view in views]
    told = [each for each in statuses if each is not None and each.gap is None]
    spent = sum(1 for each in told if each.remaining is not None and each.remaining < 0)
    firing = sum(any(burn.is_firing for burn in each.burns) for each in told)
    parts = [count(len(views), "objective"), f"{spent} out of budget", f"{firing} burning fast"]
    silent = len(statuses) - len(told)
    return " · ".join([*parts, *([f"{silent} without data"] if silent else [])])
