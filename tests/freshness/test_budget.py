"""The error budget: worked examples, exactness, the pair, and bounds against scipy."""

from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.stats import beta

from freshness.budget import (
    burn_floor,
    burn_rate,
    count_nines,
    measure_sli,
    spend,
)
from freshness.counts import NOTHING, Counts, count_events
from freshness.intervals import claimed_floor, lower_bound
from freshness.nines import clean_reads_needed
from tests.freshness.budgets import events, weighted

BUDGET = Fraction(1, 1_000)


@pytest.mark.parametrize(
    ("share", "burn", "gone_after_days"),
    [
        pytest.param("0.001", 1, 30, id="0.1 % of errors: 1"),
        pytest.param("0.002", 2, 15, id="0.2 %: 2"),
        pytest.param("0.01", 10, 3, id="1 %: 10"),
        pytest.param("1", 1_000, Fraction(30, 1_000), id="100 %: 1000, 43 minutes"),
    ],
)
def test_the_workbooks_table_of_burn_rates(
    share: str, burn: int, gone_after_days: Fraction
) -> None:
    """Table 5-4: burn rates and the time to exhaustion of a 99.9 % SLO over 30 days."""
    n = 100_000
    bad = int(Fraction(share) * n)
    rate = burn_rate(count_events(good=n - bad, bad=bad), BUDGET)
    assert rate == burn
    assert 30 / Fraction(burn) == gone_after_days


def test_a_day_worked_by_hand() -> None:
    """990 good, 6 stale, 4 open of 1,000 at 99 %: SLI 99.4 %, spent 60 %, 40 % remain."""
    counts = count_events(good=990, bad=6, indeterminate=4)
    sli = measure_sli(counts)
    assert sli is not None
    assert sli[:3] == (Fraction(994, 1_000), Fraction(99, 100), Fraction(994, 1_000))
    assert spend(counts, Fraction(1_000), Fraction(1, 100)) == Fraction(6, 10)


def test_999_of_1000_at_three_nines_is_exactly_spent() -> None:
    assert 1 - (burn_rate(count_events(good=999, bad=1), BUDGET) or 0) == 0


def test_a_budget_spent_over_is_negative_and_not_clamped() -> None:
    rate = burn_rate(count_events(good=900, bad=100), BUDGET)
    assert rate is not None
    assert 1 - rate == -99


def test_nothing_judged_is_no_figure() -> None:
    for counts in (NOTHING, count_events(unknown=7)):
        assert (measure_sli(counts), burn_rate(counts, BUDGET)) == (None, None)
        assert (burn_floor(counts, BUDGET), count_nines(counts)) == (0.0, 0)


@given(counts=weighted)
def test_the_pair_lies_around_the_cautious_number(counts: Counts) -> None:
    sli = measure_sli(counts)
    if sli is not None:
        assert 0 <= sli.at_least <= sli.good <= sli.at_most <= 1
        assert sli.sampling.low - 1e-9 <= sli.good <= sli.sampling.high + 1e-9


@given(counts=events, more=st.integers(1, 9))
def test_weights_alike_change_no_share(counts: Counts, more: int) -> None:
    scaled = counts._replace(
        good_weight=counts.good_weight * more,
        bad_weight=counts.bad_weight * more,
        judged_weight=counts.judged_weight * more,
        weight_squares=counts.weight_squares * more**2,
    )
    assert burn_rate(scaled, BUDGET) == burn_rate(counts, BUDGET)
    assert burn_floor(scaled, BUDGET) == pytest.approx(burn_floor(counts, BUDGET))


@given(counts=events, target=st.fractions(Fraction(1, 2), Fraction(99_999, 100_000)))
def test_a_tighter_target_burns_in_proportion(counts: Counts, target: Fraction) -> None:
    rate, loose = burn_rate(counts, 1 - target), burn_rate(counts, Fraction(1))
    if rate is not None and loose is not None:
        assert rate * (1 - target) == loose


@given(bad=st.integers(0, 200), good=st.integers(0, 2_000))
@example(bad=1, good=67)
@example(bad=1, good=186)
def test_the_floor_of_independent_events_is_clopper_pearsons(bad: int, good: int) -> None:
    assume(bad + good > 0)
    n = bad + good
    counts = count_events(good=good, bad=bad, clusters=n)
    expected = beta.ppf(0.05, bad, n - bad + 1) if bad else 0.0
    assert burn_floor(counts, Fraction(1, 100)) == pytest.approx(100 * expected, rel=1e-7)


@given(bad=st.integers(1, 500), good=st.integers(0, 500), clusters=st.integers(1, 60))
def test_fewer_clusters_never_prove_more(bad: int, good: int, clusters: int) -> None:
    n = bad + good
    floor = claimed_floor(bad, n, clusters, 0.95)
    assert floor <= lower_bound(bad, n, 0.95) + 1e-12
    assert floor <= bad / n


@pytest.mark.parametrize(
    ("clusters", "rho", "floor"),
    [
        pytest.param(1, None, 0.05, id="one dead node in one minute is one sample"),
        pytest.param(100, None, 0.05**0.01, id="a hundred minutes are a hundred"),
        pytest.param(1, 0.0, 0.05**0.01, id="independent, as configured"),
        pytest.param(1, 1.0, 0.05, id="all alike, as configured"),
        pytest.param(0, None, 0.0, id="no cluster, nothing said"),
    ],
)
def test_floors_of_clusters(clusters: int, rho: float | None, floor: float) -> None:
    assert claimed_floor(100, 100, clusters, 0.95, rho) == pytest.approx(floor)


def test_nines_that_clusters_support() -> None:
    reads = 10 * clean_reads_needed(3)
    assert count_nines(count_events(good=reads, clusters=clean_reads_needed(2))) == 2
    assert count_nines(count_events(good=reads, clusters=1), rho=0.0) == 3


@given(parts=st.lists(events, min_size=1, max_size=6))
def test_what_days_spent_adds_up_to_what_their_week_spent(parts: list[Counts]) -> None:
    whole = NOTHING
    for part in parts:
        whole = whole.plus(part)
    if whole.judged:
        total = Fraction(whole.judged_weight)
        assert sum(spend(part, total, BUDGET) for part in parts) == spend(whole, total, BUDGET)
        assert spend(whole, total, BUDGET) == burn_rate(whole, BUDGET)
