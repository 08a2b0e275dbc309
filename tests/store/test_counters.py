"""What every engine keeps of counters."""

from dataclasses import replace
from typing import Any

import pytest

from freshness.counters import HitRate
from store.base import Store, StoreError
from store.counters import CounterRow
from store.node_counters import mean_request_s, others_hits, per_second, rate_of, read_counts
from store.retention import Retention
from tests.store.conftest import OpenStore
from tests.store.rows import S

HOUR = 3_600


def row(minute: int = 0, **changes: Any) -> CounterRow:
    """A quarter of a minute of regional/r1: 9 of 10 lookups hit, 4 of the hits were ours."""
    made: dict[str, Any] = {
        "start_s": 60 * minute,
        "layer": "regional",
        "node": "r1",
        "source": "node",
        "covered_ns": 15 * S,
        "answered": 1,
        "hits": 9,
        "misses": 1,
        "own_hits": (3, 4, 5),
        "evictions": 2,
        "memory_bytes": 100,
        "last_at_ns": 60 * minute * S + 15 * S,
    }
    return CounterRow(**{**made, **changes})


def minutes(store: Store, **asked: Any) -> list[CounterRow]:
    return list(store.counters("minute", 0, 10**6 * S, **asked))


def test_looks_of_a_minute_add_up(store: Store) -> None:
    later = row(hits=11, misses=None, evictions=None, memory_bytes=90, items=7, last_at_ns=30 * S)
    store.write_counters([row()])
    store.write_counters([later, row(last_at_ns=20 * S, memory_bytes=5, own_misses=(0, 1, 1))])
    expected = row(
        covered_ns=45 * S, answered=3, hits=29, misses=2, evictions=4,
        own_hits=(9, 12, 15), own_misses=(0, 1, 1), memory_bytes=90, items=7, last_at_ns=30 * S,
    )  # fmt: skip
    assert minutes(store) == [expected]


def test_what_was_never_told_stays_unknown_and_is_not_nothing(store: Store) -> None:
    store.write_counters([row(hits=None, misses=None), row(hits=None, misses=None)])
    [found] = minutes(store)
    assert (found.hits, found.misses, found.requests) == (None, None, None)
    assert rate_of(found) is None


def test_the_last_look_says_why_it_brought_nothing(store: Store) -> None:
    failed = CounterRow(
        0, "regional", "r1", "node", unanswered=1, last_at_ns=40 * S, why="timed out"
    )
    store.write_counters([row(), failed])
    [found] = minutes(store)
    assert (found.answered, found.unanswered, found.why, found.memory_bytes) == (
        1,
        1,
        "timed out",
        100,
    )
    store.write_counters([row(last_at_ns=50 * S)])
    assert minutes(store)[0].why == ""


def test_hours_hold_what_their_minutes_do(store: Store) -> None:
    store.write_counters([row(minute) for minute in (0, 1, 59, 60)])
    hours = list(store.counters("hour", 0, 10 * HOUR * S))
    assert [(each.start_s, each.hits, each.covered_ns) for each in hours] == [
        (0, 27, 45 * S), (HOUR, 9, 15 * S),
    ]  # fmt: skip


def test_sources_and_nodes_are_never_added_together(store: Store) -> None:
    rows = [row(), row(source="prometheus:main"), row(node="r2"), row(layer="edge")]
    store.write_counters(rows)
    assert minutes(store) == [rows[3], rows[0], rows[1], rows[2]]
    assert minutes(store, layer="edge") == [rows[3]]
    assert minutes(store, layer="regional", node="r2") == [rows[2]]
    assert minutes(store, node="none") == []


def test_a_window_holds_buckets_that_begin_in_it(store: Store) -> None:
    store.write_counters([row(minute) for minute in range(5)])
    found = store.counters("minute", 60 * S, 180 * S)
    assert [each.start_s for each in found] == [60, 120]


def test_a_row_that_cannot_be_kept_refuses_them_all(store: Store) -> None:
    with pytest.raises(StoreError, match="64 bits"):
        store.write_counters([row(), row(1, hits=2**63)])
    assert minutes(store) == []


def test_counters_make_a_new_revision(store: Store) -> None:
    before = store.revision()
    store.write_counters([row()])
    assert store.revision() > before


def test_each_grain_has_a_retention_of_its_own(open_store: OpenStore) -> None:
    store = open_store(Retention(minutes_s=HOUR, hours_s=3 * HOUR))
    store.write_counters([row(minute) for minute in (0, 59, 120)])
    assert store.retain(2 * HOUR * S) == 2
    assert [each.start_s for each in minutes(store)] == [7_200]
    assert len(store.counters("hour", 0, 99 * HOUR * S)) == 2
    store.retain(9 * HOUR * S)
    assert store.counters("hour", 0, 99 * HOUR * S) == []


def test_a_window_adds_its_buckets_up(store: Store) -> None:
    more = {"requests": 10, "request_us": 5_000}
    store.write_counters([row(minute, **more) for minute in (0, 1, 3)])
    window = read_counts(store, 30 * S, 240 * S)
    assert (window.since_ns, window.width_ns) == (0, 60 * S)
    [node] = window.nodes
    assert len(node.buckets) == 3
    total = node.total
    assert total.covered_ns == 45 * S
    assert others_hits(total) == (12, 15, 18)
    assert rate_of(total) == HitRate(15 / 18, 12 / 15, 18 / 21, 18)
    assert per_second(total.evictions, total) == pytest.approx(6 / 45)
    assert mean_request_s(total) == pytest.approx(0.0005)
    assert per_second(3, replace(total, covered_ns=0)) is None
    wide = read_counts(store, 0, 7 * HOUR * S)
    assert (wide.width_ns, [each.total.hits for each in wide.nodes]) == (HOUR * S, [27])
