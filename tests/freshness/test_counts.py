"""Reads as counts, at the maximum staleness that they were judged at and at another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.counts import NOTHING, Counts, count_events, count_reads
from freshness.model import Result, Verdict
from freshness.rollup import Reads, Rollup
from tests.freshness.budgets import events

MS = 10**6
bounds = st.tuples(st.integers(0, 5_000 * MS), st.none() | st.integers(0, 5_000 * MS)).map(
    lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
)


def judged(lower: int, upper: int | None, maximum: int) -> Verdict:
    """The rule of the method."""
    if lower > maximum:
        return Verdict.STALE
    is_fresh = upper is not None and upper <= maximum
    return Verdict.FRESH if is_fresh else Verdict.INDETERMINATE


def cell_of(reads: list[tuple[int, int | None]], maximum: int, weight: float = 1.0) -> Rollup:
    """A minute of reads with these bounds."""
    cell = Rollup()
    for lower, upper in reads:
        cell.add(Reads(judged(lower, upper, maximum), lower, upper, weight=weight))
    return cell


def test_the_verdicts_of_a_cell() -> None:
    cell = cell_of([(0, 1), (0, None), (5, 9), (7, 9), (8, 9)], 4)
    cell.add(Reads(Verdict.UNKNOWN, n=4))
    cell.add(Reads(Verdict.UNKNOWN, result=Result.MISS, n=6))
    assert count_reads(cell) == count_events(good=1, bad=3, indeterminate=1, unknown=4)


@given(reads=st.lists(bounds, max_size=30), at=st.integers(0, 5_000 * MS), weight=st.integers(1, 3))
def test_asked_at_another_maximum_nothing_is_said_too_much(
    reads: list[tuple[int, int | None]], at: int, weight: int
) -> None:
    maximum = 2_000 * MS
    counts = count_reads(cell_of(reads, maximum, weight), maximum, at)
    truth = [judged(*each, at) for each in reads]
    assert counts.bad <= truth.count(Verdict.STALE)
    assert counts.good <= truth.count(Verdict.FRESH)
    assert counts.judged == len(reads)
    assert (counts.good_weight, counts.bad_weight) == (counts.good * weight, counts.bad * weight)


@pytest.mark.parametrize(
    ("asked_ms", "good", "bad"),
    [
        pytest.param(2_000, 2, 1, id="as judged"),
        pytest.param(0, 1, 2, id="at nothing: the zero alone is fresh"),
        pytest.param(100, 1, 2, id="at less: what was stale stays so"),
        pytest.param(9_000, 4, 0, id="at more: the open one stays open"),
    ],
)
def test_other_maxima(asked_ms: int, good: int, bad: int) -> None:
    reads = [(0, 0), (500 * MS, 600 * MS), (3_000 * MS, 4_000 * MS), (0, 2_500 * MS), (0, None)]
    counts = count_reads(cell_of(reads, 2_000 * MS), 2_000 * MS, asked_ms * MS)
    assert (counts.good, counts.bad, counts.judged) == (good, bad, 5)


def test_a_bucket_that_ends_at_the_maximum_is_within_it() -> None:
    counts = count_reads(cell_of([(0, 1_024), (0, 1_025)], 0), 0, 1_024)
    assert (counts.good, counts.indeterminate) == (1, 1)


@given(one=events, other=events)
def test_they_add_and_subtract(one: Counts, other: Counts) -> None:
    assert one.plus(other).minus(other) == one
    assert one.plus(NOTHING) == one
    assert one.plus(other).judged == one.judged + other.judged


def test_what_deltas_left_of_a_weight_is_no_proof() -> None:
    left = count_events(good=5)._replace(bad_weight=1e-17)
    assert left.proven_weight == 0.0
