"""Batches of keys: the calm ones share a verdict, and agree with judging one by one."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from freshness.epochs import Epochs
from freshness.ledger import Ledger
from freshness.model import ABSENT, MISS, Order, Reading, Reason, Result, Value, Verdict

KEYS = ["a", "b", "c", "d"]
UNREADABLE = Reading(Result.UNREADABLE, why="no version")
DOWN = Reading(Result.UNKNOWN, why="refused")


def reading(version: int) -> Reading:
    return Reading(Result.VALUE, Value(version))


def readings(*versions: int) -> Sequence[Reading]:
    return [reading(version) for version in versions]


def test_copies_that_equal_the_leaders_word_share_one_verdict() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    look = ledger.observe_origin(KEYS, readings(1, 2, 3, 4), 100, 105)
    judged = ledger.judge_batch(look, readings(1, 2, 3, 4), 110, 113, max_staleness=20)
    assert judged.calm == 4
    assert judged.shared is not None
    assert judged.shared.verdict is Verdict.FRESH
    assert judged.shared.bounds == (0, 13, 0, None)


def test_only_what_differs_is_judged_apart_and_what_brings_no_copy_not_at_all() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    look = ledger.observe_origin(KEYS, readings(1, 2, 3, 4), 100, 105)
    judged = ledger.judge_batch(
        look, [reading(1), reading(1), MISS, UNREADABLE], 110, 113, max_staleness=0
    )
    assert (judged.calm, sorted(judged.without)) == (1, [2, 3])
    [(at, judgement)] = judged.apart.items()
    assert (at, judgement.verdict, judgement.bounds.lower) == (1, Verdict.STALE, 5)


def test_without_the_origins_word_a_copy_is_stale_if_proven_else_unknown() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    ledger.observe_origin(KEYS, readings(1, 2, 3, 4), 100, 105)
    look = ledger.observe_origin(KEYS, [DOWN] * 4, 200, 205)
    judged = ledger.judge_batch(look, readings(1, 1, 3, 4), 210, 211, max_staleness=50)
    assert judged.calm == 0
    assert [(at, j.verdict) for at, j in judged.apart.items()] == [(1, Verdict.STALE)]
    assert sorted(judged.without) == [0, 2, 3]


def test_what_our_own_read_filled_is_no_copy() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    look = ledger.observe_origin(["a"], readings(1), 100, 105)
    judged = ledger.judge_batch(look, [reading(1)._replace(filled=True)], 110, 111, 20)
    assert (judged.calm, sorted(judged.without)) == (0, [0])


def test_cached_not_founds_are_counted_as_such() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    gone = Reading(Result.VALUE, ABSENT)
    look = ledger.observe_origin(["a", "b"], [gone, reading(1)], 100, 105)
    judged = ledger.judge_batch(look, [gone, reading(1)], 110, 111, 20)
    assert (judged.calm, judged.negatives) == (2, 1)


def test_a_replicas_word_certifies_nothing() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    look = ledger.observe_origin(["a"], readings(1), 100, 105, linearizable=False)
    judged = ledger.judge_batch(look, readings(1), 110, 111, 20)
    assert [j.verdict for _, j in judged.apart.items()] == [Verdict.INDETERMINATE]


def test_a_failover_ends_the_runs_and_keeps_the_evidence() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    ledger.observe_origin(["a"], readings(2), 100, 105, linearizable=False)
    look = ledger.observe_origin(["a"], readings(2), 110, 115, linearizable=True)
    judged = ledger.judge_batch(look, readings(1), 120, 121, 0)
    assert [(j.verdict, j.bounds.lower) for _, j in judged.apart.items()] == [(Verdict.STALE, 15)]


def test_an_earlier_process_proves_supersession_only_from_when_it_was_read() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    ledger.recall("a", Value(5), 50)
    look = ledger.observe_origin(["a"], [DOWN], 100, 105)
    judged = ledger.judge_batch(look, readings(4), 110, 111, 0)
    [(_, judgement)] = judged.apart.items()
    assert (judgement.verdict, judgement.bounds) == (Verdict.STALE, (60, None, 1, None))


def test_a_version_that_went_back_since_an_earlier_process_is_no_proof() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    ledger.recall("a", Value(5), 50)
    look = ledger.observe_origin(["a"], readings(3), 100, 105)
    judged = ledger.judge_batch(look, readings(2), 110, 111, 0)
    assert [j.reason for _, j in judged.apart.items()] == [Reason.CONTRADICTION]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 2)), min_size=1, max_size=30
    )
)
def test_batches_agree_with_judging_one_by_one(steps: list[tuple[int, bool, int]]) -> None:
    """A key is changed or not, and a copy lags by 0 to 2 versions; both paths must agree."""
    ledger = Ledger(Order.COUNTER, max_gap=10_000)
    versions = dict.fromkeys(KEYS, 3)
    for round_number, (which, is_changed, lag) in enumerate(steps):
        versions[KEYS[which]] += is_changed
        at = 100 * round_number
        look = ledger.observe_origin(KEYS, readings(*versions.values()), at, at + 5)
        copies = [reading(versions[key] - (lag if i == which else 0)) for i, key in enumerate(KEYS)]
        judged = ledger.judge_batch(look, copies, at + 10, at + 12, max_staleness=20)
        apart = dict(judged.apart)
        for i, key in enumerate(KEYS):
            value = copies[i].value
            assert value is not None
            alone = ledger.judge(key, value, at + 10, at + 12, 20)
            assert (apart.get(i) or judged.shared) == alone


def test_a_copy_that_the_origin_could_not_be_asked_about_has_no_judgement() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    look = ledger.observe_origin(["a", "b"], [UNREADABLE, reading(1)], 100, 105)
    judged = ledger.judge_batch(look, readings(7, 1), 110, 111, 20)
    assert judged.at(0) is None
    assert judged.at(1) is judged.shared is not None


def test_a_look_that_is_not_the_newest_certifies_only_what_the_newest_bears_out() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    old = ledger.observe_origin(["a"], readings(1), 100, 105)
    ledger.observe_origin(["a"], readings(2), 110, 115)
    judged = ledger.judge_batch(old, readings(1), 150, 151, 20)
    assert judged.calm == 0
    assert judged.apart[0].verdict is Verdict.STALE


def test_a_version_alone_agrees_with_a_version_and_its_projection() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    full = Reading(Result.VALUE, Value(1, "aa"))
    look = ledger.observe_origin(["a", "b"], [full, full], 100, 105)
    torn = Reading(Result.VALUE, Value(1, "bb"))
    judged = ledger.judge_batch(look, [reading(1), torn], 110, 111, 20)
    assert judged.calm == 1
    assert judged.apart[1].reason is Reason.TORN


def test_looks_that_arrive_out_of_order_still_part_the_lives_of_a_key() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    gone = Reading(Result.VALUE, ABSENT)
    ledger.observe_origin(["a"], readings(3), 0, 1)
    ledger.observe_origin(["a"], readings(3), 2, 20)
    ledger.observe_origin(["a"], [gone], 10, 19)
    look = ledger.observe_origin(["a"], readings(3), 30, 31)
    judged = ledger.judge_batch(look, readings(3), 40, 41, 20)
    assert judged.calm == 0
    assert judged.apart[0].reason is Reason.EPOCH


def test_an_outage_of_the_origin_changes_nothing() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    ledger.observe_origin(["a"], readings(3), 0, 1)
    assert ledger.observe_origin(["a"], [DOWN], 10, 11).changed == []
    back = ledger.observe_origin(["a"], readings(3), 20, 21)
    assert back.changed == []
    assert ledger.judge_batch(back, readings(3), 30, 31, 20).calm == 1
    assert ledger.observe_origin(["a"], readings(4), 40, 41).changed == ["a"]


def test_the_evidence_of_a_hot_key_reaches_as_far_back_as_its_proof() -> None:
    ledger = Ledger(Order.COUNTER, max_gap=1000)
    for version in range(1, 30):
        look = ledger.observe_origin(["a"], readings(version), 10 * version, 10 * version + 1)
    judged = ledger.judge_batch(look, readings(5), 300, 301, 200)
    assert judged.apart[0].bounds.lower == 300 - 61
    replayed = Epochs(Order.COUNTER, ledger.evidence("a")).judge(Value(5), 300, 301, 200)
    assert replayed == judged.apart[0]
