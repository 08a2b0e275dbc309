"""What is dropped, what is kept, and how much at a time."""

from typing import Any

import pytest

from freshness.model import Value, Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, Clock, Store
from store.retention import Retention
from store.sqlite import retain
from tests.store.conftest import OpenStore
from tests.store.rows import (
    S,
    alert,
    finding,
    invalidation,
    notification,
    origin_run,
    read,
    receipt,
    run,
    transition,
)

HOUR = 3_600 * S
KEEP_AN_HOUR = Retention(
    facts_s=3_600, minutes_s=3_600, hours_s=7_200, days_s=86_400, findings_s=7_200
)
WALL = Clock("wall", wall_offset_ns=0, opened_at_ns=0)


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    store = open_store(KEEP_AN_HOUR)
    store.write(Batch(clocks=[WALL]))
    return store


def lasting(first_ns: int, last_ns: int) -> dict[str, Any]:
    stamps = {"first_start_ns": first_ns, "first_end_ns": first_ns + 1}
    return {**stamps, "last_start_ns": last_ns - 1, "last_end_ns": last_ns, "clock": "wall"}


def versions(store: Store, key: str = "42") -> list[int | None]:
    spans = store.spans("product", key, 0, 100 * HOUR)
    return [span.value.version for span in spans if span.value]


def test_the_oldest_prefix_goes_at_origin_and_nodes_alike(store: Store) -> None:
    store.write(
        Batch(
            runs=[
                origin_run(1, **lasting(0, 10)),
                run(2, **lasting(5, 20)),
                run(3, **lasting(6, HOUR)),
                origin_run(4, **lasting(30, 2 * HOUR)),
            ]
        )
    )
    assert store.retain(HOUR + 15) == 1
    assert versions(store) == [2, 3, 4]
    assert store.retain(HOUR + 25) == 1
    assert versions(store) == [3, 4]
    assert store.retain(HOUR + 25) == 0


def test_age_is_wall_time_whatever_the_clock(store: Store) -> None:
    boot = Clock("boot", wall_offset_ns=10 * HOUR, opened_at_ns=0)
    store.write(Batch(clocks=[boot], runs=[run(1, **{**lasting(0, 10), "clock": "boot"})]))
    assert store.retain(2 * HOUR) == 0
    assert store.retain(11 * HOUR + 11) == 1


def test_the_newest_origin_run_stays(store: Store) -> None:
    store.write(Batch(runs=[origin_run(n, **lasting(n, n)) for n in (1, 2, 3)]))
    assert store.retain(50 * HOUR) == 2
    assert [row.id for row in store.newest_origin_runs("product")] == [3]
    assert store.keys("product") == ["42"]


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        pytest.param("opened", True, id="opened"),
        pytest.param("confirmed", True, id="confirmed"),
        pytest.param("healed-on-read", False, id="healed on read"),
        pytest.param("healed", False, id="healed"),
        pytest.param("gone", False, id="gone"),
    ],
)
def test_an_open_finding_keeps_the_facts_of_its_key(store: Store, state: str, kept: bool) -> None:
    evidence = read(1, finding="f", clock="wall")
    other = read(2, key="43", clock="wall")
    store.write(
        Batch(
            runs=[run(1, **lasting(0, 10)), run(2, key="43", **lasting(0, 10))],
            reads=[evidence, other],
            findings=[finding("f", state=state, opened_at_ns=10)],
        )
    )
    store.retain(50 * HOUR)
    assert [row for row, _ in store.reads()] == ([evidence] if kept else [])
    assert versions(store) == ([1] if kept else [])
    assert (store.finding("f") is not None) is kept
    assert store.keys("product") == (["42"] if kept else [])


def test_a_finding_ages_from_its_healing(store: Store) -> None:
    healed = finding("f", state="healed", opened_at_ns=0, healed_at_ns=HOUR)
    store.write(Batch(findings=[healed]))
    store.retain(3 * HOUR)
    assert store.finding("f") == healed
    store.retain(3 * HOUR + S)
    assert store.finding("f") is None


