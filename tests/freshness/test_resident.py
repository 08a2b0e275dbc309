"""The share of resident entries that a sweep found right."""

import pytest

from freshness.intervals import wilson
from freshness.resident import resident


def test_nothing_that_answered_is_no_share() -> None:
    assert resident(0, 0, 0) is None


@pytest.mark.parametrize(
    ("counts", "good", "at_least"),
    [
        pytest.param((10, 0, 0), 1.0, 1.0, id="all right"),
        pytest.param((8, 1, 1), 0.9, 0.8, id="an indeterminate entry is right, and is not"),
        pytest.param((0, 5, 0), 0.0, 0.0, id="all wrong"),
    ],
)
def test_shares(counts: tuple[int, int, int], good: float, at_least: float) -> None:
    found = resident(*counts)
    assert found is not None
    assert (found.good, found.at_most, found.at_least) == (good, good, at_least)


def test_the_interval_is_of_all_that_answered() -> None:
    found, bad = resident(8, 1, 1), wilson(1, 10, 0.95)
    assert found is not None
    assert found.sampling == (1 - bad.high, 1 - bad.low)
