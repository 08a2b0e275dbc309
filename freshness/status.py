"""How an objective stands at a watermark: the figures that pages, alerts and reports share.

Where the window is no data there are no figures, only the gap and the coverage: a dead collector
must never look like a budget that is not touched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Final, NamedTuple

from freshness.attribution import Attribution, attribute
from freshness.budget import Sli, count_nines, measure_sli, spend
from freshness.budget_coverage import (
    FLOOR,
    Coverage,
    Gap,
    Grid,
    Listing,
    cover_events,
    find_gap,
)
from freshness.burn import (
    Burn,
    Decision,
    Fitted,
    LowVolume,
    Why,
    WindowPair,
    burn,
    decide,
    decide_spent,
    fit,
)
from freshness.counts import Counts
from freshness.forecast import Forecast, Outlook, Recent, forecast, whole_budget
from freshness.objective import Objective, Rolling
from freshness.series import Place
from freshness.track import Track
from freshness.window import Window

RECENT_SHARE: Final = 28
"""The recent past is this part of a window: a day of 28."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By what figures are believed, and what spends too much.

    `stale_after_s` is how far the watermark may stay behind now, `spent_limit` the share of the
    budget from which the slow-failure rule speaks, `recent_s` what a forecast goes by (None: a
    28th of the window). `pairs` are those that a user wrote, in place of the standard ones.
    """

    low_volume: LowVolume = field(default_factory=LowVolume)
    coverage_floor: Fraction = FLOOR
    stale_after_s: int = 300
    spent_limit: Fraction = Fraction(3, 4)
    recent_s: int | None = None
    pairs: tuple[WindowPair, ...] | None = None


class At(NamedTuple):
    """When: data are complete up to the watermark. `period` is the whole of a calendar window."""

    watermark_s: int
    now_s: int
    period: Window | None = None


class Spend(NamedTuple):
    """What a stretch of time took of the window's budget; None where it is no data."""

    window: Window
    spent: Fraction | None
    coverage: Coverage
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """`sli`, `spent` (BR of the window), `remaining` and `nines` are None where `gap` is set.

    `counts` are what the budget is spent on (events, or slices). `is_whole` is whether places were
    listed for all of the window: a new objective speaks for less.
    """

    objective: Objective
    window: Window
    counts: Counts
    coverage: Coverage
    gap: Gap | None
    is_whole: bool
    sli: Sli | None
    spent: Fraction | None
    remaining: Fraction | None
    nines: int | None
    spends: Mapping[str, Spend]
    burns: tuple[Decision, ...]
    fitted: Fitted
    slow_failure: Why
    forecast: Forecast


