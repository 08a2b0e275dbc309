"""How an invalidation spread: claims and observations apart, and unknown where nobody can say."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.model import Result
from freshness.propagation import (
    Caveat,
    Commit,
    Message,
    Observed,
    Sight,
    Status,
    Why,
    Word,
    bound_commit,
    choose_word,
    delay_quantile,
    judge_claim,
    judge_sights,
    tally,
    worst_of,
)
from freshness.visibility import Delay

LIMIT = 2_000
MESSAGE = Message(written_at=10_000, arrived_at=10_100, host="shop-1", version=5)
NOW = 60_000


def word(after: int, outcome: str = "applied", host: str = "shop-1", came: int = 5) -> Word:
    """A receipt so long after the write, which reached the observer `came` later."""
    return Word(outcome, 10_000 + after, 10_000 + after + came, host)


def sight(start: int, version: int | None, end: int | None = None, **changes: Any) -> Sight:
    """Probes of 10 each, the first at `start` and the last at `end`."""
    last = start if end is None else end
    result = Result.MISS if version is None else Result.VALUE
    return Sight(result, version, start, start + 10, last, last + 10)._replace(**changes)


@pytest.mark.parametrize(
    ("words", "status", "why", "lag", "caveat"),
    [
        pytest.param([word(100)], Status.IN_TIME, Why.WITHIN_LIMIT, 100, None, id="in time"),
        pytest.param([word(2_000)], Status.IN_TIME, Why.WITHIN_LIMIT, 2_000, None, id="just so"),
        pytest.param([word(2_001)], Status.LATE, Why.OVER_LIMIT, 2_001, None, id="late"),
        pytest.param(
            [word(100, host="r1")], Status.IN_TIME, Why.WITHIN_LIMIT, 100, Caveat.TWO_CLOCKS,
            id="two hosts",
        ),
        pytest.param(
            [word(100, host="")], Status.IN_TIME, Why.WITHIN_LIMIT, 100, Caveat.TWO_CLOCKS,
            id="a host that is not named may be another",
        ),
        pytest.param(
            [word(-300, host="r1", came=500)], Status.IN_TIME, Why.WITHIN_LIMIT, -300,
            Caveat.CLOCKS_DISAGREE, id="before the write; it arrived within the limit",
        ),
        pytest.param(
            [word(-300, host="r1", came=9_000)], Status.UNKNOWN, Why.CLOCKS_DISAGREE, -300,
            Caveat.CLOCKS_DISAGREE, id="before the write, and arrived late",
        ),
        pytest.param(
            [word(9_000_000, host="r1", came=-8_999_000)], Status.IN_TIME, Why.WITHIN_LIMIT,
            9_000_000, Caveat.CLOCKS_DISAGREE, id="after its own arrival",
        ),
        pytest.param(
            [word(900, "duplicate"), word(100), word(500)], Status.IN_TIME, Why.WITHIN_LIMIT,
            100, None, id="the first applied counts",
        ),
        pytest.param(
            [word(100, "failed"), word(2_500)], Status.LATE, Why.OVER_LIMIT, 2_500, None,
            id="failed, and applied at the second attempt",
        ),
        pytest.param(
            [word(100, "superseded")], Status.IN_TIME, Why.WITHIN_LIMIT, 100, None,
            id="it had something newer",
        ),
        pytest.param(
            [word(100, "failed")], Status.FAILED, Why.REPORTED, 100, None, id="failed"
        ),
        pytest.param([], Status.UNKNOWN, Why.NO_WORD, None, None, id="no word"),
    ],
)  # fmt: skip
def test_what_a_node_claims(
    words: list[Word], status: Status, why: Why, lag: int | None, caveat: Caveat | None
) -> None:
    claimed = judge_claim(MESSAGE, words, LIMIT, NOW)
    assert (claimed.status, claimed.why, claimed.lag, claimed.caveat) == (status, why, lag, caveat)


def test_arrival_bounds_a_claim_from_above() -> None:
    claimed = judge_claim(MESSAGE, [word(100, host="r1", came=50)], LIMIT, NOW)
    assert (claimed.lag, claimed.at_most, claimed.delay) == (100, 150, Delay(100, 100))


def test_one_clock_is_exact_however_wrong_it_is() -> None:
    claimed = judge_claim(MESSAGE, [word(100, came=-50_000)], LIMIT, NOW)
    assert (claimed.lag, claimed.at_most, claimed.caveat) == (100, None, None)


def test_clocks_that_disagree_bound_and_do_not_poison() -> None:
    claimed = judge_claim(MESSAGE, [word(-300, host="r1", came=500)], LIMIT, NOW)
    assert claimed.delay == Delay(0, 200)
    unbounded = judge_claim(MESSAGE, [word(-300, host="r1", came=10)], LIMIT, NOW)
    assert unbounded.delay == Delay(0, None)


BEHIND = Observed(Status.MISSING, Why.STILL_BEHIND, Delay(3_000, None, True), behind_at=13_100)
SEEN = Observed(Status.IN_TIME, Why.WITHIN_LIMIT, Delay(0, 500), seen_by=10_500)


@pytest.mark.parametrize(
    ("facts", "status", "why"),
    [
        pytest.param({}, Status.UNKNOWN, Why.NO_WORD, id="silence proves nothing"),
        pytest.param({"now": 12_100}, Status.UNKNOWN, Why.NOT_YET, id="it is not time yet"),
        pytest.param({"is_passed": True}, Status.MISSING, Why.SEQUENCE_PASSED, id="a gap"),
        pytest.param({"observed": BEHIND}, Status.MISSING, Why.STILL_BEHIND, id="a probe"),
        pytest.param({"observed": SEEN}, Status.UNKNOWN, Why.SEEN, id="a probe saw it come"),
        pytest.param(
            {"observed": SEEN, "is_passed": True}, Status.UNKNOWN, Why.SEEN,
            id="a probe is worth more than a gap",
        ),
        pytest.param({"is_listed": False}, Status.GONE, Why.NOT_LISTED, id="not there any more"),
    ],
)  # fmt: skip
def test_what_silence_is(facts: dict[str, Any], status: Status, why: Why) -> None:
    given_ = {"now": NOW, **facts}
    claimed = judge_claim(MESSAGE, [], LIMIT, **given_)
    assert (claimed.status, claimed.why) == (status, why)


def test_a_missing_receipt_counts_as_its_age() -> None:
    claimed = judge_claim(MESSAGE, [], LIMIT, NOW, is_passed=True)
    assert claimed.delay == Delay(NOW - 10_100, None, is_censored=True)


ORIGIN = [sight(9_000, 4, 9_900, linearizable=True), sight(10_200, 5, 20_000, linearizable=True)]
COMMIT = Commit(after=9_900, before=10_210)


@pytest.mark.parametrize(
    ("origin", "commit"),
    [
        pytest.param(ORIGIN, COMMIT, id="between two reads of the leader"),
        pytest.param(ORIGIN[:1], Commit(9_900, None), id="not seen at the origin"),
        pytest.param(ORIGIN[1:], Commit(None, 10_210), id="only seen afterwards"),
        pytest.param(
            [ORIGIN[0]._replace(linearizable=False), ORIGIN[1]], Commit(None, 10_210),
            id="a replica that lags bounds nothing from below",
        ),
        pytest.param(
            [*ORIGIN, sight(30_000, 4, linearizable=True)], Commit(),
            id="a restore: the reads contradict one another",
        ),
        pytest.param([], Commit(), id="nothing"),
    ],
)  # fmt: skip
def test_when_a_version_committed(origin: list[Sight], commit: Commit) -> None:
    assert bound_commit(5, origin) == commit
    assert bound_commit(5, origin[::-1]) == commit


@pytest.mark.parametrize(
    ("sights", "status", "why", "delay"),
    [
        pytest.param(
            [sight(9_500, 4, 10_300), sight(10_400, 5, 20_000)],
            Status.IN_TIME, Why.WITHIN_LIMIT, Delay(90, 510), id="in time",
        ),
        pytest.param(
            [sight(9_500, 4, 13_000), sight(14_000, 5)],
            Status.LATE, Why.OVER_LIMIT, Delay(2_790, 4_110), id="late",
        ),
        pytest.param(
            [sight(9_500, 4), sight(14_000, 6)],
            Status.UNKNOWN, Why.AROUND_LIMIT, Delay(0, 4_110), id="not probed in between",
        ),
        pytest.param(
            [sight(9_500, 4, 13_000)],
            Status.MISSING, Why.STILL_BEHIND, Delay(2_790, None, True), id="still behind",
        ),
        pytest.param(
            [sight(9_500, 4, 11_000)], Status.UNKNOWN, Why.NOT_YET, None, id="not late yet"
        ),
        pytest.param([sight(9_500, 4)], Status.UNKNOWN, Why.NOT_PROBED, None, id="not probed"),
        pytest.param([], Status.UNKNOWN, Why.NOT_PROBED, None, id="never probed"),
        pytest.param(
            [sight(9_500, 4), sight(10_500, None)],
            Status.IN_TIME, Why.WITHIN_LIMIT, Delay(0, 610), id="the old copy is gone",
        ),
        pytest.param(
            [sight(9_000, None), sight(9_500, 4, 13_000)],
            Status.MISSING, Why.STILL_BEHIND, Delay(2_790, None, True),
            id="a miss before the write says nothing",
        ),
        pytest.param(
            [sight(10_400, 5), sight(10_600, 4, 20_000)],
            Status.IN_TIME, Why.WITHIN_LIMIT, Delay(0, 510), id="the first sight counts",
        ),
        pytest.param(
            [sight(9_500, 4), sight(10_500, None, result=Result.UNKNOWN)],
            Status.UNKNOWN, Why.NOT_PROBED, None, id="no answer says nothing",
        ),
    ],
)  # fmt: skip
def test_what_probes_saw(
    sights: list[Sight], status: Status, why: Why, delay: Delay | None
) -> None:
    observed = judge_sights(5, COMMIT, sights, LIMIT)
    assert (observed.status, observed.why, observed.delay) == (status, why, delay)


def test_without_the_origin_nothing_is_bad() -> None:
    behind = judge_sights(5, Commit(), [sight(9_500, 4, 50_000)], LIMIT)
    assert (behind.status, behind.why) == (Status.UNKNOWN, Why.NOT_BOUNDED)
    seen = judge_sights(5, Commit(), [sight(9_500, 4), sight(50_000, 5)], LIMIT)
    assert (seen.status, seen.why, seen.seen_by) == (Status.UNKNOWN, Why.NOT_BOUNDED, 50_010)
    assert seen.delay is None


def test_a_node_that_is_gone_and_a_version_without_order() -> None:
    assert judge_sights(5, COMMIT, [], LIMIT, is_listed=False).status is Status.GONE
    assert judge_sights(None, COMMIT, [sight(1, 1)], LIMIT).why is Why.NO_ORDER
    assert judge_sights(5, COMMIT, [sight(9_500, 4), sight(10_400, 5)], None).why is Why.NO_LIMIT


def test_several_keys_are_there_with_the_last_of_them() -> None:
    early, late = SEEN, Observed(Status.LATE, Why.OVER_LIMIT, Delay(2_500, 3_000), 12_500, 13_000)
    assert worst_of([early, late]) == late
    assert worst_of([early, BEHIND]).delay == Delay(3_000, None, True)
    assert worst_of([early, early._replace(delay=Delay(100, 200))]).delay == Delay(100, 500)


def test_a_timeline_of_one_node() -> None:
    """The message, a probe, its receipt, and a repeat of it: what is said at each instant."""

    def told(now: int) -> tuple[str, str]:
        words = [each for each in (word(3_000, came=500), word(4_000)) if each.arrived_at <= now]
        sights = [each for each in probes if each.last_end <= now]
        observed = judge_sights(5, COMMIT, sights, LIMIT)
        return judge_claim(MESSAGE, words, LIMIT, now, observed=observed).status, observed.status

    probes = [sight(9_900, 4), sight(11_000, 4), sight(12_500, 4), sight(13_200, 5)]
    assert told(10_200) == ("unknown", "unknown")
    assert told(12_000) == ("unknown", "unknown")
    assert told(12_600) == ("missing", "missing")
    assert told(13_300) == ("missing", "late")
    assert told(13_500) == ("late", "late")
    assert told(99_999) == ("late", "late")


outcomes = st.sampled_from(["applied", "duplicate", "superseded", "failed"])
many_words = st.lists(
    st.builds(
        Word, outcomes, st.integers(0, 40_000), st.integers(0, 40_000),
        st.sampled_from(["", "shop-1", "r1"]),
    ),
    max_size=6,
)  # fmt: skip
delays = st.builds(
    lambda lower, more: Delay(lower, None if more is None else lower + more),
    st.integers(0, 100),
    st.none() | st.integers(0, 100),
)


@given(words=many_words, dice=st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(words: list[Word], dice: random.Random) -> None:
    shuffled = words[:]
    dice.shuffle(shuffled)
    assert choose_word(shuffled) == choose_word(words)
    assert judge_claim(MESSAGE, shuffled, LIMIT, NOW) == judge_claim(MESSAGE, words, LIMIT, NOW)


@given(words=many_words)
def test_a_receipt_that_comes_twice_changes_nothing(words: list[Word]) -> None:
    once = judge_claim(MESSAGE, words, LIMIT, NOW)
    assert judge_claim(MESSAGE, words + words, LIMIT, NOW) == once


@given(words=many_words)
def test_a_negative_lag_is_never_without_its_caveat(words: list[Word]) -> None:
    claimed = judge_claim(MESSAGE, words, LIMIT, NOW)
    if claimed.lag is not None and claimed.lag < 0:
        assert claimed.caveat is Caveat.CLOCKS_DISAGREE
    if claimed.delay is not None:
        assert claimed.delay.lower >= 0


@given(now=st.integers(0, 10**9), limit=st.none() | st.integers(0, 10**9), listed=st.booleans())
def test_a_missing_span_alone_is_never_bad(now: int, limit: int | None, listed: bool) -> None:
    claimed = judge_claim(MESSAGE, [], limit, now, is_listed=listed)
    assert claimed.status in (Status.UNKNOWN, Status.GONE)
    assert claimed.delay is None


@given(
    commit=st.integers(0, 1_000),
    visible=st.integers(0, 1_000),
    reads=st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 50)), max_size=12),
    looks=st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 50)), max_size=12),
)
def test_delay_bounds_hold_the_truth(
    commit: int, visible: int, reads: list[tuple[int, int]], looks: list[tuple[int, int]]
) -> None:
    """A read that begins and ends on one side of an instant saw that side of it."""
    origin = [
        Sight(Result.VALUE, 5 if start >= commit else 4, *(start, start + took) * 2, True)
        for start, took in reads
        if not start < commit <= start + took
    ]
    arrives = commit + visible
    sights = [
        Sight(Result.VALUE, 5 if start >= arrives else 4, *(start, start + took) * 2)
        for start, took in looks
        if not start < arrives <= start + took
    ]
    observed = judge_sights(5, bound_commit(5, origin), sights, LIMIT)
    if observed.delay is not None:
        assert observed.delay.lower <= visible
        assert observed.delay.upper is None or visible <= observed.delay.upper


@given(
    each=st.lists(delays, min_size=1, max_size=20), q=st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0])
)
def test_a_quantile_holds_that_of_every_truth_within_the_bounds(
    each: list[Delay], q: float
) -> None:
    found = delay_quantile(each, q)
    assert found is not None
    low, high = (
        delay_quantile([Delay(d.lower, d.lower) for d in each], q),
        [
            Delay(10**6 if d.upper is None else d.upper, 10**6 if d.upper is None else d.upper)
            for d in each
        ],
    )
    worst = delay_quantile(high, q)
    assert low is not None
    assert worst is not None
    assert found.lower == low.lower
    assert (10**6 if found.upper is None else found.upper) == worst.lower


def test_what_is_missing_counts_as_its_age() -> None:
    in_time = [judge_claim(MESSAGE, [word(100)], LIMIT, NOW)] * 98
    missing = [judge_claim(MESSAGE, [], LIMIT, NOW, is_passed=True)] * 2
    unknown = [judge_claim(MESSAGE, [], LIMIT, NOW)] * 50
    counted = tally([*in_time, *missing, *unknown])
    assert counted.counts[Status.UNKNOWN] == 50
    assert len(counted.delays) == 100
    assert delay_quantile(counted.delays, 0.5) == Delay(100, 100)
    assert delay_quantile(counted.delays, 0.99) == Delay(NOW - 10_100, None, True)
    assert delay_quantile([], 0.5) is None
