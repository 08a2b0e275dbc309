"""The shares of a cell: cautious, as a pair, and unknown where nothing was judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.indicator import indicator, unknown_share
from freshness.model import Result, Verdict
from freshness.rollup import Reads, Rollup

counts = st.integers(0, 1_000)


def cell(
    fresh: int = 0, stale: int = 0, indeterminate: int = 0, unknown: int = 0, misses: int = 0
) -> Rollup:
    """A cell of so many reads a verdict."""
    made = Rollup()
    made.add(Reads(Verdict.FRESH, n=fresh))
    made.add(Reads(Verdict.STALE, n=stale))
    made.add(Reads(Verdict.INDETERMINATE, n=indeterminate))
    made.add(Reads(Verdict.UNKNOWN, n=unknown))
    made.add(Reads(Verdict.UNKNOWN, result=Result.MISS, n=misses))
    return made


@pytest.mark.parametrize(
    ("given_cell", "good", "at_least", "at_most"),
    [
        pytest.param(cell(fresh=10), 1.0, 1.0, 1.0, id="all fresh"),
        pytest.param(cell(stale=10), 0.0, 0.0, 0.0, id="all stale"),
        pytest.param(cell(indeterminate=10), 1.0, 0.0, 1.0, id="all indeterminate: anything"),
        pytest.param(cell(8, 1, 1), 0.9, 0.8, 0.9, id="indeterminate counts in the total"),
        pytest.param(cell(9, 1, unknown=90), 0.9, 0.9, 0.9, id="unknown does not"),
        pytest.param(cell(9, 1, misses=90), 0.9, 0.9, 0.9, id="nor do misses"),
    ],
)
def test_shares(given_cell: Rollup, good: float, at_least: float, at_most: float) -> None:
    shares = indicator(given_cell)
    assert shares is not None
    assert shares[:3] == pytest.approx((good, at_least, at_most))


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(Rollup(), id="no reads"),
        pytest.param(cell(unknown=10), id="nothing but unknown"),
        pytest.param(cell(misses=10), id="nothing but misses"),
    ],
)
def test_nothing_judged_is_no_share(nothing: Rollup) -> None:
    assert indicator(nothing) is None


@given(fresh=counts, stale=counts, indeterminate=counts)
def test_the_interval_holds_the_share(fresh: int, stale: int, indeterminate: int) -> None:
    shares = indicator(cell(fresh, stale, indeterminate))
    if shares is not None:
        assert shares.at_least <= shares.good == shares.at_most
        assert shares.sampling.low - 1e-9 <= shares.good <= shares.sampling.high + 1e-9


def test_a_clean_minute_of_one_node_is_one_sample() -> None:
    clean = indicator(cell(fresh=6_000))
    assert clean is not None
    assert clean.n_effective == 1.0
    independent = indicator(cell(fresh=6_000), rho=0.0)
    assert independent is not None
    assert independent.n_effective == 6_000


def test_a_stale_read_taken_back_leaves_a_clean_cell() -> None:
    revised = cell(fresh=5)
    for weight in (0.1, 0.2, 0.7):
        revised.add(Reads(Verdict.STALE, weight=weight))
    for weight in (0.7, 0.2, 0.1):
        revised.add(Reads(Verdict.STALE, weight=weight, n=-1))
    shares = indicator(revised)
    assert shares is not None
    assert (shares.good, shares.n_effective) == (1.0, 1.0)


def test_unequal_weights_widen_the_interval() -> None:
    uneven = Rollup()
    uneven.add(Reads(Verdict.STALE, weight=1.0, n=90))
    uneven.add(Reads(Verdict.FRESH, weight=91.0, n=10))
    shares = indicator(uneven)
    assert shares is not None
    assert shares.good == pytest.approx(0.91)
    assert shares.n_effective < 13


@pytest.mark.parametrize(
    ("given_cell", "expected"),
    [
        pytest.param(Rollup(), None, id="no reads"),
        pytest.param(cell(misses=5), None, id="only misses"),
        pytest.param(cell(unknown=5), 1.0, id="all unknown"),
        pytest.param(cell(fresh=3, unknown=1, misses=7), 0.25, id="a quarter"),
    ],
)
def test_unknown_shares(given_cell: Rollup, expected: float | None) -> None:
    assert unknown_share(given_cell) == expected
