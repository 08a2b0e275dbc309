"""Cells are vectors: whatever the order of adding, folding, correcting and differencing."""

from dataclasses import astuple, replace
from datetime import UTC, datetime
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.histogram import Histogram, Span
from freshness.model import Result, Verdict
from freshness.rollup import Grain, Reads, Rollup, RollupKey, Tally, changes, fold, merge

DAY_S = 86_400
grains = st.sampled_from(list(Grain))
# Weights in eighths, so that their sums and squares are exact and equality may be demanded.
weights = st.integers(1, 64).map(lambda eighths: eighths / 8)
reads = st.builds(
    Reads,
    st.sampled_from(Verdict),
    st.integers(0, 10**12),
    st.none() | st.integers(0, 10**13),
    st.sampled_from(Result),
    st.booleans(),
    weights,
    st.integers(1, 500),
    st.none() | weights,
)


def cell(entries: list[Reads]) -> Rollup:
    """A cell that took these reads."""
    made = Rollup()
    for each in entries:
        made.add(each)
    return made


def minute(start_s: int, node: str = "n1") -> RollupKey:
    """The key of a minute cell that differs in time and node alone."""
    return RollupKey(start_s, "product", "regional", node, "sampled", 0, "1")


keys = st.builds(
    minute, st.integers(0, 3 * DAY_S).map(Grain.MINUTE.floor), st.sampled_from(["n1", "n2"])
)
entries = st.lists(reads, min_size=1, max_size=4)
ledgers = st.dictionaries(keys, entries, max_size=12)


def cells(ledger: dict[RollupKey, list[Reads]]) -> dict[RollupKey, Rollup]:
    """The cells of reads by minute."""
    return {key: cell(taken) for key, taken in ledger.items()}


def linear(folded: dict[RollupKey, Rollup]) -> dict[RollupKey, Rollup]:
    """The linear part of folded cells."""
    return {key: replace(each, clusters=0, observed=0) for key, each in folded.items()}


@given(entries, entries, entries)
def test_cells_commute_and_associate(a: list[Reads], b: list[Reads], c: list[Reads]) -> None:
    x, y, z = cell(a), cell(b), cell(c)
    assert x + y == y + x == cell(a + b)
    assert (x + y) + z == x + (y + z)
    assert x + Rollup() == x
    assert (x + y) - y == x


@given(a=ledgers, b=ledgers, grain=grains)
def test_folding_the_merged_equals_merging_the_folded(
    a: dict[RollupKey, list[Reads]], b: dict[RollupKey, list[Reads]], grain: Grain
) -> None:
    merged = fold(merge(cells(a), cells(b)), grain)
    apart = merge(fold(cells(a), grain), fold(cells(b), grain))
    assert linear(merged) == linear(apart)
    if not a.keys() & b.keys():
        assert merged == apart


@given(ledger=ledgers)
def test_folding_twice_equals_folding_once(ledger: dict[RollupKey, list[Reads]]) -> None:
    minutes = cells(ledger)
    assert fold(fold(minutes, Grain.HOUR), Grain.DAY) == fold(minutes, Grain.DAY)
    assert fold(fold(minutes, Grain.MINUTE), Grain.HOUR) == fold(minutes, Grain.HOUR)


@given(old=ledgers, late=ledgers, grain=grains)
def test_late_deltas_equal_a_recomputation(
    old: dict[RollupKey, list[Reads]], late: dict[RollupKey, list[Reads]], grain: Grain
) -> None:
    before = cells(old)
    after = merge(before, cells(late))
    kept = fold(before, grain)
    assert merge(kept, changes(kept, fold(after, grain))) == fold(after, grain)
    touched = {key: after[key] for key in late}
    stood = {key: before[key] for key in late if key in before}
    only_touched = changes(fold(stood, grain), fold(touched, grain))
    assert merge(kept, only_touched) == fold(after, grain)


