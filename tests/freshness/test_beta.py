"""The beta distribution's tails and their inverse against scipy and against exact arithmetic."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from freshness.beta import Side, quantile, tails

shapes = st.floats(1.0, 1e6)


@given(p=st.floats(1e-9, 1.0 - 1e-9), a=shapes, b=shapes)
def test_tails_equal_those_of_scipy(p: float, a: float, b: float) -> None:
    lower, upper = tails(p, a, b)
    assert lower == pytest.approx(beta.cdf(p, a, b), rel=1e-8, abs=1e-250)
    assert upper == pytest.approx(beta.sf(p, a, b), rel=1e-8, abs=1e-250)


@given(n=st.integers(1, 60), data=st.data(), parts=st.integers(1, 999))
def test_the_lower_tail_is_a_binomial_sum(n: int, data: st.DataObject, parts: int) -> None:
    x, p = data.draw(st.integers(1, n)), Fraction(parts, 1000)
    exact = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(x, n + 1))
    assert tails(float(p), x, n - x + 1).lower == pytest.approx(float(exact), rel=1e-11)


@given(
    tail=st.floats(1e-12, 1.0 - 1e-6), a=shapes, b=shapes, side=st.sampled_from(["lower", "upper"])
)
def test_quantile_inverts_the_tail(tail: float, a: float, b: float, side: Side) -> None:
    """Up to the digits of p: near 1 the next float is a long way off in the tail."""
    p = quantile(tail, a, b, side)
    around = sorted(getattr(tails(p * (1.0 + way), a, b), side) for way in (-1e-12, 1e-12))
    assert around[0] * (1.0 - 1e-9) <= tail <= around[1] * (1.0 + 1e-9)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        pytest.param(-0.5, (0.0, 1.0), id="below the support"),
        pytest.param(0.0, (0.0, 1.0), id="its lower end"),
        pytest.param(1.0, (1.0, 0.0), id="its upper end"),
        pytest.param(0.5, (0.5, 0.5), id="the middle of a symmetric one"),
    ],
)
def test_tails_at_the_ends(p: float, expected: tuple[float, float]) -> None:
    assert tails(p, 3.0, 3.0) == pytest.approx(expected)


def test_a_billion_keeps_all_its_digits() -> None:
    """With a = 2 the upper tail has a closed form, evaluated here without rounding."""
    n, p = 10**9, quantile(0.05, 2.0, 1e9 - 1.0, "upper")
    q = 1.0 - tails(p, 2.0, 1e9 - 1.0).lower
    assert q == pytest.approx(0.05, rel=1e-7)
    assert n * p == pytest.approx(4.7438645095, abs=1e-9)
