"""What may be an objective, and which window it has at a watermark."""

from fractions import Fraction

import pytest

from freshness.objective import (
    Calendar,
    Caution,
    Measure,
    Objective,
    RatioTimeslices,
    Rolling,
    Timeslices,
)
from freshness.window import Window
from tests.freshness.budgets import DAY, calendar, objective


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"target": 0.999}, "not exact", id="a float is no exact target"),
        pytest.param({"target": Fraction(1)}, "between 0 and 1", id="no budget at all"),
        pytest.param({"target": Fraction(0)}, "between 0 and 1", id="nothing promised"),
        pytest.param({"budgeting": Timeslices(Fraction(2))}, "goal", id="a goal above 1"),
        pytest.param({"slice_s": 30}, "whole minutes", id="less than a minute"),
        pytest.param({"slice_s": 420}, "whole minutes", id="7 min: hours are no whole slices"),
        pytest.param({"interval_s": 120}, "empty by design", id="slices between two samples"),
        pytest.param({"window": Rolling(60)}, "two slices", id="a window of one slice"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, object], said: str) -> None:
    given = {"measure": Measure.READS, "target": Fraction("0.99"), "window": Rolling(DAY)}
    with pytest.raises(ValueError, match=said):
        Objective(**(given | changes))  # type: ignore[arg-type]


def test_three_nines_leave_exactly_a_thousandth() -> None:
    assert objective("0.999").error_budget == Fraction(1, 1_000)


def test_a_rolling_window_ends_at_the_last_whole_slice_before_the_watermark() -> None:
    assert objective(length_s=DAY).window_at(10 * DAY + 59) == Window(9 * DAY, 10 * DAY)


def test_a_calendar_window_has_the_edges_it_is_given() -> None:
    march = Window(10 * DAY - 3_600, 41 * DAY - 7_200)  # an hour less: clocks change
    made = calendar()
    assert made.window_at(20 * DAY, march) == Window(march.since_s, 20 * DAY)
    assert made.window_at(50 * DAY, march) == march
    assert made.window_at(5 * DAY, march).length_s == 0
    with pytest.raises(ValueError, match="edges"):
        made.window_at(20 * DAY)


def test_a_calendar_window_with_occurrences_is_cautioned_about() -> None:
    assert calendar().cautions == (Caution.OCCURRENCES_IN_CALENDAR,)
    assert calendar(RatioTimeslices()).cautions == ()
    assert objective().cautions == ()
    assert calendar().window is Calendar.MONTH
