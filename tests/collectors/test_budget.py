"""Token buckets on a fake clock."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.budget import LEAST_SHARE, NS, Budget, full

MS = 1_000_000


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = full(20, 20, 0)
    for _ in range(20):
        assert bucket.wait_ns(0, 1) == 0
        bucket = bucket.spend(0, 1)
    assert bucket.wait_ns(0, 1) == 50 * MS
    assert bucket.wait_ns(50 * MS, 1) == 0


def test_a_cost_above_the_burst_leaves_a_debt() -> None:
    bucket = full(100, 100, 0).spend(0, 300)
    assert bucket.wait_ns(0, 0) == 2 * NS
    assert bucket.wait_ns(2 * NS, 0) == 0
    assert bucket.wait_ns(2 * NS, 1000) == 1 * NS


@given(st.lists(st.tuples(st.integers(0, 10**10), st.floats(0.1, 50)), max_size=30))
def test_who_waits_as_told_never_exceeds_the_rate(steps: list[tuple[int, float]]) -> None:
    rate, burst = 10.0, 50.0
    bucket, now, spent = full(rate, burst, 0), 0, 0.0
    for idle_ns, cost in steps:
        now += idle_ns
        now += bucket.wait_ns(now, cost)
        assert bucket.wait_ns(now, cost) == 0
        bucket, spent = bucket.spend(now, cost), spent + cost
        assert spent <= burst + rate * now / NS + 1e-3


def test_a_clock_that_stands_still_or_steps_back_gives_nothing() -> None:
    bucket = full(10, 10, 100).spend(100, 10)
    assert bucket.wait_ns(100, 1) == bucket.wait_ns(50, 1) == NS // 10


def test_bytes_in_debt_hold_the_next_batch_back() -> None:
    budget = Budget(0, reads_per_s=20, bytes_per_s=1000)
    budget.spend(0)
    budget.note(0, MS, 3000)
    assert budget.wait_ns(0) == 2 * NS


def test_failures_and_slow_reads_halve_the_rate_and_good_reads_restore_it() -> None:
    budget = Budget(0, reads_per_s=1)
    for _ in range(5):
        budget.note(0, 10 * MS, 0)
    budget.note(0, 100 * MS, 0)
    assert budget.share == 0.5
    budget.spend(0)
    assert budget.wait_ns(0) == 2 * NS
    for _ in range(20):
        budget.note(0, 10 * MS, 0, failed=True)
    assert budget.share == LEAST_SHARE
    for _ in range(20):
        budget.note(0, 10 * MS, 0)
    assert budget.share == 1.0


def test_a_slower_server_is_the_usual_one_after_a_while() -> None:
    budget = Budget(0)
    budget.note(0, 10 * MS, 0)
    for _ in range(60):
        budget.note(0, 200 * MS, 0)
    assert budget.share == 1.0