class ErrorBudget:
    """One objective's events, where they are expected and by which rules they are read."""

    __slots__ = ("fitted", "grid", "objective", "rules", "track")

    def __init__(
        self, objective: Objective, track: Track, listing: Listing, rules: Rules | None = None
    ) -> None:
        self.objective, self.track = objective, track
        self.grid = Grid(listing, objective.slice_s)
        self.rules = Rules() if rules is None else rules
        self.fitted = fit(objective, self.rules.pairs)

    def status(self, at: At, periods: Mapping[str, Window] | None = None) -> BudgetStatus:
        """The status at a watermark; `periods` are named stretches of time to be told apart."""
        look = self._look(at)
        objective, rule = self.objective, self.rules.low_volume
        whole = look(objective.window_at(at.watermark_s, at.period))
        counts, is_told = whole.counts, whole.gap is None
        total = self._total(counts, at)
        spent = spend(counts, total, objective.error_budget) if is_told else None
        return BudgetStatus(
            objective=objective,
            window=whole.window,
            counts=counts,
            coverage=whole.coverage,
            gap=whole.gap,
            is_whole=self._is_whole(whole.window),
            sli=measure_sli(counts, rule.confidence, rule.rho) if is_told else None,
            spent=spent,
            remaining=None if spent is None else 1 - spent,
            nines=count_nines(counts, rule.confidence, rule.rho) if is_told else None,
            spends={
                name: self._spend(look(period), total) for name, period in (periods or {}).items()
            },
            burns=self._decide(look, at),
            fitted=self.fitted,
            slow_failure=decide_spent(spent, counts, self.rules.spent_limit, rule),
            forecast=self._forecast(whole, look, at),
        )

    def burns(self, at: At) -> tuple[Decision, ...]:
        """What each pair of windows says; each window is of its own coverage."""
        return self._decide(self._look(at), at)

    def attribution(
        self, at: At, most: int = 10, window: Window | None = None
    ) -> Attribution[Place]:
        """The budget spent, by place; of slices, by the events that made them bad.

        It is what `window` took of the budget of the objective's own, which it is where left out.
        """
        own = self.objective.window_at(at.watermark_s, at.period)
        window = own if window is None else window
        events = self.track.events.window(window)
        budgeted = self.track.budgeted.window(window)
        total = self._total(self.track.budgeted.window(own), at)
        spent = spend(budgeted, total, self.objective.error_budget) if total else Fraction(0)
        found = self.track.by_place(window)
        parts = {place: counts.proven_weight for place, counts in found.items()}
        return attribute(spent, events.proven_weight, parts, most)

    def cover(self, window: Window) -> Coverage:
        """How much of a window was measured."""
        places = self.track.places
        if self.objective.measure.is_on_grid:
            return self.grid.cover(places, self.track.events, window)
        return cover_events(places, window)

    def _look(self, at: At) -> Callable[[Window], Burn]:
        """What windows show at a watermark; several figures look at one."""
        limit_s = max(self.rules.stale_after_s, 2 * self.objective.slice_s)
        is_stale = at.now_s - at.watermark_s > limit_s

        @cache
        def look(window: Window) -> Burn:
            counts, coverage = self.track.budgeted.window(window), self.cover(window)
            gap = find_gap(coverage, counts, is_stale, self.rules.coverage_floor)
            return burn(window, counts, coverage, gap, self.objective.error_budget)

        return look

    def _decide(self, look: Callable[[Window], Burn], at: At) -> tuple[Decision, ...]:
        until_s = at.watermark_s - at.watermark_s % self.objective.slice_s
        budget, rule = self.objective.error_budget, self.rules.low_volume
        return tuple(
            decide(
                pair,
                look(Window(until_s - pair.long_s, until_s)),
                look(Window(until_s - pair.short_s, until_s)),
                budget,
                rule,
            )
            for pair in self.fitted.pairs
        )

    def _spend(self, seen: Burn, total: Fraction) -> Spend:
        is_told = seen.gap is None and total > 0
        spent = spend(seen.counts, total, self.objective.error_budget) if is_told else None
        return Spend(seen.window, spent, seen.coverage, seen.gap)

    def _total(self, counts: Counts, at: At) -> Fraction:
        """The events, or slices, that the budget is a share of."""
        fixed = whole_budget(self.objective, at.period)
        return Fraction(counts.judged_weight) if fixed is None else fixed

    def _forecast(self, whole: Burn, look: Callable[[Window], Burn], at: At) -> Forecast:
        window = whole.window
        length_s = self.rules.recent_s or _recent_s(self.objective, window)
        recent = look(Window(window.until_s - length_s, window.until_s))
        if whole.gap is not None or recent.gap is not None:
            return Forecast(Outlook.NO_DATA)
        known = Recent(recent.counts, length_s)
        return forecast(self.objective, self.track.budgeted, window, known, at.period)

    def _is_whole(self, window: Window) -> bool:
        began = [stay.since_s for listed in self.grid.listing.values() for stay in listed]
        return bool(began) and min(began) <= window.since_s


def _recent_s(objective: Objective, window: Window) -> int:
    whole_s = objective.window.length_s if isinstance(objective.window, Rolling) else None
    slices = (whole_s or window.length_s) // RECENT_SHARE // objective.slice_s
    return max(2, slices) * objective.slice_s
