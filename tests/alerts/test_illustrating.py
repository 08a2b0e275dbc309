"""Charts are read where somebody is told, once, and never for more than a mail shows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from alerts.base import Message, ToldAlert
from alerts.chart import Chart
from alerts.illustrating import MOST_AT_ONCE, MOST_IN_A_MESSAGE, illustrate
from alerts.look import Condition
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.letters import ALERT, CHART, about, notification
from tests.alerts.world import R1, Scripted, World

DRAWN = replace(CHART, title="as drawn")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    yield opened
    opened.close()


class Pen:
    """What draws, and which alerts it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, told: ToldAlert) -> Chart | None:
        self.asked.append(told.id)
        return DRAWN if told.id != "bare" else None


def test_the_first_alerts_of_a_message_have_one() -> None:
    row, pen = notification(message=about(*(replace(ALERT, id=f"a{n}") for n in range(9)))), Pen()
    (after,) = illustrate([row], pen)
    alerts = Message.from_payload(after.payload).alerts
    assert [each.chart for each in alerts] == [DRAWN] * MOST_IN_A_MESSAGE + [None] * 6
    assert [each.id for each in alerts] == [f"a{n}" for n in range(9)]
    assert replace(after, payload="") == replace(row, payload="")


def test_what_several_are_told_is_drawn_once_and_a_storm_not_to_its_end() -> None:
    same = [notification(f"n{n}") for n in range(3)]
    storm = [notification(f"s{n}", message=about(replace(ALERT, id=f"a{n}"))) for n in range(9, 99)]
    pen = Pen()
    drawn = illustrate([*same, *storm], pen)
    assert len(drawn) == 93
    assert pen.asked[0] == "a1"
    assert len(pen.asked) == len({*pen.asked}) == MOST_AT_ONCE


def test_without_a_chart_it_stays_as_it_was() -> None:
    row = notification(message=about(id="bare"))
    assert illustrate([row], Pen()) == [row]


def test_only_who_is_told_costs_a_look_at_the_past(store: Store) -> None:
    rule = Scripted(draws=DRAWN)
    world = World(store, rule)
    for second in range(0, 30, 5):
        world.at(second, Condition.CLEAR)
    assert rule.drawn == []
    for second in range(30, 90, 5):
        world.at(second, Condition.HOLDS)
    assert rule.drawn == [R1]
    (row,) = world.owed
    (alert,) = Message.from_payload(row.payload).alerts
    assert alert.chart == DRAWN
    world.at(90, Condition.CLEAR)
    assert len(rule.drawn) == 2, "and how it ended"


def test_what_nobody_watches_any_more_is_told_without(store: Store) -> None:
    rule = Scripted(draws=DRAWN)
    world = World(store, rule)
    world.at(0, Condition.HOLDS)
    world.restart(without_rule=True)
    world.at(5)
    (alert,) = Message.from_payload(world.owed[-1].payload).alerts
    assert (alert.status, alert.chart) == ("resolved", None)
