"""The outbox with a real store: when it tries again, whom, and when it gives up."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from alerts.base import Outcome, Refusal
from alerts.outbox import (
    AT_ONCE,
    GIVE_UP_NS,
    LEASE_NS,
    LONGEST_WAIT_NS,
    Outbox,
    deliver_until,
    settle,
    wait_ns,
)
from store.alert_book import NotificationRow
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.letters import START, S, notification
from tests.servers import eventually

A, B, C = "a@example.com", "b@example.com", "c@example.com"


@dataclass
class Told:
    """A channel that gives the outcomes it was told to, then accepts."""

    outcomes: list[Outcome | Exception] = field(default_factory=list)
    seen: list[NotificationRow] = field(default_factory=list)
    recipients: Sequence[str] = (A,)
    address: str = "nowhere"

    async def deliver(self, notification: NotificationRow) -> Outcome:
        self.seen.append(notification)
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def greet(self) -> str:
        return "hello"


@pytest.fixture
def book() -> Iterator[Store]:
    store = SqliteStore(":memory:")
    yield store
    store.close()


def outbox(book: Store, channel: Told, now_ns: int, jitter: float = 0.5) -> Outbox:
    return Outbox(book, {"sre": channel}, lambda: now_ns, lambda: jitter)


def only(book: Store) -> NotificationRow:
    (row,) = book.notifications()
    return row


def refused(*final: bool) -> Outcome:
    names = (A, B, C)
    return Outcome([Refusal(name, "no", each) for name, each in zip(names, final, strict=False)])


@pytest.mark.parametrize(
    ("outcome", "state", "left"),
    [
        pytest.param(Outcome(), "delivered", [], id="all accept"),
        pytest.param(refused(False), "owed", [A], id="one is to be asked again"),
        pytest.param(refused(True), "dead", [A], id="one refuses for good"),
        pytest.param(refused(True, False), "owed", [A, B], id="one for good, one for now"),
        pytest.param(refused(True, True), "dead", [A, B], id="all that are left, for good"),
    ],
)
def test_what_becomes_of_a_notification(outcome: Outcome, state: str, left: list[str]) -> None:
    row = settle(notification(to=(A, B, C)), outcome, START + S, 0.5)
    assert (row.state, list(row.recipients), row.attempts) == (state, left, 1)
    assert (row.delivered_at_ns is not None) == (state == "delivered")
    assert all(name in row.why for name in left)


def test_waits_double_from_five_seconds_to_a_quarter_of_an_hour() -> None:
    bounds = [wait_ns(attempts, 1.0) / S for attempts in range(1, 12)]
    assert bounds == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert wait_ns(10_000, 1.0) == LONGEST_WAIT_NS


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_jitter_is_full(jitter: float) -> None:
    assert wait_ns(3, jitter) == round(20 * S * jitter)


def test_what_nobody_takes_for_days_is_dead() -> None:
    row = notification(to=(A,))
    assert settle(row, refused(False), START + GIVE_UP_NS - 1, 0.5).state == "owed"
    assert settle(row, refused(False), START + GIVE_UP_NS, 0.5).state == "dead"


async def test_nothing_is_tried_before_it_is_due(book: Store) -> None:
    book.write_alerts([], [], [notification()])
    channel = Told([refused(False)])
    assert await outbox(book, channel, START - 1).deliver_due() == 0
    assert await outbox(book, channel, START).deliver_due() == 1
    assert only(book).next_at_ns == START + 5 * S // 2
    assert await outbox(book, channel, START + 2 * S).deliver_due() == 0
    assert await outbox(book, channel, START + 3 * S).deliver_due() == 1
    assert only(book).state == "delivered"


async def test_only_who_refused_is_asked_again(book: Store) -> None:
    book.write_alerts([], [], [notification(to=(A, B, C))])
    channel = Told([Outcome([Refusal(B, "451 later", is_final=False)])])
    await outbox(book, channel, START).deliver_due()
    await outbox(book, channel, START + 5 * S).deliver_due()
    assert [list(row.recipients) for row in channel.seen] == [[A, B, C], [B]]
    assert (only(book).state, only(book).attempts) == ("delivered", 2)


async def test_a_lease_that_runs_out_is_taken_again(book: Store) -> None:
    book.write_alerts([], [], [notification()])
    book.lease(START, START + LEASE_NS)  # by a process that died
    channel = Told()
    assert await outbox(book, channel, START + LEASE_NS - 1).deliver_due() == 0
    assert await outbox(book, channel, START + LEASE_NS).deliver_due() == 1
    assert only(book).state == "delivered"


async def test_a_channel_that_left_the_config_loses_nothing(book: Store) -> None:
    book.write_alerts([], [], [notification(channel="old")])
    await outbox(book, Told(), START).deliver_due()
    assert (only(book).state, only(book).why) == ("owed", f"{SRE}: no channel old in the config")


SRE = "sre@example.com"


async def test_a_fault_of_a_channel_is_told_and_loses_nothing(book: Store) -> None:
    book.write_alerts([], [], [notification()])
    await outbox(book, Told([ZeroDivisionError("ours")]), START).deliver_due()
    assert (only(book).state, only(book).why) == ("owed", f"{SRE}: ZeroDivisionError: ours")


async def test_the_task_delivers_more_than_fit_at_once_and_stops(book: Store) -> None:
    rows = [notification(f"n{n}") for n in range(3 * AT_ONCE + 1)]
    book.write_alerts([], [], rows)
    channel, stopped = Told(), asyncio.Event()
    failures: list[Exception] = []
    work = outbox(book, channel, START)
    task = asyncio.create_task(deliver_until(stopped, work, 60.0, failures.append))
    await eventually(lambda: len(book.notifications(state="delivered")) == len(rows), "all of them")
    stopped.set()
    await task
    assert sorted(row.id for row in channel.seen) == sorted(row.id for row in rows)
    assert failures == []


async def test_what_is_due_waits_for_the_store(book: Store) -> None:
    book.write_alerts([], [], [notification()])
    book.close()
    stopped = asyncio.Event()
    failures: list[Exception] = []
    work = outbox(book, Told(), START)
    task = asyncio.create_task(deliver_until(stopped, work, 0.01, failures.append))
    await eventually(lambda: len(failures) > 1, "it tries again")
    stopped.set()
    await task


def test_a_row_keeps_the_lease_that_it_was_given(book: Store) -> None:
    leased = replace(notification(), state="leased", leased_until_ns=START + LEASE_NS)
    assert settle(leased, Outcome(), START, 0.5).leased_until_ns == START + LEASE_NS
