"""Copies of one layer that disagree for longer than allowed, from reads in a store."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.look import Condition, Look
from alerts.rules import Drift
from freshness.model import Value
from store.base import Batch, Clock, NodeRow, RunRow, Store
from store.drift import DriftView
from store.sqlite import SqliteStore
from tests.store.rows import S, finding, node, origin_run, run

BEGAN = 1_800_000_000 * S
NOW = BEGAN + 300 * S
CLOCK = Clock(id="m1", wall_offset_ns=BEGAN, opened_at_ns=BEGAN)
RULE = Drift(name="apart", layer="regional")
NODES = (node("r1"), node("r2"))


def seen(id: int, at: str, version: int, *seconds: int, **changes: Any) -> RunRow:
    """Reads of a version from the first of these seconds to the last, each of 10 ms."""
    first, last = seconds[0] * S, seconds[-1] * S
    stamps = (first, first + S // 100, last, last + S // 100)
    names = ("first_start_ns", "first_end_ns", "last_start_ns", "last_end_ns")
    made = origin_run if at == "db" else run
    spans: dict[str, Any] = dict(zip(names, stamps, strict=True))
    return made(id, node=at, value=Value(version=version), count=len(seconds), **spans, **changes)


ORIGIN = [seen(1, "db", 3, 0, 9), seen(2, "db", 4, 10, 299)]


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    yield opened
    opened.close()


def look(store: Store, *runs: RunRow, nodes: tuple[NodeRow, ...] = NODES, **changes: Any) -> Look:
    # The key has a reason to be looked at: a finding that is open.
    known = finding("f1", opened_at_ns=BEGAN + 15 * S)
    store.write(Batch(clocks=[CLOCK], nodes=nodes, runs=[*ORIGIN, *runs], findings=[known]))
    (found,) = replace(RULE, **changes).look(store, NOW)
    return found


OLD, NEW = seen(3, "r1", 3, 1, 290), seen(4, "r2", 4, 12, 291)


def test_a_copy_that_outlives_a_newer_one_beside_it(store: Store) -> None:
    found = look(store, OLD, NEW)
    assert (found.condition, found.labels) == (Condition.HOLDS, {"layer": "regional"})
    assert found.value is not None
    assert found.value > 200
    assert found.evidence[0].startswith("product/42: r1 holds version 3, r2 version 4; for at")
    assert found.link.startswith("key/product/42?")


def test_it_may_be_allowed_for_longer(store: Store) -> None:
    assert look(store, OLD, NEW, limit_ns=3_600 * S).condition is not Condition.HOLDS


def test_one_that_is_over_does_not_hold(store: Store) -> None:
    healed = seen(5, "r1", 4, 293, 299)
    assert look(store, OLD, NEW, healed).condition is Condition.CLEAR


def test_copies_that_agree(store: Store) -> None:
    found = look(store, seen(3, "r1", 4, 12, 290), NEW)
    assert (found.condition, found.evidence) == (Condition.CLEAR, [])


def test_values_without_an_order_prove_nothing(store: Store) -> None:
    pair = [
        replace(each, value=Value(projection=str(each.id)), last_start_ns=290 * S)
        for each in (OLD, NEW)
    ]
    assert look(store, *pair).condition is Condition.UNKNOWN


def test_another_layer_is_another_rule(store: Store) -> None:
    assert look(store, OLD, NEW, layer="edge").condition is Condition.UNKNOWN


def test_a_single_node_that_answers_agrees_with_nobody(store: Store) -> None:
    away = (NODES[0], node("r2", state="unknown"))
    assert look(store, nodes=away).condition is Condition.UNKNOWN
    assert not look(store, nodes=away).is_inhibited


def test_of_keys_that_were_not_looked_at_nothing_is_said() -> None:
    view = DriftView(0, NOW, keys=200, nodes=2, is_all=False)
    assert RULE.judge(NODES, view, NOW).condition is Condition.UNKNOWN
    assert RULE.judge(NODES, replace(view, is_all=True), NOW).condition is Condition.CLEAR


def test_it_says_when_it_fires() -> None:
    assert RULE.in_words() == (
        "Fires when nodes of layer regional are proven to hold different versions of a key for"
        " longer than the layer's maximum, as of its last reads."
    )
