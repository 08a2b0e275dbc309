"""Burn-rate alerts on several windows: which pairs of windows, and what each pair says.

A pair fires where its long window (it matters) and its short window (it still goes on) both burn
faster than its threshold. Source: Site Reliability Workbook, ch. 5, "Alerting on SLOs", 6.
"""

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from freshness.budget import burn_floor, burn_rate
from freshness.budget_coverage import Coverage, Gap
from freshness.counts import Counts
from freshness.objective import Calendar, Objective, Rolling
from freshness.window import Window


class Severity(StrEnum):
    """Whom a firing pair concerns: somebody now, or somebody in working hours."""

    PAGE = "page"
    TICKET = "ticket"


class WindowPair(NamedTuple):
    """A long and a short window with the burn rate that both must exceed."""

    long_s: int
    short_s: int
    threshold: Fraction
    severity: Severity


HOUR_S: Final = 3_600
DAY_S: Final = 86_400
STANDARD: Final = (
    WindowPair(HOUR_S, HOUR_S // 12, Fraction("14.4"), Severity.PAGE),
    WindowPair(6 * HOUR_S, HOUR_S // 2, Fraction(6), Severity.PAGE),
    WindowPair(DAY_S, 2 * HOUR_S, Fraction(3), Severity.TICKET),
    WindowPair(3 * DAY_S, 6 * HOUR_S, Fraction(1), Severity.TICKET),
)
"""The Workbook's, for a window of 28 to 30 days: 2 %, 5 % and 10 % (twice) of its budget."""
_FIT_FROM_S: Final = 28 * DAY_S
_FIT_TO_S: Final = 30 * DAY_S
_PERIODS_S: Final = {Calendar.DAY: DAY_S, Calendar.WEEK: 7 * DAY_S, Calendar.MONTH: 30 * DAY_S}


class CannotFire(NamedTuple):
    """Everything being bad burns at `ceiling` = 1/(1 − T): no threshold from there on is passed."""

    pair: WindowPair
    ceiling: Fraction

    def __str__(self) -> str:
        return (
            f"a burn rate above {float(self.pair.threshold):g} can never be: with all events bad "
            f"it is {float(self.ceiling):g}, 1/(1 − target)"
        )


class Backwards(NamedTuple):
    """A pair whose short window is not shorter than its long one."""

    pair: WindowPair

    def __str__(self) -> str:
        return f"the short window ({self.pair.short_s} s) is to be shorter than the long one"


class Fitted(NamedTuple):
    """The pairs that an objective is watched by, and the defaults that dropped out, to be told."""

    pairs: tuple[WindowPair, ...]
    dropped: tuple[CannotFire, ...]


class LowVolume(NamedTuple):
    """What a pair needs to be believed: bad events in the long window and, to page, a bound."""

    least_bad: int = 3
    confidence: float = 0.95
    rho: float | None = None


class Why(StrEnum):
    """The reason of a decision."""

    BOTH_EXCEED = "both-windows-exceed"
    LONG_BELOW = "long-window-below"
    SHORT_BELOW = "short-window-below"
    """It burnt, and does not any more."""
    FEW_BAD = "insufficient-samples: few bad ones"
    UNSURE = "insufficient-samples: the lower bound does not exceed"
    SPENT = "budget-spent"
    WITHIN = "within-budget"
    NO_DATA = "no-data"


class Burn(NamedTuple):
    """One window of a pair; `rate` is None where nothing was judged."""

    window: Window
    counts: Counts
    rate: Fraction | None
    coverage: Coverage
    gap: Gap | None


class Decision(NamedTuple):
    """What a pair says, and why. `gap` is set with NO_DATA alone.

    `floor`, the lower bound of the long window's burn rate, is set where it decided: for a page.
    """

    pair: WindowPair
    long: Burn
    short: Burn
    why: Why
    floor: float | None = None
    gap: Gap | None = None

    @property
    def is_firing(self) -> bool:
        """Whether both windows exceed, on samples enough."""
        return self.why is Why.BOTH_EXCEED

    @property
    def is_frozen(self) -> bool:
        """Whether it may neither fire nor resolve."""
        return self.why is Why.NO_DATA

    @property
    def is_insufficient(self) -> bool:
        """Whether both windows exceed and too few samples say so."""
        return self.why in (Why.FEW_BAD, Why.UNSURE)


def ceiling(objective: Objective) -> Fraction:
    """The burn rate of an objective of which everything fails."""
    return 1 / objective.error_budget


def check_pair(pair: WindowPair, objective: Objective) -> CannotFire | Backwards | None:
    """What is wrong with a pair that a user wrote; None where it may stand."""
    if pair.threshold >= ceiling(objective):
        return CannotFire(pair, ceiling(objective))
    return Backwards(pair) if pair.short_s >= pair.long_s else None


def fit(objective: Objective, written: Iterable[WindowPair] | None = None) -> Fitted:
    """The pairs of an objective: those written, else the standard ones for its window.

    A ValueError for a written one that cannot stand (`check_pair` says so beforehand); a default
    that can never fire is dropped. No short window is below two slices or two sample intervals.
    """
    if written is not None:
        pairs = tuple(written)
        wrong = [error for pair in pairs if (error := check_pair(pair, objective)) is not None]
        if wrong:
            raise ValueError(str(wrong[0]))
        return Fitted(tuple(_widen(pair, objective) for pair in pairs), ())
    pairs = tuple(_widen(pair, objective) for pair in scale(_length_s(objective.window)))
    most = ceiling(objective)
    dropped = tuple(CannotFire(pair, most) for pair in pairs if pair.threshold >= most)
    return Fitted(tuple(pair for pair in pairs if pair.threshold < most), dropped)


def scale(length_s: int) -> tuple[WindowPair, ...]:
    """The standard pairs for another window: their windows scale, the shares of budget stay."""
    if _FIT_FROM_S <= length_s <= _FIT_TO_S:
        return STANDARD
    factor = Fraction(length_s, _FIT_TO_S)
    return tuple(
        pair._replace(long_s=round(pair.long_s * factor), short_s=round(pair.short_s * factor))
        for pair in STANDARD
    )


def decide(
    pair: WindowPair, long: Burn, short: Burn, budget: Fraction, rule: LowVolume
) -> Decision:
    """What a pair of windows says of an objective whose error budget is `budget`."""
    gap = long.gap or short.gap
    if gap is not None or long.rate is None or short.rate is None:
        return Decision(pair, long, short, Why.NO_DATA, gap=gap or Gap.NO_EVENTS)
    if long.rate <= pair.threshold:
        return Decision(pair, long, short, Why.LONG_BELOW)
    if short.rate <= pair.threshold:
        return Decision(pair, long, short, Why.SHORT_BELOW)
    if long.counts.bad < rule.least_bad:
        return Decision(pair, long, short, Why.FEW_BAD)
    if pair.severity is not Severity.PAGE:
        return Decision(pair, long, short, Why.BOTH_EXCEED)
    floor = burn_floor(long.counts, budget, rule.confidence, rule.rho)
    why = Why.BOTH_EXCEED if floor > pair.threshold else Why.UNSURE
    return Decision(pair, long, short, why, floor)


def decide_spent(spent: Fraction | None, counts: Counts, limit: Fraction, rule: LowVolume) -> Why:
    """The rule for slow failures and low volumes: how much of the whole window's budget is spent.

    Where windows of hours hold too few samples to say anything, the whole window may.
    """
    if spent is None:
        return Why.NO_DATA
    if spent < limit:
        return Why.WITHIN
    return Why.FEW_BAD if counts.bad < rule.least_bad else Why.SPENT


def burn(
    window: Window, counts: Counts, coverage: Coverage, gap: Gap | None, budget: Fraction
) -> Burn:
    """One window's figures."""
    return Burn(window, counts, burn_rate(counts, budget), coverage, gap)


def _widen(pair: WindowPair, objective: Objective) -> WindowPair:
    """To whole slices, and the short window to two slices and two sample intervals at least."""
    least_s = 2 * max(objective.slice_s, objective.interval_s)
    short_s = _whole(max(pair.short_s, least_s), objective.slice_s)
    return pair._replace(
        short_s=short_s, long_s=_whole(max(pair.long_s, short_s), objective.slice_s)
    )


def _length_s(window: Rolling | Calendar) -> int:
    return window.length_s if isinstance(window, Rolling) else _PERIODS_S[window]


def _whole(length_s: int, slice_s: int) -> int:
    return -(-length_s // slice_s) * slice_s
