"""A whole status: figures by hand, gaps, and kept up as against made anew."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.budget_coverage import Gap, Listing
from freshness.burn import Why
from freshness.counts import Counts, count_events
from freshness.forecast import Outlook
from freshness.model import Verdict
from freshness.objective import (
    OCCURRENCES,
    Budgeting,
    Measure,
    Objective,
    RatioTimeslices,
    Timeslices,
)
from freshness.rollup import SAMPLED, Grain, Reads, Rollup, RollupKey, fold, merge
from freshness.series import Place, Series, join, read_series
from freshness.status import At, BudgetStatus, ErrorBudget, Rules
from freshness.track import Track
from freshness.window import Window
from tests.freshness.budgets import (
    DAY,
    HOUR,
    N1,
    N2,
    always,
    calendar,
    few,
    objective,
    steady,
    weighted,
)

NOW = 28 * DAY
AT = At(NOW, NOW)
CLEAN = count_events(good=100)


def budget(
    series: Series,
    made: Objective | None = None,
    listing: Listing | None = None,
    rules: Rules | None = None,
) -> ErrorBudget:
    made = objective(length_s=DAY, target="0.99") if made is None else made
    return ErrorBudget(made, Track(made, series), listing or always(N1), rules)


def day(**minutes: Counts) -> dict[int, Counts]:
    """A clean day of one node that ends now, but for its last minutes."""
    cells = dict(steady(CLEAN, NOW - DAY, NOW))
    return cells | {NOW - 60 * int(name[1:]): cell for name, cell in minutes.items()}


def test_a_day_worked_by_hand() -> None:
    """144,000 reads, 20 stale, 20 open, at 99 %: of 1,440 that may be bad 20 are."""
    cells = day(m30=count_events(good=60, bad=20, indeterminate=20))
    status = budget({N1: cells}).status(AT, {"hour": Window(NOW - HOUR, NOW)})
    assert status.gap is None
    assert status.is_whole
    assert status.window == Window(NOW - DAY, NOW)
    assert status.sli is not None
    assert status.sli.good == Fraction(144_000 - 20, 144_000)
    assert status.sli.at_least == Fraction(144_000 - 40, 144_000)
    assert status.spent == Fraction(20, 1_440)
    assert status.remaining == Fraction(1_420, 1_440)
    assert status.spends["hour"].spent == status.spent
    assert status.coverage == (1_440, 1_440, ())
    assert status.nines == 2
    assert status.slow_failure is Why.WITHIN
    assert [each.why for each in status.burns] == [Why.LONG_BELOW] * 4


def test_a_fault_that_goes_on_pages() -> None:
    burning = steady(count_events(good=20, bad=80), NOW - 1_200, NOW)
    listing = {N1: [Window(NOW - DAY, NOW + DAY)]}
    status = budget({N1: day() | burning}, objective("0.99"), listing).status(AT)
    assert status.burns[0].why is Why.BOTH_EXCEED
    assert status.burns[0].floor is not None
    assert status.forecast.outlook is Outlook.EXHAUSTED  # all that is known is of one day


@pytest.mark.parametrize(
    ("series", "at", "listing", "gap"),
    [
        pytest.param({}, AT, always(N1), Gap.LOW_COVERAGE, id="a collector that never ran"),
        pytest.param({}, AT, {}, Gap.NO_EVENTS, id="nothing listed, nothing found"),
        pytest.param({N1: day()}, AT, {N2: []}, Gap.NOT_LISTED, id="nothing listed"),
        pytest.param(
            {N1: day()}, At(NOW, NOW + 301), always(N1), Gap.STALE_WATERMARK, id="nothing new"
        ),
        pytest.param({N1: day()}, AT, always(N1, N2), Gap.LOW_COVERAGE, id="one node of two"),
        pytest.param(
            {N1: steady(count_events(unknown=9), 0, NOW, 60)},
            AT,
            always(N1),
            Gap.LOW_COVERAGE,
            id="nothing but unknown",
        ),
    ],
)
def test_no_data_has_no_figures(series: Series, at: At, listing: Listing, gap: Gap) -> None:
    made = objective(length_s=DAY, target="0.99")
    status = ErrorBudget(made, Track(made, series), listing).status(at, {"hour": Window(0, HOUR)})
    assert status.gap is gap
    assert (status.sli, status.spent, status.remaining, status.nines) == (None,) * 4
    assert status.forecast.outlook is Outlook.NO_DATA
    assert status.slow_failure is Why.NO_DATA
    assert all(each.is_frozen for each in status.burns)
    assert status.spends["hour"].spent is None


def test_an_outage_of_the_morning_freezes_no_alert_of_the_evening() -> None:
    cells = {
        start: cell for start, cell in day().items() if not NOW - DAY <= start < NOW - 12 * HOUR
    }
    status = budget({N1: cells}).status(AT)
    assert status.gap is Gap.LOW_COVERAGE
    assert status.burns[0].why is Why.LONG_BELOW


def test_a_new_objective_speaks_for_the_time_that_it_was_measured() -> None:
    cells = steady(CLEAN, NOW - HOUR, NOW)
    status = budget({N1: cells}, listing={N1: [Window(NOW - HOUR, 10**12)]}).status(AT)
    assert status.gap is None
    assert not status.is_whole
    assert status.coverage.expected == 60


def test_invalidations_need_no_grid() -> None:
    made = replace(objective(length_s=DAY), measure=Measure.CLAIMED)
    cells = {NOW - HOUR: count_events(good=19, unknown=1)}
    status = budget({N1: cells}, made).status(AT)
    assert status.gap is None
    assert status.coverage[:2] == (19, 20)
    assert budget({}, made).status(AT).gap is Gap.NO_EVENTS


def test_a_month_of_slices_is_spent_against_all_its_slices() -> None:
    """43.2 bad minutes are the budget of 30 days at 99.9 %; ten went in the first day."""
    made = calendar(Timeslices(Fraction("0.99")))
    cells = steady(CLEAN, 0, DAY) | steady(count_events(bad=1), 0, 600)
    status = budget({N1: cells}, made).status(At(DAY, DAY, Window(0, 30 * DAY)))
    assert status.spent == Fraction(10_000, 43_200)
    assert status.counts.judged == 1_440


def test_the_budget_by_place() -> None:
    cells = {N1: day(m5=count_events(bad=30)), N2: day(m9=count_events(bad=10))}
    told = budget(cells, listing=always(N1, N2)).attribution(AT)
    assert [(place, amount.share) for place, amount in told.worst] == [
        (N1, Fraction(3, 4)),
        (N2, Fraction(1, 4)),
    ]
    assert told.whole.spent == budget(cells, listing=always(N1, N2)).status(AT).spent
    assert told.unattributed.bad == 0


def test_a_target_applies_when_it_is_read() -> None:
    series = {N1: day(m5=count_events(bad=30))}
    loose, tight = (
        budget(series, objective(target, DAY)).status(AT).spent for target in ("0.99", "0.999")
    )
    assert loose is not None
    assert tight == 10 * loose


places = st.sampled_from([N1, N2])
minutes = st.integers(0, 5 * 60 - 1).map(lambda at: at * 60)
changes = st.lists(st.tuples(places, minutes, weighted), max_size=40)
budgetings = st.sampled_from([OCCURRENCES, Timeslices(Fraction("0.9"))])
LENGTH, END = 5 * HOUR, 5 * HOUR


def cells_of(found: list[tuple[Place, int, Counts]]) -> dict[Place, dict[int, Counts]]:
    cells: dict[Place, dict[int, Counts]] = {}
    for place, start_s, cell in found:
        cells.setdefault(place, {})[start_s] = cell
    return cells


def status_of(made: Objective, track: Track) -> BudgetStatus:
    rules = Rules(coverage_floor=Fraction(0))
    listing = {place: [Window(0, END)] for place in (N1, N2)}
    return ErrorBudget(made, track, listing, rules).status(
        At(END, END), {"last": Window(END - HOUR, END)}
    )


@given(first=changes, later=changes, budgeting=budgetings)
def test_kept_up_with_late_evidence_equals_made_anew(
    first: list[tuple[Place, int, Counts]],
    later: list[tuple[Place, int, Counts]],
    budgeting: Budgeting,
) -> None:
    made = objective("0.9", LENGTH, budgeting)
    kept = Track(made, cells_of(first))
    for place, start_s, cell in later:
        kept.put(place, start_s, cell)
    assert status_of(made, kept) == status_of(made, Track(made, cells_of(first + later)))


reads = st.builds(
    lambda *counts: [
        Reads(verdict, n=n) for verdict, n in zip(Verdict, counts, strict=True) if n
    ],
    few, few, few, few,
)  # fmt: skip
rollups = st.dictionaries(st.tuples(st.sampled_from(["n1", "n2"]), minutes), reads, max_size=25)


def rows_of(found: Mapping[tuple[str, int], list[Reads]]) -> dict[RollupKey, Rollup]:
    rows = {}
    for (node, start_s), each in found.items():
        cell = Rollup()
        for read in each:
            cell.add(read)
        rows[RollupKey(start_s, "product", "edge", node, SAMPLED, 0, "d1")] = cell
    return rows


@given(found=rollups, late=rollups, split=st.integers(0, 4).map(lambda at: at * HOUR))
def test_hours_and_minutes_give_what_minutes_give_late_deltas_included(
    found: dict[tuple[str, int], list[Reads]],
    late: dict[tuple[str, int], list[Reads]],
    split: int,
) -> None:
    """Old hours, folded after the late deltas had come, and new minutes: all windows they end."""
    made = objective("0.9", LENGTH)
    now = merge(rows_of(found), rows_of(late))
    fine = read_series(now.items())
    hours = read_series(fold(now, Grain.HOUR).items(), grain_s=HOUR)
    mixed = Track(made, join(hours, fine, split), widest_s=HOUR)
    anew = Track(made, fine)
    for since_s in (*range(0, split + 1, HOUR), *range(split, END, 600)):
        window = Window(since_s, END)
        assert mixed.budgeted.window(window) == anew.budgeted.window(window)
    whole, exact = status_of(made, mixed), status_of(made, anew)
    for name in ("counts", "coverage", "gap", "sli", "spent", "remaining", "nines", "spends"):
        assert getattr(whole, name) == getattr(exact, name)


@given(found=changes, late=changes)
def test_ratios_of_slices_kept_up(
    found: list[tuple[Place, int, Counts]], late: list[tuple[Place, int, Counts]]
) -> None:
    made = objective("0.9", LENGTH, RatioTimeslices())
    kept = Track(made, cells_of(found))
    for place, start_s, cell in late:
        kept.put(place, start_s, cell)
    one = status_of(made, kept).remaining
    other = status_of(made, Track(made, cells_of(found + late))).remaining
    assert (one is None) is (other is None)
    if one is not None and other is not None:
        assert float(one) == pytest.approx(float(other), abs=1e-9)
