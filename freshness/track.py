"""The events of one objective over time: what it budgets, as sums that late deltas keep true."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from freshness.counts import NOTHING, Counts, count_events
from freshness.objective import Budgeting, Objective, Occurrences, Timeslices
from freshness.series import Place, Series
from freshness.window import Cumulative, Window


class Track:
    """All places of an objective, each a series, and their sum as its budgeting counts it.

    `widest_s` is the widest cell among those given: a ValueError where slices are budgeted and
    cells are wider, since what their slices were is not known any more.
    """

    __slots__ = ("_budgeted", "_events", "_places", "budgeting", "slice_s")

    def __init__(self, objective: Objective, series: Series, widest_s: int = 60) -> None:
        self.slice_s, self.budgeting = objective.slice_s, objective.budgeting
        is_by_event = isinstance(self.budgeting, Occurrences)
        if not is_by_event and widest_s > self.slice_s:
            raise ValueError(
                f"slices of {self.slice_s} s cannot be told from cells of {widest_s} s: "
                f"{type(self.budgeting).__name__} needs cells no wider than a slice"
            )
        self._places = {place: Cumulative(cells) for place, cells in series.items()}
        whole: defaultdict[int, Counts] = defaultdict(Counts)
        for cells in series.values():
            for start, cell in cells.items():
                whole[self._slice_of(start)] = whole[self._slice_of(start)].plus(cell)
        self._events = Cumulative(whole)
        self._budgeted = self._events
        if not is_by_event:
            sliced = {start: budget_slice(cell, self.budgeting) for start, cell in whole.items()}
            self._budgeted = Cumulative(sliced)

    def put(self, place: Place, start_s: int, cell: Counts) -> None:
        """A whole cell as it is now, new or changed by late evidence."""
        if place not in self._places:
            self._places[place] = Cumulative({})
        delta = self._places[place].put(start_s, cell)
        start_s = self._slice_of(start_s)
        self._events.add(start_s, delta)
        if self._budgeted is not self._events:
            now = budget_slice(self._events.cell(start_s), self.budgeting)
            self._budgeted.put(start_s, now)

    @property
    def budgeted(self) -> Cumulative:
        """What the budget is spent on: events, or slices."""
        return self._budgeted

    @property
    def events(self) -> Cumulative:
        """The events of all places, whatever is budgeted."""
        return self._events

    @property
    def places(self) -> Mapping[Place, Cumulative]:
        """The events of each place."""
        return self._places

    def by_place(self, window: Window) -> dict[Place, Counts]:
        """The events of each place in a window."""
        return {place: series.window(window) for place, series in self._places.items()}

    def _slice_of(self, start_s: int) -> int:
        return start_s - start_s % self.slice_s


def budget_slice(events: Counts, budgeting: Budgeting) -> Counts:
    """What the events of one slice are to a budget of slices; nothing where none was judged.

    A slice is bad where the share of events proven bad exceeds 1 − goal, good where the share
    proven good reaches the goal, else indeterminate.
    """
    if isinstance(budgeting, Occurrences):
        return events
    n = events.judged_weight
    if not events.is_judged:
        return NOTHING if events.unknown <= 0 else count_events(unknown=1)
    if isinstance(budgeting, Timeslices):
        if 1 - Fraction(events.proven_weight) / Fraction(n) < budgeting.goal:
            return count_events(bad=1)
        if Fraction(events.good_weight) / Fraction(n) >= budgeting.goal:
            return count_events(good=1)
        return count_events(indeterminate=1)
    is_bad, is_good = events.bad > 0, events.good == events.judged
    return Counts(
        good=int(is_good),
        bad=int(is_bad),
        indeterminate=int(not is_bad and not is_good),
        clusters=1,
        observed=1,
        good_weight=events.good_weight / n,
        bad_weight=events.proven_weight / n,
        judged_weight=1.0,
        weight_squares=1.0,
    )
