"""Stored roll-ups equal the pure functions, whatever comes late, and however often it is folded."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freshness.model import Result, Verdict
from freshness.rollup import Grain, Reads, Rollup, RollupKey, fold, merge
from store.base import Batch, Store
from store.retention import Retention
from tests.store.conftest import OpenStore
from tests.store.rows import S

DAY_S = 86_400
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Weights are halves, so that sums are exact in whichever order they are taken.
reads = st.builds(
    Reads,
    verdict=st.sampled_from(Verdict),
    s_lo_ns=st.integers(0, 2**62),
    s_hi_ns=st.none() | st.integers(0, 2**62),
    result=st.sampled_from(Result),
    weight=st.sampled_from([0.5, 1.0, 4.0]),
    n=st.integers(-3, 20).filter(bool),
    mean_square=st.none(),
)
keys = st.builds(
    RollupKey,
    start_s=st.integers(0, 5_000).map(lambda minute: minute * 60),
    keyspace=st.sampled_from(["product", "basket"]),
    layer=st.sampled_from(["edge", "regional"]),
    node=st.sampled_from(["n1", "n2"]),
    stratum=st.sampled_from(["random", "pinned"]),
    max_staleness_ns=st.sampled_from([0, 2**62]),
    definition=st.sampled_from(["d1", "d2"]),
)


def cell_of(*counted: Reads) -> Rollup:
    cell = Rollup()
    for each in counted:
        cell.add(each)
    return cell


cells = st.lists(reads, min_size=1, max_size=4).map(lambda counted: cell_of(*counted))
batches = st.lists(st.dictionaries(keys, cells, min_size=1, max_size=4), min_size=1, max_size=6)


def stored(store: Store, grain: str) -> dict[RollupKey, Rollup]:
    return dict(store.rollups(grain, -(10**18), 10**18))  # type: ignore[arg-type]


def key_at(start_s: int, node: str = "r1") -> RollupKey:
    return RollupKey(start_s, "product", "regional", node, "random", 2 * S, "d1")


@given(written=batches, folds=st.lists(st.booleans(), min_size=6, max_size=6))
@MANY
def test_stored_equals_pure(
    open_store: OpenStore, written: Sequence[dict[RollupKey, Rollup]], folds: Sequence[bool]
) -> None:
    store = open_store()
    start = stored(store, "minute")  # examples share a file: what earlier ones left counts too
    expected = dict(start)
    for deltas, folded in zip(written, folds, strict=False):
        store.write(Batch(rollups=deltas))
        expected = merge(expected, deltas)
        if folded:
            store.fold(0)
    store.fold(0)
    store.fold(0)
    assert stored(store, "minute") == expected
    assert stored(store, "hour") == fold(expected, Grain.HOUR)
    assert stored(store, "day") == fold(expected, Grain.DAY)


def test_an_hour_waits_for_its_fold(store: Store) -> None:
    store.write(Batch(rollups={key_at(60): cell_of(Reads(Verdict.FRESH))}))
    assert stored(store, "hour") == {}
    store.fold(0)
    assert list(stored(store, "hour")) == [key_at(0)]


def test_a_re_judged_read_moves_in_folded_hours_too(store: Store) -> None:
    open_read, stale_read = Reads(Verdict.INDETERMINATE), Reads(Verdict.STALE, 5, 7)
    store.write(Batch(rollups={key_at(60): cell_of(open_read)}))
    store.fold(0)
    late = Rollup()
    late.revise(open_read, stale_read)
    store.write(Batch(rollups={key_at(60): late}))
    store.fold(0)
    folded = fold({key_at(60): cell_of(stale_read)}, Grain.DAY)
    assert stored(store, "day") == folded
    assert stored(store, "hour") == folded


@pytest.mark.parametrize(
    ("since_ns", "until_ns", "starts"),
    [
        pytest.param(60 * S, 120 * S, [60], id="half open"),
        pytest.param(60 * S + 1, 180 * S, [120], id="a bucket that began before"),
        pytest.param(0, 120 * S + 1, [60, 120], id="a bucket that begins within"),
    ],
)
def test_buckets_are_asked_by_their_start(
    store: Store, since_ns: int, until_ns: int, starts: list[int]
) -> None:
    cell = cell_of(Reads(Verdict.FRESH))
    store.write(Batch(rollups={key_at(start): cell for start in (180, 120, 60)}))
    found = store.rollups("minute", since_ns, until_ns)
    assert [key.start_s for key, _ in found] == starts


def test_buckets_are_filtered(store: Store) -> None:
    cell = cell_of(Reads(Verdict.FRESH))
    wanted = key_at(60, "r2")
    others = [key_at(60), wanted._replace(layer="edge"), wanted._replace(keyspace="basket")]
    store.write(Batch(rollups=dict.fromkeys((wanted, *others), cell)))
    assert store.rollups("minute", 0, DAY_S * S, "product", "regional", "r2") == [(wanted, cell)]


def test_a_delta_to_a_dropped_minute_still_corrects_hours_and_days(open_store: OpenStore) -> None:
    store = open_store(Retention(minutes_s=3_600, hours_s=DAY_S))
    open_read, stale_read = Reads(Verdict.INDETERMINATE), Reads(Verdict.STALE, 5, 7)
    store.write(Batch(rollups={key_at(60): cell_of(open_read)}))
    assert store.retain(7_200 * S) == 1
    assert stored(store, "minute") == {}
    late = Rollup()
    late.revise(open_read, stale_read)
    store.write(Batch(rollups={key_at(60): late}))
    assert stored(store, "minute") == {}
    assert stored(store, "hour") == fold({key_at(60): cell_of(stale_read)}, Grain.HOUR)

    store.retain(3 * DAY_S * S)
    store.write(Batch(rollups={key_at(60): cell_of(Reads(Verdict.FRESH))}))
    assert stored(store, "hour") == {}
    assert [(cell.fresh.n, cell.stale.n) for cell in stored(store, "day").values()] == [(1, 1)]


def test_sql_sums_equal_the_pure_ones(store: Store) -> None:
    """The counts and the histograms of a cell add up in SQL, for whoever queries the file."""
    rows = [cell_of(Reads(Verdict.STALE, n, n * n), Reads(Verdict.FRESH, 0, n)) for n in range(9)]
    store.write(Batch(rollups={key_at(60 * n): cell for n, cell in enumerate(rows)}))
    store.fold(0)
    [(_, hour)] = store.rollups("hour", 0, DAY_S * S)
    total = Rollup()
    for cell in rows:
        total += cell
    assert (hour.stale, hour.fresh, hour.s_lo, hour.s_hi) == (
        total.stale,
        total.fresh,
        total.s_lo,
        total.s_hi,
    )
    assert hour.clusters == 9