def test_each_grain_has_a_retention_of_its_own(store: Store) -> None:
    cell = Rollup()
    cell.add(Reads(Verdict.FRESH))
    key = RollupKey(0, "product", "regional", "r1", "random", 0, "d1")
    store.write(Batch(rollups={key: cell, key._replace(start_s=7_200): cell}))
    store.retain(int(2.5 * HOUR))
    counts = {grain: len(store.rollups(grain, 0, 99 * HOUR)) for grain in _GRAINS}  # type: ignore[arg-type]
    assert counts == {"minute": 1, "hour": 2, "day": 1}
    store.retain(20 * HOUR)
    counts = {grain: len(store.rollups(grain, 0, 99 * HOUR)) for grain in _GRAINS}  # type: ignore[arg-type]
    assert counts == {"minute": 0, "hour": 0, "day": 1}
    store.retain(49 * HOUR)
    assert store.rollups("day", 0, 99 * HOUR) == []


def test_a_call_does_a_bounded_piece(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retain, "KEYS_A_CALL", 3)
    monkeypatch.setattr(retain, "ROWS_A_CALL", 4)
    runs = [
        run(10 * key + n, key=f"{key}", value=Value(n), **lasting(n, n + 10))
        for key in range(7)
        for n in range(1, 4)
    ]
    store.write(Batch(runs=runs))
    dropped = [store.retain(50 * HOUR) for _ in range(12)]
    assert max(dropped) <= 4
    assert sum(dropped) == 21
    assert store.keys("product") == []


def test_a_key_that_takes_several_calls_loses_its_oldest_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retain, "ROWS_A_CALL", 2)
    store.write(Batch(runs=[run(n, **lasting(n, n + 10)) for n in range(1, 6)]))
    store.retain(50 * HOUR)
    assert versions(store) == [3, 4, 5]


def test_messages_age_as_facts_do(store: Store) -> None:
    links = ((f"{1:032x}", f"{1:016x}"),)
    store.write_messages(
        [
            invalidation(1, keys=("42", "a\0b"), received_at_ns=HOUR),
            invalidation(2, received_at_ns=HOUR + 1),
        ],
        [
            receipt(1, received_at_ns=HOUR),
            receipt(1, "r2", invalidation="", links=links, received_at_ns=HOUR),
            receipt(2, received_at_ns=HOUR + 1),
        ],
    )
    assert store.retain(2 * HOUR) == 0
    assert store.retain(2 * HOUR + 1) == 3
    left = [invalidation(2, received_at_ns=HOUR + 1)]
    for asked in ({}, {"key": "42"}):
        found = store.invalidations(0, 9 * HOUR, **asked).items  # type: ignore[arg-type]
        assert [each.invalidation for each in found] == left
        assert [len(each.receipts) for each in found] == [1]
    assert store.retain(2 * HOUR + 2) == 2
    assert store.invalidations(0, 9 * HOUR).items == []
    # A number that is free again finds nothing of those that had it.
    store.write_messages([invalidation(3)], [receipt(4), receipt(3)])
    assert store.invalidations(0, 9 * HOUR, key="a\0b").items == []
    assert [row.links for row in store.orphan_receipts(0)] == [()]


def test_messages_go_a_bounded_piece_a_call(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retain, "ROWS_A_CALL", 2)
    store.write_messages([invalidation(n) for n in range(5)], [receipt(n) for n in range(5)])
    assert [store.retain(50 * HOUR) for _ in range(4)] == [4, 4, 2, 0]


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        pytest.param("inactive", False, id="inactive"),
        pytest.param("pending", True, id="pending"),
        pytest.param("firing", True, id="firing"),
        pytest.param("resolved", False, id="resolved"),
    ],
)
def test_an_open_alert_and_its_steps_stay(store: Store, state: str, kept: bool) -> None:
    store.write_alerts([alert("a1", state=state)], [transition("a1", 100)], [])
    assert store.retain(2 * HOUR) == 0
    assert store.retain(3 * HOUR) == (0 if kept else 2)
    assert len(store.alerts()) == kept
    assert len(store.transitions()) == kept
    assert store.retain(3 * HOUR) == 0


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        pytest.param("owed", True, id="owed"),
        pytest.param("leased", True, id="leased"),
        pytest.param("delivered", False, id="delivered"),
        pytest.param("dead", False, id="dead"),
    ],
)
def test_what_is_owed_stays(store: Store, state: str, kept: bool) -> None:
    old, new = (
        notification(f"n{at}", state=state, created_at_ns=at, leased_until_ns=at)
        for at in (0, HOUR)
    )
    store.write_alerts([], [], [old, new])
    assert store.retain(2 * HOUR) == 0
    store.retain(2 * HOUR + 1)
    assert list(store.notifications()) == ([new, old] if kept else [new])


_GRAINS = ("minute", "hour", "day")