@given(others=entries, old=reads, new=reads)
def test_a_read_judged_anew_moves(others: list[Reads], old: Reads, new: Reads) -> None:
    revised = cell([*others, old])
    revised.revise(old, new)
    assert revised == cell([*others, new])


@given(ledger=ledgers)
def test_clusters_are_distinct_minutes_of_a_node(ledger: dict[RollupKey, list[Reads]]) -> None:
    by_day = fold(cells(ledger), Grain.DAY)
    judged = {key for key, taken in ledger.items() if cell(taken).judged.n}
    assert sum(each.minutes_with_reads for each in by_day.values()) == len(judged)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param(
            Reads(Verdict.FRESH, 0, 5, weight=0.5, n=4),
            Rollup(
                fresh=Tally(4, 2.0, 1.0),
                hits=4,
                s_lo=Histogram(zero=4),
                s_hi=Histogram({18: 4}),
            ),
            id="fresh hits, weighted",
        ),
        pytest.param(
            Reads(Verdict.INDETERMINATE, 0, None),
            Rollup(
                indeterminate=Tally(1, 1.0, 1.0),
                hits=1,
                s_lo=Histogram(zero=1),
                s_hi=Histogram(unbounded=1),
            ),
            id="indeterminate: unbounded above, and counted as such",
        ),
        pytest.param(
            Reads(Verdict.STALE, 1, 1, negative=True),
            Rollup(
                stale=Tally(1, 1.0, 1.0),
                negatives=1,
                s_lo=Histogram({-1: 1}),
                s_hi=Histogram({-1: 1}),
            ),
            id="a stale not-found is judged like a value",
        ),
        pytest.param(
            Reads(Verdict.UNKNOWN, result=Result.UNREADABLE),
            Rollup(unknown=Tally(1, 1.0, 1.0), unreadable=1),
            id="unreadable: unknown, and in no histogram",
        ),
        pytest.param(
            Reads(Verdict.UNKNOWN, result=Result.UNKNOWN),
            Rollup(unknown=Tally(1, 1.0, 1.0), unanswered=1),
            id="no answer: unknown, and in no histogram",
        ),
        pytest.param(
            Reads(Verdict.UNKNOWN, result=Result.MISS),
            Rollup(misses=1),
            id="a miss is neither stale nor unknown",
        ),
    ],
)
def test_what_reads_count_as(taken: Reads, expected: Rollup) -> None:
    assert cell([taken]) == expected


@given(instant=st.integers(0, 4_000_000_000), grain=grains)
def test_grains_follow_the_utc_calendar(instant: int, grain: Grain) -> None:
    zeroed = {"second": 0, "microsecond": 0}
    if grain >= Grain.HOUR:
        zeroed["minute"] = 0
    if grain >= Grain.DAY:
        zeroed["hour"] = 0
    start = datetime.fromtimestamp(instant, UTC).replace(**zeroed)  # type: ignore[arg-type]
    assert grain.floor(instant) == start.timestamp()


@given(st.lists(st.tuples(reads, st.floats(0.001, 1_000)), min_size=1, max_size=20))
def test_any_weights_add_up_nearly(weighted: list[tuple[Reads, float]]) -> None:
    parts = [cell([each._replace(weight=weight)]) for each, weight in weighted]
    forwards, backwards = reduce(add, parts), reduce(add, reversed(parts))
    for verdict in Verdict:
        one, other = getattr(forwards, verdict), getattr(backwards, verdict)
        assert astuple(one) == pytest.approx(astuple(other))


def test_an_hour_answers_for_its_minutes() -> None:
    minutes = {
        minute(0): cell([Reads(Verdict.FRESH, 0, 10, n=98)]),
        minute(60): cell([Reads(Verdict.STALE, 1 << 30, None, n=2)]),
    }
    (hour,) = fold(minutes, Grain.HOUR).values()
    assert (hour.judged.n, hour.stale.n, hour.minutes_with_reads) == (100, 2, 2)
    assert hour.s_lo.quantile(0.98) == Span(0, 0)
    assert hour.s_hi.quantile(0.99) == Span(float("inf"), float("inf"))
