"""Which pairs of windows watch an objective, and what each says on samples enough or too few."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.budget_coverage import Coverage, Gap
from freshness.burn import (
    STANDARD,
    Backwards,
    Burn,
    CannotFire,
    Decision,
    LowVolume,
    Severity,
    Why,
    WindowPair,
    burn,
    check_pair,
    decide,
    decide_spent,
    fit,
    scale,
)
from freshness.counts import Counts, count_events
from freshness.objective import Calendar
from freshness.window import Window
from tests.freshness.budgets import DAY, HOUR, objective

BUDGET = Fraction(1, 1_000)
PAGE, TICKET = STANDARD[0], STANDARD[3]
WHOLE = Coverage(60, 60)


def seen(counts: Counts, gap: Gap | None = None) -> Burn:
    return burn(Window(0, HOUR), counts, WHOLE, gap, BUDGET)


def said(
    long: Counts, short: Counts, pair: WindowPair = PAGE, rho: float | None = None
) -> Decision:
    return decide(pair, seen(long), seen(short), BUDGET, LowVolume(rho=rho))


@pytest.mark.parametrize(
    ("pair", "share"),
    [
        pytest.param(STANDARD[0], Fraction(2, 100), id="2 % in an hour"),
        pytest.param(STANDARD[1], Fraction(5, 100), id="5 % in six"),
        pytest.param(STANDARD[2], Fraction(10, 100), id="10 % in a day"),
        pytest.param(STANDARD[3], Fraction(10, 100), id="10 % in three"),
    ],
)
def test_the_workbooks_shares_of_a_budget_of_30_days(pair: WindowPair, share: Fraction) -> None:
    """Tables 5-8 and 5-6: burn rate = share of the budget x window of the SLO / window."""
    assert pair.threshold * pair.long_s / (30 * DAY) == share
    assert pair.short_s * 12 == pair.long_s


@pytest.mark.parametrize("days", [28, 29, 30])
def test_four_weeks_and_a_month_have_the_standard_windows(days: int) -> None:
    assert fit(objective(length_s=days * DAY)).pairs == STANDARD


@given(days=st.integers(1, 365))
def test_for_another_window_the_windows_scale_and_the_budgets_share_stays(days: int) -> None:
    for pair, standard in zip(scale(days * DAY), STANDARD, strict=True):
        share = pair.threshold * pair.long_s / (days * DAY)
        known = standard.threshold * standard.long_s / (30 * DAY)
        is_standard = 28 <= days <= 30
        assert abs(share / known - 1) <= (Fraction(30, 28) - 1 if is_standard else Fraction(1, 100))
        assert pair.threshold == standard.threshold


def test_a_week() -> None:
    pairs = fit(objective(length_s=7 * DAY)).pairs
    assert [(pair.long_s, pair.short_s) for pair in pairs] == [
        (14 * 60, 2 * 60),  # 70 s are no two slices
        (84 * 60, 7 * 60),
        (336 * 60, 28 * 60),
        (1_008 * 60, 84 * 60),
    ]


def test_a_calendar_week_is_watched_as_seven_days_are() -> None:
    week = replace(objective(), window=Calendar.WEEK)
    assert fit(week).pairs == fit(objective(length_s=7 * DAY)).pairs


def test_the_short_window_holds_two_slices() -> None:
    pairs = fit(objective(slice_s=300)).pairs
    assert [pair.short_s for pair in pairs[:2]] == [600, 1_800]


def test_a_default_that_can_never_fire_drops_out_with_a_notice() -> None:
    fitted = fit(objective("0.93"))
    assert [pair.threshold for pair in fitted.pairs] == [6, 3, 1]
    assert [each.pair.threshold for each in fitted.dropped] == [Fraction("14.4")]
    assert str(fitted.dropped[0]) == (
        "a burn rate above 14.4 can never be: with all events bad it is 14.2857, 1/(1 − target)"
    )
    assert fit(objective("0.94")).dropped == ()


def test_one_that_a_user_wrote_is_refused() -> None:
    written = WindowPair(HOUR, 300, Fraction(10), Severity.PAGE)
    assert check_pair(written, objective("0.9")) == CannotFire(written, Fraction(10))
    assert check_pair(written, objective("0.91")) is None
    with pytest.raises(ValueError, match="can never be"):
        fit(objective("0.9"), [written])
    backwards = written._replace(short_s=HOUR)
    assert check_pair(backwards, objective()) == Backwards(backwards)
    assert fit(objective(), [written]).pairs == (written,)


many = count_events(good=98_000, bad=2_000, clusters=1_800)
calm = count_events(good=100_000, clusters=150)


@pytest.mark.parametrize(
    ("long", "short", "why"),
    [
        pytest.param(many, many, Why.BOTH_EXCEED, id="both windows burn at 20"),
        pytest.param(many, calm, Why.SHORT_BELOW, id="it is over"),
        pytest.param(calm, many, Why.LONG_BELOW, id="it has only begun"),
        pytest.param(
            count_events(good=9_856, bad=144, clusters=1_800),
            many,
            Why.LONG_BELOW,
            id="exactly at the threshold is not above it",
        ),
        pytest.param(
            count_events(good=8, bad=2, clusters=10), many, Why.FEW_BAD, id="two bad reads"
        ),
        pytest.param(
            count_events(good=0, bad=600, clusters=1),
            many,
            Why.BOTH_EXCEED,
            id="one node in one minute, all bad: 5 % is the bound",
        ),
        pytest.param(
            count_events(good=5_400, bad=600, clusters=60),
            many,
            Why.BOTH_EXCEED,
            id="a tenth, of an hour of one node",
        ),
        pytest.param(
            count_events(good=5_880, bad=120, clusters=60),
            many,
            Why.UNSURE,
            id="2 % of an hour of one node may be less than 1.44 %",
        ),
    ],
)
def test_what_a_pair_says(long: Counts, short: Counts, why: Why) -> None:
    decision = said(long, short)
    assert decision.why is why
    assert decision.is_firing == (why is Why.BOTH_EXCEED)
    assert decision.is_insufficient == (why in (Why.FEW_BAD, Why.UNSURE))


def test_a_ticket_needs_no_bound() -> None:
    unsure = count_events(good=5_880, bad=120, clusters=60)
    assert said(unsure, many, STANDARD[2]).why is Why.BOTH_EXCEED
    assert said(unsure, many, rho=0.0).why is Why.BOTH_EXCEED


@pytest.mark.parametrize(
    ("long", "short", "gap"),
    [
        pytest.param(seen(many, Gap.LOW_COVERAGE), seen(many), Gap.LOW_COVERAGE, id="long"),
        pytest.param(seen(many), seen(many, Gap.NO_EVENTS), Gap.NO_EVENTS, id="short"),
        pytest.param(seen(many), seen(count_events()), Gap.NO_EVENTS, id="nothing judged"),
    ],
)
def test_a_window_without_data_freezes_the_pair(long: Burn, short: Burn, gap: Gap) -> None:
    decision = decide(PAGE, long, short, BUDGET, LowVolume())
    assert decision.is_frozen
    assert not decision.is_firing
    assert decision.gap is gap


@pytest.mark.parametrize(
    ("spent", "bad", "why"),
    [
        pytest.param(None, 9, Why.NO_DATA, id="no data"),
        pytest.param(Fraction(1, 2), 9, Why.WITHIN, id="half of it"),
        pytest.param(Fraction(3, 4), 9, Why.SPENT, id="three quarters"),
        pytest.param(Fraction(9), 2, Why.FEW_BAD, id="two bad reads of few"),
    ],
)
def test_slow_failures(spent: Fraction | None, bad: int, why: Why) -> None:
    assert decide_spent(spent, count_events(bad=bad), Fraction(3, 4), LowVolume()) is why


@given(bad=st.integers(0, 300), good=st.integers(0, 300), clusters=st.integers(1, 90))
def test_a_page_is_never_without_its_bound(bad: int, good: int, clusters: int) -> None:
    decision = said(count_events(good, bad, clusters=clusters), many)
    if decision.is_firing:
        assert bad >= 3
        assert decision.floor is not None
        assert decision.floor > PAGE.threshold
        assert decision.long.rate is not None
        assert decision.floor <= decision.long.rate


def test_the_lowest_ticket_fires_on_a_budget_that_would_just_not_last() -> None:
    over = count_events(good=998, bad=2, clusters=1_000)
    assert said(over._replace(bad=3), many, TICKET).why is Why.BOTH_EXCEED
