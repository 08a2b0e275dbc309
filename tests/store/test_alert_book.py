"""What every engine does with alerts and the outbox. Engines are in `conftest.py`."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from store.alert_book import NotificationRow
from store.base import Store, StoreError
from tests.store.rows import alert, notification, transition


def owe(store: Store, *rows: NotificationRow) -> None:
    store.write_alerts([], [], rows)


def taken(store: Store, now_ns: int = 200, until_ns: int = 260, limit: int = 10) -> list[str]:
    return [row.id for row in store.lease(now_ns, until_ns, limit)]


def test_an_empty_book_answers_everything(store: Store) -> None:
    assert store.alerts() == []
    assert store.transitions() == []
    assert store.notifications() == []
    assert store.lease(100, 200) == []


def test_the_book_comes_back_as_it_was(store: Store) -> None:
    full = alert("a1", is_frozen=True, clear_since_ns=105, labels={"node": "r1", "": "é\0"})
    bare = alert("a2", labels={}, value=None, evidence=(), firing_since_ns=None, state="pending")
    owed = notification("n1", kind="repeat", thread="n0", why="greylisted", attempts=3)
    store.write_alerts([full, bare], [transition("a1", 100)], [owed])
    assert store.alerts() == [full, bare]
    assert store.transitions() == [transition("a1", 100)]
    assert store.notifications() == [owed]


def test_alerts_are_replaced(store: Store) -> None:
    store.write_alerts([alert("a1", state="pending")], [], [])
    store.write_alerts([alert("a1", value=9.0)], [], [])
    assert store.alerts() == [alert("a1", value=9.0)]


def test_alerts_are_those_that_are_open_and_those_resolved_last(store: Store) -> None:
    resolved = [alert(f"r{n:03}", state="resolved", resolved_at_ns=n) for n in range(120)]
    open_ones = [alert("a", rule="z"), alert("b", rule="y", state="pending")]
    store.write_alerts([*resolved, *open_ones, alert("i", state="inactive")], [], [])
    assert store.alerts() == [*open_ones[::-1], *resolved[:19:-1]]


def test_what_happened_and_what_it_owes_are_one_write(store: Store) -> None:
    with pytest.raises(StoreError, match="64 bits"):
        store.write_alerts(
            [alert("a1")], [transition("a1", 100)], [notification("n1", next_at_ns=2**63)]
        )
    assert (store.alerts(), store.transitions(), store.notifications()) == ([], [], [])


def test_transitions_are_read_newest_first(store: Store) -> None:
    first = transition("a1", 100, before="inactive", after="pending")
    steps = [first, transition("a1", 100), transition("a2", 90), transition("a1", 110)]
    store.write_alerts([], steps, [])
    assert store.transitions() == [steps[3], steps[1], steps[0], steps[2]]
    assert store.transitions("a1", limit=2) == [steps[3], steps[1]]
    assert store.transitions("nobody") == []


def test_a_notification_that_is_there_stays(store: Store) -> None:
    owe(store, notification("n1"))
    [leased] = store.lease(200, 260)
    owe(store, notification("n1"), notification("n1", payload="{}"))
    assert store.notifications() == [leased]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        pytest.param({}, ["n5", "n4", "n3", "n2", "n1"], id="all, newest first"),
        pytest.param({"alert": "a1"}, ["n5", "n3", "n1"], id="an alert"),
        pytest.param({"state": "dead"}, ["n3", "n2"], id="a state"),
        pytest.param({"alert": "a1", "state": "dead"}, ["n3"], id="both"),
        pytest.param({"limit": 2}, ["n5", "n4"], id="a limit"),
    ],
)
def test_notifications_are_filtered(store: Store, asked: dict[str, Any], ids: list[str]) -> None:
    owe(
        store,
        notification("n1", created_at_ns=1),
        notification("n2", created_at_ns=2, alerts=("a2", "a3"), state="dead"),
        notification("n3", created_at_ns=3, state="dead"),
        notification("n4", created_at_ns=4, alerts=("a2", "a3")),
        notification("n5", created_at_ns=4),
    )
    assert [row.id for row in store.notifications(**asked)] == ids


def test_a_lease_takes_what_is_due_oldest_first(store: Store) -> None:
    owe(
        store,
        notification("new", created_at_ns=150),
        notification("old", created_at_ns=50),
        notification("later", created_at_ns=10, next_at_ns=201),
        notification("told", created_at_ns=10, state="delivered"),
        notification("dead", created_at_ns=10, state="dead"),
    )
    assert taken(store, limit=1) == ["old"]
    assert taken(store) == ["new"]
    assert taken(store) == []
    assert taken(store, now_ns=201) == ["later"]


def test_a_leased_notification_says_until_when(store: Store) -> None:
    owe(store, notification("n1"))
    leased = replace(notification("n1"), state="leased", leased_until_ns=260)
    assert store.lease(200, 260) == [leased]
    assert store.notifications(state="leased") == [leased]


def test_a_lease_that_ran_out_is_taken_again(store: Store) -> None:
    owe(store, notification("n1"))
    assert taken(store, now_ns=200, until_ns=260) == ["n1"]
    assert taken(store, now_ns=259) == []
    assert taken(store, now_ns=260, until_ns=300) == ["n1"]
    assert taken(store, now_ns=299) == []


def settled(row: NotificationRow, **changes: Any) -> NotificationRow:
    return replace(row, **{"attempts": 1, "leased_until_ns": None, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": "delivered", "delivered_at_ns": 210}, id="delivered"),
        pytest.param({"state": "dead", "why": "550 no such user"}, id="dead"),
        pytest.param(
            {"state": "owed", "next_at_ns": 900, "recipients": ("b@example.com",)},
            id="owed to one of two",
        ),
    ],
)
@pytest.mark.parametrize("keeps_lease", [True, False])
def test_what_became_of_it_is_written(
    store: Store, changes: dict[str, Any], keeps_lease: bool
) -> None:
    owe(store, notification("n1"))
    [leased] = store.lease(200, 260)
    became = settled(leased, **changes)
    store.settle(replace(became, leased_until_ns=260) if keeps_lease else became)
    assert store.notifications() == [became]
    assert taken(store, now_ns=899) == []
    assert taken(store, now_ns=900) == (["n1"] if became.state == "owed" else [])


def test_a_slow_worker_takes_nothing_from_the_next(store: Store) -> None:
    owe(store, notification("n1"))
    [first] = store.lease(200, 260)
    [second] = store.lease(260, 320)
    store.settle(replace(first, state="owed", next_at_ns=265, why="timed out"))
    assert store.notifications() == [second]
    store.settle(replace(second, state="delivered", delivered_at_ns=270))
    for state in ("owed", "dead"):
        store.settle(replace(first, state=state))
    assert [row.state for row in store.notifications()] == ["delivered"]


def test_a_delivery_counts_whoever_holds_the_lease(store: Store) -> None:
    owe(store, notification("n1"))
    [first] = store.lease(200, 260)
    [second] = store.lease(260, 320)
    store.settle(replace(first, state="delivered", delivered_at_ns=261))
    store.settle(replace(second, state="owed", next_at_ns=330))
    [row] = store.notifications()
    assert (row.state, row.delivered_at_ns, row.leased_until_ns) == ("delivered", 261, None)


def test_nobody_settles_what_is_not_leased(store: Store) -> None:
    owe(store, notification("n1"))
    store.settle(notification("n1", state="dead"))
    store.settle(notification("n2", state="delivered"))
    assert store.notifications() == [notification("n1")]


def test_many_workers_never_take_the_same(store: Store) -> None:
    owe(store, *(notification(f"n{n:03}", created_at_ns=n) for n in range(200)))

    def work(_: int) -> Sequence[str]:
        mine: list[str] = []
        while some := store.lease(1_000, 2_000, limit=3):
            mine += [row.id for row in some]
        return mine

    with ThreadPoolExecutor(6) as pool:
        each = list(pool.map(work, range(6)))
    assert sorted(id_ for mine in each for id_ in mine) == [f"n{n:03}" for n in range(200)]


def test_an_idle_lease_is_no_news(store: Store) -> None:
    owe(store, notification("n1", next_at_ns=500))
    before = store.revision()
    assert taken(store) == []
    assert store.revision() == before
    assert taken(store, now_ns=500) == ["n1"]
    assert store.revision() > before
