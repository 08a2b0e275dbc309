"""Every objective of a report, read once: what all sections of it are made from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from freshness.budget import Sli, measure_sli
from freshness.budget_coverage import Coverage, Gap, find_gap
from freshness.counts import Counts
from freshness.forecast import whole_budget
from freshness.status import At, BudgetStatus, ErrorBudget
from freshness.window import Window
from reports.ask import Ask
from reports.weeks import HOUR_S
from store.base import Store
from store.objective_feed import Feed
from store.objective_past import at_end, read_budget
from store.objective_spec import Spec

LOOKED_BACK_S: Final = 15 * 86_400
"""Two weeks and a day: what the week before took is told beside what the week did."""
WEEK, BEFORE = "week", "before"


@dataclass(frozen=True, slots=True)
class Measured:
    """One objective at the end of a report's week, and the week by itself."""

    spec: Spec
    budget: ErrorBudget
    at: At
    status: BudgetStatus
    week: Window
    counts: Counts
    coverage: Coverage
    gap: Gap | None

    @property
    def sli(self) -> Sli | None:
        """Of the week; None where it is no data."""
        rule = self.spec.rules.low_volume
        return None if self.gap else measure_sli(self.counts, rule.confidence, rule.rho)

    @property
    def total(self) -> Fraction:
        """The events, or slices, that the budget of its whole window is a share of."""
        fixed = whole_budget(self.spec.objective, self.at.period)
        return Fraction(self.status.counts.judged_weight) if fixed is None else fixed

    def gaps(self) -> Iterator[tuple[Window, Gap]]:
        """Hours of the week without data, put together where they follow each other."""
        held: tuple[Window, Gap] | None = None
        for start_s in range(self.week.since_s, self.week.until_s, self._step_s):
            hour = Window(start_s, min(start_s + self._step_s, self.week.until_s))
            why = self._gap_of(hour)
            if held is not None and held[1] is why and held[0].until_s == hour.since_s:
                held = Window(held[0].since_s, hour.until_s), why
                continue
            if held is not None:
                yield held
            held = None if why is None else (hour, why)
        if held is not None:
            yield held

    @property
    def _step_s(self) -> int:
        return max(HOUR_S, self.spec.objective.slice_s)

    def _gap_of(self, window: Window) -> Gap | None:
        counts, coverage = self.budget.track.budgeted.window(window), self.budget.cover(window)
        why = find_gap(coverage, counts, False, self.spec.rules.coverage_floor)
        is_quiet = why is Gap.NO_EVENTS and not self.spec.measure.is_on_grid
        return None if is_quiet else why  # messages come when they come: an hour without is none


def measure(store: Store, specs: Sequence[Spec], ask: Ask) -> list[Measured]:
    """Those that the report is of, in the order of the config. Raises StoreError."""
    feed, owner = Feed(store), ask.subscription.owner
    return [_measure(spec, feed, ask) for spec in specs if owner in ("", spec.owner)]


def day_name(number: int) -> str:
    """What a day's spending is called in a status."""
    return f"day {number}"


def _measure(spec: Spec, feed: Feed, ask: Ask) -> Measured:
    until_s = ask.window.until_s
    budget = read_budget(spec, feed, until_s, LOOKED_BACK_S)
    at = at_end(spec, until_s)
    days = {day_name(n): day for n, day in enumerate(ask.days) if day.length_s}
    status = budget.status(at, {WEEK: ask.window, BEFORE: ask.before, **days})
    counts, coverage = budget.track.budgeted.window(ask.window), budget.cover(ask.window)
    gap = find_gap(coverage, counts, False, spec.rules.coverage_floor)
    return Measured(spec, budget, at, status, ask.window, counts, coverage, gap)
