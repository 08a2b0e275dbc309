"""Copies that disagree, read from stores of every engine."""

from typing import Any

from freshness.drift import Proof, Standing
from freshness.model import Result, Value
from store.base import Batch, Clock, RunRow, Store
from store.drift import Drift, read_drift
from tests.store.rows import S, finding, node, origin_run, read, run

OTHER = Clock(id="m2", wall_offset_ns=1_000, opened_at_ns=1_000)
UNTIL = 1_000 * S


def seen(id: int, version: int | None, first: int, last: int, **changes: Any) -> RunRow:
    """A run from one second to another; each of its reads takes a tenth of a second."""
    stamps = {
        "first_start_ns": first * S,
        "first_end_ns": first * S + S // 10,
        "last_start_ns": last * S,
        "last_end_ns": last * S + S // 10,
    }
    held = {"value": Value(version)} if version else {"value": None, "result": Result.MISS}
    return run(id, **{**stamps, **held, **changes})


def at_origin(id: int, version: int, first: int, last: int) -> RunRow:
    row = seen(id, version, first, last)
    return origin_run(id, **{name: getattr(row, name) for name in _OF_ORIGIN})


_OF_ORIGIN = ("value", "first_start_ns", "first_end_ns", "last_start_ns", "last_end_ns")
ORIGIN = [at_origin(1, 3, 10, 19), at_origin(2, 4, 20, 90)]
NEW = seen(4, 4, 21, 90, node="r2")


def told(store: Store, *runs: RunRow, **changes: Any) -> list[Drift]:
    """The drifts of runs that a finding draws attention to."""
    nodes = [node("r1", **changes), node("r2"), node("e1", layer="edge")]
    store.write(
        Batch(runs=[*ORIGIN, *runs], nodes=nodes, findings=[finding("f", opened_at_ns=25 * S)])
    )
    return read_drift(store, 0, UNTIL).drifts


def test_nodes_of_a_layer_disagree_for_longer_than_promised(store: Store) -> None:
    (found,) = told(store, seen(3, 3, 11, 60), NEW)
    assert (found.older.node, found.newer.node) == ("r1", "r2")
    assert (found.scope.kind, found.scope.layers) == ("layer", ("regional",))
    assert (found.standing, found.found.proof) == (Standing.BEYOND, Proof.PROVEN)
    assert found.found.behind == 60 * S - 20 * S - S // 10
    assert found.finding is not None


def test_layers_of_one_region_are_compared_and_others_are_not(store: Store) -> None:
    edge = seen(4, 4, 21, 90, layer="edge", node="e1")
    (found,) = told(store, seen(3, 3, 11, 60), edge)
    assert (found.scope.kind, found.scope.region) == ("region", "eu")
    store.write(Batch(nodes=[node("e1", layer="edge", region="us")]))
    assert read_drift(store, 0, UNTIL).drifts == []


def test_stamps_of_two_clocks_are_not_compared(store: Store) -> None:
    store.write(Batch(clocks=[OTHER]))
    assert told(store, seen(3, 3, 11, 60, clock="m2"), NEW) == []


def test_of_a_pool_no_duration_is_said(store: Store) -> None:
    (found,) = told(store, seen(3, 3, 11, 60), NEW, is_pool=True)
    assert (found.standing, found.found.lower) == (Standing.AROUND, 0)
    assert store.nodes()[1].is_pool


def test_reads_that_were_not_fresh_settle_what_the_last_read_does_not(store: Store) -> None:
    late = seen(3, 3, 11, 95)
    (found,) = told(store, late, NEW)
    assert found.found.proof is Proof.UNSETTLED
    times = {"start_ns": 50 * S, "end_ns": 51 * S, "value": Value(3)}
    store.write(Batch(reads=[read(1, **times)]))
    (found,) = read_drift(store, 0, UNTIL).drifts
    assert (found.found.proof, found.found.behind) == (Proof.PROVEN, 50 * S - 20 * S - S // 10)


def test_a_node_that_went_back_is_told_with_its_region(store: Store) -> None:
    told(store, seen(3, 4, 22, 30), seen(5, 3, 40, 41), seen(6, 4, 42, 90))
    (found,) = read_drift(store, 0, UNTIL).regressions
    assert (found.node, found.region, found.found.proof) == ("r1", "eu", Proof.PROVEN)
    assert (found.found.before, found.found.then) == (Value(4), Value(3))
    store.write(Batch(nodes=[node("r1", identity="")]))
    assert read_drift(store, 0, UNTIL).regressions == []


def test_the_matrix_has_the_newest_copy_of_each_node(store: Store) -> None:
    told(store, seen(3, 3, 11, 60), NEW, seen(5, None, 11, 60, layer="edge", node="e1"))
    (row,) = read_drift(store, 0, UNTIL).rows
    assert row.latest == Value(4)
    assert [(each.node, each.value, each.versions_behind) for each in row.nodes] == [
        ("e1", None, None),
        ("r1", Value(3), 1),
        ("r2", Value(4), 0),
    ]


def test_what_nothing_spoke_of_is_not_looked_at(store: Store) -> None:
    store.write(Batch(runs=[*ORIGIN, seen(3, 3, 11, 60), NEW], nodes=[node("r1"), node("r2")]))
    found = read_drift(store, 0, UNTIL)
    assert (found.keys, found.is_all, found.drifts) == (0, True, [])


def test_filters_leave_what_concerns_them(store: Store) -> None:
    told(store, seen(3, 3, 11, 60), NEW)
    assert len(read_drift(store, 0, UNTIL, layer="regional", node="r2").drifts) == 1
    assert read_drift(store, 0, UNTIL, layer="edge").drifts == []
    assert read_drift(store, 0, UNTIL, keyspace="other").keys == 0
