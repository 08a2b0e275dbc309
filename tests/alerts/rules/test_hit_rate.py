"""The hit rate of nodes and layers, below a share or lower than before, with its bounds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.look import Condition
from alerts.rules import HitRate
from alerts.rules.hit_rate import Counted
from freshness.counters import HitRate as Rate
from store.base import Batch, Store
from store.counters import CounterRow
from store.sqlite import SqliteStore
from tests.store.rows import S, node

NOW = 1_800_000_000 * S
MIN = 60 * S
BELOW = HitRate(name="low", layer="regional", below=0.8)
DROP = HitRate(name="fell", layer="regional", drop=0.2)


def rate(
    share: float, lower: float | None = None, upper: float | None = None, n: int = 1000
) -> Rate:
    return Rate(share, share if lower is None else lower, share if upper is None else upper, n)


def counted(found: Rate | None, whole: int = 1, nodes: int = 1) -> Counted:
    return Counted(nodes, whole, found)


NOTHING = counted(None)


@pytest.mark.parametrize(
    ("now", "wants"),
    [
        pytest.param(counted(rate(0.9)), Condition.CLEAR, id="above"),
        pytest.param(counted(rate(0.8)), Condition.CLEAR, id="just at it"),
        pytest.param(counted(rate(0.7)), Condition.HOLDS, id="below"),
        pytest.param(counted(rate(0.7, 0.6, 0.79)), Condition.HOLDS, id="its upper bound below"),
        pytest.param(counted(rate(0.7, 0.6, 0.81)), Condition.UNKNOWN, id="limit between bounds"),
        pytest.param(counted(rate(0.85, 0.7, 0.9)), Condition.UNKNOWN, id="lower bound below"),
        pytest.param(counted(rate(0.1, n=99)), Condition.UNKNOWN, id="too few lookups"),
        pytest.param(NOTHING, Condition.UNKNOWN, id="no lookups by others"),
        pytest.param(counted(rate(0.1), 1, 2), Condition.UNKNOWN, id="one of two did not count"),
    ],
)
def test_below_a_share(now: Counted, wants: Condition) -> None:
    assert BELOW.judge([node("r1")], now, NOTHING, NOW).condition is wants


@pytest.mark.parametrize(
    ("now", "before", "wants"),
    [
        pytest.param(rate(0.7), rate(0.8), Condition.CLEAR, id="fell by less"),
        pytest.param(rate(0.5), rate(0.8), Condition.HOLDS, id="fell by more"),
        pytest.param(rate(0.9), rate(0.5), Condition.CLEAR, id="rose"),
        pytest.param(
            rate(0.5, 0.5, 0.6), rate(0.8, 0.79, 0.8), Condition.UNKNOWN, id="bounds too wide"
        ),
        pytest.param(rate(0.5, 0.5, 0.55), rate(0.8, 0.78, 0.8), Condition.HOLDS, id="for certain"),
        pytest.param(rate(0.5), rate(0.9, n=5), Condition.UNKNOWN, id="too few lookups before"),
        pytest.param(rate(0.5), None, Condition.UNKNOWN, id="nothing counted before"),
        pytest.param(None, rate(0.9), Condition.UNKNOWN, id="nothing counted now"),
    ],
)
def test_a_drop(now: Rate | None, before: Rate | None, wants: Condition) -> None:
    look = DROP.judge([node("r1")], counted(now), counted(before), NOW)
    assert look.condition is wants


def test_either_is_enough_and_what_is_proven_comes_first() -> None:
    both = replace(DROP, below=0.8)
    look = both.judge([node("r1")], counted(rate(0.5)), NOTHING, NOW)
    assert (look.condition, look.value) == (Condition.HOLDS, 0.5)
    assert look.summary == "regional/r1: the hit rate is 50%, below 80%"
    assert both.judge([node("r1")], counted(rate(0.9)), NOTHING, NOW).condition is Condition.UNKNOWN


def test_a_node_that_is_down_inhibits_its_alert() -> None:
    down = node("r1", state="unknown")
    assert BELOW.judge([down], NOTHING, NOTHING, NOW).is_inhibited
    assert not BELOW.judge([down, node("r2")], NOTHING, NOTHING, NOW).is_inhibited


def test_it_says_when_it_fires() -> None:
    assert replace(DROP, below=0.8, node="r1").in_words() == (
        "Fires when the hit rate of node r1 of layer regional over 10 min, our own reads left out,"
        " is below 80% or fell by more than 20% against the 10 min before, for certain; of 100"
        " lookups at least."
    )


def counter(minute: int, hits: int, misses: int, node: str = "r1", **changes: Any) -> CounterRow:
    start_s = (NOW // S) - 60 * minute
    row = CounterRow(start_s, "regional", node, "node", 60 * S, 4, hits=hits, misses=misses)
    return replace(row, **changes)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    opened.write(Batch(nodes=[node("r1"), node("r2")]))
    yield opened
    opened.close()


def test_counters_of_a_store_without_our_own_reads(store: Store) -> None:
    own: dict[str, Any] = {"own_hits": (0, 0, 0), "own_misses": (40, 40, 40)}
    store.write_counters([counter(n, 90, 50, **own) for n in range(1, 11)])
    r1, r2 = BELOW.look(store, NOW)
    assert (r1.condition, r1.value) == (Condition.CLEAR, 0.9)
    assert (r2.condition, r2.labels["node"]) == (Condition.UNKNOWN, "r2")


def test_a_window_and_the_one_before_it(store: Store) -> None:
    rows = [counter(n, 50, 50) for n in range(1, 11)]
    rows += [counter(n, 90, 10) for n in range(11, 21)]
    store.write_counters(rows)
    look = DROP.look(store, NOW)[0]
    assert (look.condition, look.figures["hit rate before"]) == (Condition.HOLDS, "90%")


def test_a_layer_is_its_nodes_together_and_unknown_where_one_is(store: Store) -> None:
    rule = replace(BELOW, by="layer")
    store.write_counters([counter(n, 100, 0) for n in range(1, 11)])
    (look,) = rule.look(store, NOW)
    assert (look.labels, look.condition) == ({"layer": "regional"}, Condition.UNKNOWN)
    store.write_counters([counter(n, 20, 80, "r2") for n in range(1, 11)])
    (look,) = rule.look(store, NOW)
    assert (look.condition, look.value) == (Condition.HOLDS, 0.6)


def test_counts_that_speak_for_half_of_the_window_say_nothing(store: Store) -> None:
    store.write_counters([counter(n, 10, 90) for n in range(1, 6)])
    assert BELOW.look(store, NOW)[0].condition is Condition.UNKNOWN
