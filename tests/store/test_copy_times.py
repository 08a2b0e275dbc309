"""Seconds of copies add up by minute and hour, name their keys, and make an objective."""

from dataclasses import replace
from fractions import Fraction

import pytest

from freshness.counts import Counts
from freshness.objective import Measure, Objective, Rolling
from freshness.stale_time import count_copy
from store.base import Batch, Store
from store.copy_times import CopyTimeKey, StaleKey
from store.objective_blame import KeyName
from store.objective_feed import Feed
from store.objective_spec import Spec
from store.objectives import Objectives
from store.past import History, PastError
from store.retention import Retention
from tests.store.conftest import OpenStore
from tests.store.rows import node

S = 10**9
MINUTE, HOUR, DAY = 60, 3_600, 86_400
START = 20_000 * DAY
NOW = START + 2 * HOUR + MINUTE
SPEC = Spec(
    "time",
    Objective(Measure.STALE_TIME, Fraction("0.99"), Rolling(DAY)),
    {"product": frozenset({"regional"})},
)


def copies(good_s: float, bad_s: float = 0.0, open_s: float = 0.0, alike: int = 1) -> Counts:
    one = count_copy(round(good_s * S), round(bad_s * S), round(open_s * S))
    return one.times(alike)._replace(clusters=0)


def add(store: Store, start_s: int, counts: Counts, name: str = "r1") -> None:
    key = CopyTimeKey(start_s, "product", "regional", name)
    store.write(Batch(copy_times={key: counts}))


def minutes(store: Store) -> dict[tuple[str, str, int], Counts]:
    return dict(store.copy_times("product", MINUTE, 0, 2**40))


def hours(store: Store) -> dict[tuple[str, str, int], Counts]:
    return dict(store.copy_times("product", HOUR, 0, 2**40))


def test_batches_add_up(store: Store) -> None:
    add(store, START, copies(20, alike=3))
    add(store, START, copies(10, 5))
    add(store, START + MINUTE, copies(60))
    (first, second) = minutes(store).values()
    assert (first.good, first.bad, first.clusters, first.bad_weight) == (3, 1, 1, 5.0)
    assert (first.judged_weight, first.weight_squares) == (75.0, 3 * 400.0 + 225.0)
    assert second.good_weight == 60.0
    [hour] = hours(store).values()
    assert hour == first.plus(second)
    assert hour.clusters == 2


def test_late_evidence_takes_back(store: Store) -> None:
    add(store, START, copies(0, 0, 30))
    add(store, START, copies(20, 10).minus(copies(0, 0, 30)))
    [cell] = minutes(store).values()
    assert cell == copies(20, 10)._replace(clusters=1)
    assert list(hours(store).values()) == [cell]


def test_a_minute_of_failed_reads_alone_is_not_a_measured_one(store: Store) -> None:
    add(store, START, Counts(unknown=4))
    [cell] = minutes(store).values()
    assert (cell.unknown, cell.judged, cell.clusters) == (4, 0, 0)


def test_cells_are_put_together_in_slices(store: Store) -> None:
    store.write(Batch(nodes=[node("r1")]))
    for at in range(10):
        add(store, START + at * MINUTE, copies(60))
    sliced = replace(SPEC, objective=replace(SPEC.objective, slice_s=5 * MINUTE))
    [cells] = Feed(store).read(sliced, "minute", START, START + HOUR).values()
    assert [(cell.good_weight, cell.clusters) for cell in cells.values()] == [(300.0, 1)] * 2
    [whole] = Feed(store).read(sliced, "hour", START, START + HOUR).values()
    assert [cell.clusters for cell in whole.values()] == [10]
    elsewhere = replace(SPEC, placement={"product": frozenset({"edge"})})
    assert Feed(store).read(elsewhere, "minute", START, START + HOUR) == {}


def test_an_objective_of_seconds_and_who_spent_its_budget(store: Store) -> None:
    store.write(Batch(nodes=[node("r1", since_at_ns=1), node("r2", since_at_ns=1)]))
    for at in range(START, NOW, MINUTE):
        add(store, at, copies(60, alike=9).plus(copies(54, 6)), "r1")
        add(store, at, copies(60, alike=10), "r2")
        copy = StaleKey(at, "product", "regional", "r1", "42")
        store.write(Batch(stale_keys={copy: 6.0}))
    objectives = Objectives(store)
    objectives.begin([SPEC], NOW * S)
    objectives.turn(NOW * S)
    standing = objectives.status("time", NOW * S)
    assert standing is not None
    assert standing.status is not None
    # 6 of 1,200 seconds are stale, where 12 may be.
    assert float(standing.status.remaining or 0) == pytest.approx(0.5)
    blame = objectives.attribution("time", NOW * S)
    assert blame is not None
    [(key, amount)] = blame.by_key.worst
    assert key == KeyName("product", "42")
    assert float(amount.share) == pytest.approx(1.0)
    assert blame.by_publisher is None
    [(place, _)] = blame.by_node.worst
    assert place.node == "r1"


def test_what_is_past_its_retention_goes(open_store: OpenStore) -> None:
    hour = HOUR * S
    kept = Retention(facts_s=HOUR, minutes_s=HOUR, hours_s=2 * HOUR, days_s=DAY, findings_s=HOUR)
    store = open_store(kept)
    for at in (0, 3 * HOUR):
        add(store, at, copies(60))
        copy = StaleKey(at, "product", "regional", "r1", "42")
        store.write(Batch(stale_keys={copy: 1.0}))
    store.retain(int(1.9 * hour))
    assert [at for *_, at in minutes(store)] == [0, 3 * HOUR]
    store.retain(2 * hour)
    assert [at for *_, at in minutes(store)] == [3 * HOUR]
    assert [at for *_, at in hours(store)] == [0, 3 * HOUR]
    store.retain(3 * hour)
    assert [at for *_, at in hours(store)] == [3 * HOUR]
    assert store.stale_seconds("product", MINUTE, 0, HOUR) == {}
    for grain_s in (MINUTE, HOUR):
        kept_s = store.stale_seconds("product", grain_s, 0, DAY)
        assert kept_s == {("regional", "r1", "42"): 1.0}


def test_as_it_stood(store: Store) -> None:
    add(store, START, copies(60))
    add(store, START + MINUTE, copies(60))
    history = History.read(store, START * S, (START + HOUR) * S, {"hour": (START + HOUR) * S})
    past = history.at((START + 90) * S)
    assert [at for *_, at in past.copy_times("product", MINUTE, 0, 2**40)] == [START]
    with pytest.raises(PastError, match="hours that old are no longer kept"):
        past.copy_times("product", HOUR, START, 2**40)
