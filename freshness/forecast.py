"""When the budget will be exhausted, if what happened lately goes on: by simulation.

The window rolls on over what is known, which ages out, and over what the recent rate adds; a
calendar window only fills. Whole numbers throughout, so that the same counts give the same answer.
"""

from bisect import bisect_left
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from freshness.counts import Counts
from freshness.objective import Objective, Occurrences, Rolling
from freshness.window import Cumulative, Window

STEPS: Final = 672
"""How many instants of a window are looked at: hours, for one of 28 days."""


class Outlook(StrEnum):
    """What a forecast says."""

    EXHAUSTED = "exhausted"
    """Nothing is left already."""
    NOT_BURNING = "not-burning"
    """The budget lasts for a whole window more, or to the end of the period."""
    EXHAUSTS = "exhausts"
    """It is used up at an instant."""
    NO_DATA = "no-data"


class Forecast(NamedTuple):
    """`at_s` with EXHAUSTS alone: the first instant looked at where nothing is left."""

    outlook: Outlook
    at_s: int | None = None


class Recent(NamedTuple):
    """What the last `length_s` seconds before the watermark counted: the rate that goes on."""

    counts: Counts
    length_s: int


def forecast(
    objective: Objective,
    budgeted: Cumulative,
    window: Window,
    recent: Recent,
    period: Window | None = None,
) -> Forecast:
    """From the window at a watermark; `period` is the whole of a calendar window."""
    now = budgeted.window(window)
    if not now.is_judged:
        return Forecast(Outlook.NO_DATA)
    fixed = whole_budget(objective, period)
    n = _number(now.judged_weight) if fixed is None else fixed
    if _is_exhausted(_number(now.proven_weight), n, objective.error_budget):
        return Forecast(Outlook.EXHAUSTED)
    if not recent.counts.is_judged or recent.length_s <= 0:
        return Forecast(Outlook.NO_DATA)
    if recent.counts.bad <= 0:
        return Forecast(Outlook.NOT_BURNING)
    at_s = _simulate(objective, budgeted, window, recent, period)
    return Forecast(Outlook.NOT_BURNING) if at_s is None else Forecast(Outlook.EXHAUSTS, at_s)


def whole_budget(objective: Objective, period: Window | None) -> Fraction | None:
    """The slices of a whole calendar period, all of which have a budget; None where unknown."""
    if isinstance(objective.window, Rolling) or isinstance(objective.budgeting, Occurrences):
        return None
    return None if period is None else Fraction(period.length_s, objective.slice_s)


def _simulate(
    objective: Objective,
    budgeted: Cumulative,
    window: Window,
    recent: Recent,
    period: Window | None,
) -> int | None:
    """The first step at which nothing is left; None where there is none in a window's time.

    All is scaled by the length of the recent past, so that a rate is a whole number.
    """
    rolling_s = objective.window.length_s if isinstance(objective.window, Rolling) else None
    ends_s = window.until_s + (rolling_s or 0) if period is None else period.until_s
    starts, fixed, length_s = budgeted.starts, whole_budget(objective, period), recent.length_s
    bad, judged = budgeted.sums("bad_weight"), budgeted.sums("judged_weight")
    until = bisect_left(starts, window.until_s)
    rate_bad, rate = _number(recent.counts.bad_weight), _number(recent.counts.judged_weight)
    bad_now, judged_now = _number(bad[until]), _number(judged[until])
    budget = objective.error_budget
    for at_s in _instants(window.until_s, ends_s, objective.slice_s):
        since_s = window.since_s if rolling_s is None else at_s - rolling_s
        first = min(until, bisect_left(starts, since_s))
        ahead_s = at_s - window.until_s
        b = (bad_now - _number(bad[first])) * length_s + rate_bad * ahead_s
        n = (judged_now - _number(judged[first])) * length_s + rate * ahead_s
        if _is_exhausted(b, n if fixed is None else fixed * length_s, budget):
            return at_s
    return None


def _instants(since_s: int, until_s: int, slice_s: int) -> range:
    step_s = max(1, (until_s - since_s) // STEPS // slice_s) * slice_s
    return range(since_s + step_s, until_s + 1, step_s)


def _is_exhausted(bad: int | Fraction, judged: int | Fraction, budget: Fraction) -> bool:
    """Whether b >= EB n, without a division."""
    return bad * budget.denominator >= budget.numerator * judged


def _number(x: float) -> int | Fraction:
    """Exactly, and as a whole number where it is one: these are ten times as fast."""
    return int(x) if x == int(x) else Fraction(x)
