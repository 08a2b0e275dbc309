"""Differences of counters, and what our own reads have of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.counters import (
    Bounded,
    Counters,
    Gap,
    Interval,
    Own,
    Sample,
    difference,
    hit_rate,
    less,
)

S = 10**9
NONE = Bounded(0, 0, 0)


def sample(at_s: float, counters: Counters, **changes: Any) -> Sample:
    """A look of a millisecond at a node that has run for a day."""
    at = round(at_s * S)
    row = {"identity": "run-1", "uptime_s": 86_400 + at_s, **changes}
    return Sample("clock-1", at, at + S // 1000, counters, **row)


BEFORE = sample(100, Counters(hits=1_000, misses=50, evictions=3, memory_bytes=10))


def test_counters_grow_and_gauges_stand() -> None:
    after = sample(115, Counters(hits=1_090, misses=60, evictions=3, memory_bytes=7, items=4))
    found = difference(BEFORE, after)
    assert isinstance(found, Interval)
    assert found.grown == Counters(hits=90, misses=10, evictions=0, memory_bytes=7, items=4)
    assert found.end_ns - found.start_ns == 15 * S


def test_what_was_not_told_before_or_is_not_told_now_is_unknown() -> None:
    after = sample(115, Counters(hits=1_090, expirations=7))
    found = difference(BEFORE, after)
    assert isinstance(found, Interval)
    assert found.grown == Counters(hits=90)


MORE = Counters(hits=2_000, misses=90, evictions=9)


@pytest.mark.parametrize(
    ("after", "gap"),
    [
        pytest.param(sample(115, MORE, identity="run-2"), Gap.RESTARTED, id="another run"),
        pytest.param(sample(115, MORE, uptime_s=9), Gap.RESTARTED, id="up since the look before"),
        pytest.param(
            sample(115, replace(MORE, evictions=2)), Gap.WENT_BACK, id="one counter went back"
        ),
        pytest.param(
            replace(sample(115, MORE), clock="clock-2"), Gap.NEW_CLOCK, id="another clock"
        ),
    ],
)
def test_nothing_is_made_up_across_two_lives(after: Sample, gap: Gap) -> None:
    assert difference(BEFORE, after) is gap


def test_a_server_that_is_up_for_less_than_has_passed_was_down_meanwhile() -> None:
    young = replace(BEFORE, uptime_s=5)
    assert difference(young, sample(900, MORE, uptime_s=700)) is Gap.RESTARTED
    assert isinstance(difference(young, sample(900, MORE, uptime_s=805)), Interval)


@pytest.mark.parametrize("uptime_s", [86_400 + 14, 86_400 + 15, 86_400 + 16, None])
def test_whole_seconds_of_uptime_are_no_restart(uptime_s: float | None) -> None:
    before = replace(BEFORE, uptime_s=86_400)
    after = sample(115, MORE, uptime_s=uptime_s)
    assert isinstance(difference(before, after), Interval)


@pytest.mark.parametrize(
    ("hits", "misses", "own_hits", "own_misses", "expected"),
    [
        pytest.param(90, 10, NONE, NONE, (0.9, 0.9, 0.9, 100), id="nobody but others"),
        pytest.param(
            90, 10, Bounded(80, 80, 80), NONE, (0.5, 0.5, 0.5, 20), id="most of it was ours"
        ),
        pytest.param(
            90, 10, Bounded(70, 80, 90), NONE, (0.5, 0.0, 20 / 30, 20), id="bounds stay bounds"
        ),
        pytest.param(80, 0, Bounded(80, 80, 80), NONE, None, id="all of it was ours"),
        pytest.param(None, 10, NONE, NONE, None, id="hits are not told"),
        pytest.param(90, None, NONE, NONE, None, id="misses are not told"),
        pytest.param(90, 10, Bounded(91, 91, 91), NONE, None, id="more of ours than there were"),
    ],
)
def test_a_hit_rate_is_of_others_or_unknown(
    hits: int | None, misses: int | None, own_hits: Bounded, own_misses: Bounded, expected: Any
) -> None:
    assert hit_rate(hits, misses, own_hits, own_misses) == expected


def test_reads_under_way_make_bounds_and_no_more() -> None:
    before = replace(BEFORE, own_before=Own(hits=10), own_after=Own(hits=10, open=5))
    after = sample(
        115,
        Counters(hits=1_090, misses=60),
        own_before=Own(hits=50, misses=2),
        own_after=Own(hits=50, misses=2, open=3),
    )
    found = difference(before, after)
    assert isinstance(found, Interval)
    assert found.own_hits == Bounded(35, 40, 43)
    assert found.own_misses == Bounded(0, 2, 5)
    assert less(90, found.own_hits) == Bounded(47, 50, 55)


def test_reads_of_unknown_fate_may_be_either_or_none() -> None:
    after = sample(
        115,
        Counters(hits=1_010, misses=60),
        own_before=Own(hits=5, unsure=4),
        own_after=Own(hits=5, unsure=4),
    )
    found = difference(BEFORE, after)
    assert isinstance(found, Interval)
    assert (found.own_hits, found.own_misses) == (Bounded(5, 5, 9), Bounded(0, 0, 4))


@st.composite
def reads(draw: st.DrawFn) -> tuple[int, int, int, str]:
    """(begun, executed, ended, fate) of one read of ours, in steps of the observer's clock."""
    begun = draw(st.integers(0, 60))
    executed = begun + draw(st.integers(0, 8))
    ended = executed + draw(st.integers(0, 8))
    return begun, executed, ended, draw(st.sampled_from(["hit", "miss", "lost hit", "lost"]))


