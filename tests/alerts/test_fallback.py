"""What is told through another channel as well: over time, over restarts, and once."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.base import ChannelError, Message, Outcome
from alerts.fallback import Fallback, Why, decide, instead
from alerts.outbox import AT_ONCE, Outbox
from stalewatch.falling_back import FallingBack
from stalewatch.metrics import Metrics
from store.alert_book import NotificationRow
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.hooks import START, S, group, owed
from tests.store import rows

MINUTE = 60 * S
FALLBACK = Fallback("sre", "chat", 10 * MINUTE)


class Line:
    """A channel that can be up, down or opposed."""

    address = "here"

    def __init__(self, *recipients: str) -> None:
        self.recipients = recipients
        self.why, self.is_final = "", False
        self.told: list[NotificationRow] = []

    async def deliver(self, notification: NotificationRow) -> Outcome:
        if self.why:
            return Outcome.failed(notification.recipients, self.why, is_final=self.is_final)
        self.told.append(notification)
        return Outcome()

    async def greet(self) -> str:
        raise ChannelError("never asked")


class World:
    """Mail and a chat over one store; `until(minutes)` lets time pass, five seconds a step."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.mail, self.chat = Line("a@example.com", "b@example.com"), Line("chat")
        self.now_ns = START
        self.restart()

    def restart(self) -> None:
        channels = {"sre": self.mail, "chat": self.chat}
        self.fallbacks = [FALLBACK, Fallback("chat", "sre", 10 * MINUTE)]
        metrics = Metrics()
        self.task = FallingBack(self.fallbacks, channels, self.store, metrics.telling)
        self.outbox = Outbox(self.store, channels, lambda: self.now_ns, lambda: 0.9)

    def owe(self, id: str = "n1", **changes: Any) -> None:
        row = owed(group(), self.mail.recipients, id, self.now_ns)
        self.store.write_alerts([], [], [replace(row, **changes)])

    async def until(self, minutes: float) -> None:
        while self.now_ns < START + minutes * MINUTE:
            while await self.outbox.deliver_due() == AT_ONCE:
                pass
            for fallback in self.fallbacks:
                self.task.fall_back(fallback, self.now_ns)
            self.now_ns += 5 * S

    @property
    def chatted(self) -> list[str]:
        return [row.id for row in self.chat.told]


@pytest.fixture
def world() -> Iterator[World]:
    store = SqliteStore(":memory:")
    yield World(store)
    store.close()


async def test_mail_that_is_down_for_ten_minutes_is_told_in_the_chat_once(world: World) -> None:
    world.mail.why = "connection refused"
    world.owe()
    await world.until(10)
    assert world.chatted == []
    await world.until(11)
    assert world.chatted == ["n1>chat"]
    await world.until(120)
    assert world.chatted == ["n1>chat"]
    world.mail.why = ""
    await world.until(140)
    assert [row.id for row in world.mail.told] == ["n1"]
    assert world.chatted == ["n1>chat"]


async def test_it_says_so(world: World) -> None:
    world.mail.why = "connection refused"
    world.owe()
    await world.until(11)
    (row,) = world.chat.told
    (told,) = Message.from_payload(row.payload).alerts
    assert told.summary.startswith(
        "told here because sre has not taken it for 10 min (a@example.com: connection refused"
    )
    assert told.summary.endswith("edge holds product 42 stale for 4.2 s, over its maximum of 2 s")
    assert (row.channel, row.recipients, row.thread) == ("chat", ("chat",), "n1>chat")


async def test_mail_that_is_back_in_time_is_enough(world: World) -> None:
    world.mail.why = "connection refused"
    world.owe()
    await world.until(5)
    world.mail.why = ""
    await world.until(60)
    assert ([row.id for row in world.mail.told], world.chatted) == (["n1"], [])


async def test_what_is_refused_for_good_is_told_elsewhere_at_once(world: World) -> None:
    world.mail.why, world.mail.is_final = "550 no such user", True
    world.owe()
    await world.until(0.5)
    assert world.chatted == ["n1>chat"]
    (told,) = Message.from_payload(world.chat.told[0].payload).alerts
    assert told.summary.startswith("told here because sre refused it (a@example.com: 550 no such")


async def test_one_recipient_who_waits_is_enough(world: World) -> None:
    world.owe(recipients=("b@example.com",))
    world.mail.why = "451 greylisted"
    await world.until(11)
    assert world.chatted == ["n1>chat"]


async def test_a_restart_forgets_nothing_and_tells_nothing_twice(world: World) -> None:
    world.mail.why = "connection refused"
    world.owe("n1")
    await world.until(6)
    world.restart()
    world.owe("n2")
    await world.until(11)
    world.restart()
    await world.until(12)
    assert world.chatted == ["n1>chat"]
    await world.until(30)
    assert world.chatted == ["n1>chat", "n2>chat"]


async def test_two_that_stand_in_for_each_other_do_not_pass_it_round(world: World) -> None:
    world.mail.why = world.chat.why = "connection refused"
    world.owe()
    await world.until(60)
    assert sorted(row.id for row in world.store.notifications()) == ["n1", "n1>chat"]


async def test_a_hundred_old_refusals_hide_nothing(world: World) -> None:
    world.mail.why = "connection refused"
    for number in range(120):
        old_ns = START - 30 * 86_400 * S
        world.owe(f"old{number}", state="dead", created_at_ns=old_ns)
    for number in range(120):
        world.owe(f"n{number}")
    await world.until(12)
    assert sorted(world.chatted) == sorted(f"n{number}>chat" for number in range(120))


def test_mail_that_hangs_does_not_hold_up_what_others_are_owed(world: World) -> None:
    for number in range(100):
        world.owe(f"n{number}", attempts=3)
    world.owe("chat", channel="chat", created_at_ns=START + S)
    assert "chat" in [row.id for row in world.store.lease(START, START + S, 4)]


def test_what_was_delivered_meanwhile_is_not_told_elsewhere(world: World) -> None:
    world.owe()
    (row,) = world.store.overdue("sre", "chat", START, 0)
    copy = instead(row, FALLBACK, Why.LATE, ("chat",), START + 11 * MINUTE)
    (leased,) = world.store.lease(START, START + S)
    world.store.settle(replace(leased, state="delivered", delivered_at_ns=START))
    assert world.store.fall_back([copy]) == 0
    assert [row.id for row in world.store.notifications()] == ["n1"]


def test_a_payload_that_cannot_be_read_stops_nothing(world: World) -> None:
    world.owe("n1", payload="{}")
    world.owe("n2")
    assert world.task.fall_back(FALLBACK, START + 11 * MINUTE) == 1


@pytest.mark.parametrize(
    ("changes", "after_s", "why"),
    [
        pytest.param({}, 599, Why.IN_TIME, id="a second before its time"),
        pytest.param({}, 600, Why.LATE, id="its time"),
        pytest.param({"state": "leased"}, 600, Why.LATE, id="tried at this moment"),
        pytest.param({"state": "delivered"}, 9999, Why.TOLD, id="taken"),
        pytest.param({"state": "dead"}, 1, Why.REFUSED, id="refused"),
        pytest.param({"state": "dead"}, 86_400, Why.OLD, id="refused a day ago"),
        pytest.param({"id": "n1>sre"}, 9999, Why.INSTEAD, id="in place of another"),
    ],
)
def test_each_decision_has_its_reason(changes: dict[str, Any], after_s: int, why: Why) -> None:
    row = replace(rows.notification("n1", created_at_ns=START), **changes)
    assert decide(row, FALLBACK, START + after_s * S) is why
