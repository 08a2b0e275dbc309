"""How many nines samples support."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.intervals import upper_bound
from freshness.nines import clean_reads_needed, supported_nines, supports


@pytest.mark.parametrize(
    ("nines", "needed"),
    [
        pytest.param(1, 29, id="one nine"),
        pytest.param(2, 299, id="two nines"),
        pytest.param(3, 2_995, id="three nines"),
        pytest.param(4, 29_956, id="four nines"),
        pytest.param(5, 299_572, id="five nines"),
        pytest.param(6, 2_995_731, id="six nines"),
    ],
)
def test_clean_samples_at_95_percent(nines: int, needed: int) -> None:
    assert clean_reads_needed(nines) == needed
    assert supported_nines(0, needed) == nines
    assert supported_nines(0, needed - 1) == nines - 1


@pytest.mark.parametrize(
    ("bad", "n", "nines"),
    [
        pytest.param(0, 0, 0, id="no reads support nothing"),
        pytest.param(1, 1, 0, id="one bad read"),
        pytest.param(1, 30_000, 3, id="one bad read costs the fourth nine"),
        pytest.param(1, 47_436, 3, id="one read short of it again"),
        pytest.param(1, 47_437, 4, id="bought back with 60 % more reads"),
        pytest.param(10**9, 10**9, 0, id="all bad"),
        pytest.param(0, 10**9, 8, id="a clean billion"),
    ],
)
def test_what_samples_support(bad: int, n: int, nines: int) -> None:
    assert supported_nines(bad, n) == nines


@given(n=st.integers(1, 10**8), bad=st.integers(0, 1_000), nines=st.integers(1, 9))
def test_support_is_the_bound_below_the_share(n: int, bad: int, nines: int) -> None:
    share, bound = 10.0**-nines, upper_bound(min(bad, n), n, 0.95)
    if abs(bound - share) > 1e-9 * share:
        assert supports(min(bad, n), n, share, 0.95) == (bound < share)


def test_what_is_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample"):
        supported_nines(2, 1)