def own_at(ours: list[tuple[int, int, int, str]], at: int) -> Own:
    ended = [fate for begun, _, end, fate in ours if end <= at]
    return Own(
        ended.count("hit"),
        ended.count("miss"),
        ended.count("lost hit") + ended.count("lost"),
        sum(begun <= at < end for begun, _, end, _ in ours),
    )


@given(
    st.lists(reads(), max_size=30),
    st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=30),
    st.tuples(st.integers(0, 40), st.integers(0, 6), st.integers(0, 6)),
    st.tuples(st.integers(0, 40), st.integers(0, 6), st.integers(0, 6)),
)
def test_the_truth_lies_within_the_bounds(
    ours: list[tuple[int, int, int, str]],
    others: list[tuple[int, bool]],
    first: tuple[int, int, int],
    second: tuple[int, int, int],
) -> None:
    """Whatever is under way when a look begins, is answered within it, or never is."""

    def look(start: int, until_executed: int, then: int) -> tuple[int, Sample]:
        at = start + until_executed
        hits = sum(when <= at and is_hit for when, is_hit in others)
        misses = sum(when <= at and not is_hit for when, is_hit in others)
        for _, executed, _, fate in ours:
            hits += int(executed <= at and fate in ("hit", "lost hit"))
            misses += int(executed <= at and fate == "miss")
        end = at + then
        counters = Counters(hits=hits, misses=misses)
        return at, Sample("c", start, end, counters, own_at(ours, start), own_at(ours, end))

    first_at, before = look(*first)
    second_at, after = look(before.end_ns + second[0], *second[1:])
    found = difference(before, after)
    assert isinstance(found, Interval)
    assert found.grown.hits is not None
    assert found.grown.misses is not None
    truth = [
        sum(first_at < when <= second_at and is_hit is wanted for when, is_hit in others)
        for wanted in (True, False)
    ]
    sides = ((found.grown.hits, found.own_hits), (found.grown.misses, found.own_misses))
    for true, (count, own) in zip(truth, sides, strict=True):
        left = less(count, own)
        assert left.lower <= true <= left.upper
        assert left.lower <= left.value <= left.upper
    rate = hit_rate(found.grown.hits, found.grown.misses, found.own_hits, found.own_misses)
    whole = truth[0] + truth[1]
    if rate is not None and whole:
        assert rate.lower <= truth[0] / whole <= rate.upper
        assert rate.lower <= rate.share <= rate.upper
