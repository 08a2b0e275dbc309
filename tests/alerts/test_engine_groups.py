"""Groups, inhibition, silences, acknowledgements and lost measurement, each over time and restarts.

A rule sees what a test says, the store is real, and each restart is a new engine over it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.base import Message
from alerts.engine import Engine, alert_id
from alerts.groups import GroupTiming
from alerts.inhibition import Inhibits
from alerts.look import Condition, Look
from alerts.notices import Audience, group_id
from store.base import Store, StoreError
from store.silences import AckRow, Matcher, MatcherOp, SilenceRow
from store.sqlite import SqliteStore
from tests.alerts.world import RECIPIENTS, START, Scripted, World
from tests.store.rows import S

HOLDS, CLEAR, UNKNOWN = Condition.HOLDS, Condition.CLEAR, Condition.UNKNOWN
TIMING = GroupTiming(repeat_ns=1_200 * S)
"""The usual wait and interval, and a repeat that is less long to look through."""
RESTARTS = [
    pytest.param(None, id="no restart"),
    *(pytest.param(at, id=f"at {at}") for at in (5, 30, 60, 100, 330, 400)),
]
"""Seconds at which a new engine takes over."""


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> World:
    made = World(store, Scripted())
    made.audiences = {"sre": Audience(RECIPIENTS, timing=TIMING)}
    made.restart()
    return made


def silence(
    world: World, since_s: float, until_s: float, *, name: str = "node", op: MatcherOp = "=",
    value: str = "r1", id: str = "s1",
) -> SilenceRow:  # fmt: skip
    row = SilenceRow(
        id, (Matcher(name, op, value),), "ana", "a deploy", START + round(since_s * S),
        START + round(until_s * S), START,
    )  # fmt: skip
    world.store.write_silence(row)
    return row


def acknowledge(world: World, node: str = "r1") -> None:
    (row,) = [each for each in world.store.alerts() if each.labels["node"] == node]
    assert row.firing_since_ns is not None
    world.store.acknowledge(AckRow(row.id, row.firing_since_ns, "ana", "on it", START))


@pytest.mark.parametrize("restarts_at", RESTARTS)
class TestARestart:
    """Whenever it is, what is told stays the same: nothing twice, nothing lost."""

    def test_of_a_group(self, world: World, restarts_at: int | None) -> None:
        world.rule.see_at(r1=HOLDS, r2=CLEAR)
        told = world.runs(0, 55, restarts_at)
        world.rule.see_at(r1=HOLDS, r2=HOLDS)
        told += world.runs(60, 95, restarts_at)
        world.rule.see_at(r1=CLEAR, r2=HOLDS)
        told += world.runs(100, 700, restarts_at)
        world.rule.see_at(r1=CLEAR, r2=CLEAR)
        told += world.runs(705, 1_000, restarts_at)
        assert told == ["first at 30", "new-member at 330", "all-resolved at 705"]
        assert world.told(1) == {"r1": "new resolved", "r2": "new firing"}
        assert len({row.thread for row in world.owed}) == 1
        assert world.owed[0].thread == world.owed[0].id
        assert world.store.groups() == []

    def test_under_a_silence(self, world: World, restarts_at: int | None) -> None:
        silence(world, 0, 200)
        world.rule.see_at(r1=HOLDS, r2=HOLDS)
        assert world.runs(0, 600, restarts_at) == ["first at 30", "new-member at 330"]
        assert world.told(0) == {"r2": "new firing"}
        assert world.told(1) == {"r1": "new firing", "r2": "firing"}

    def test_after_an_acknowledgement(self, world: World, restarts_at: int | None) -> None:
        world.audiences = {"sre": Audience(RECIPIENTS, timing=GroupTiming(0, 60 * S, 120 * S))}
        world.restart()
        world.rule.see_at(r1=HOLDS)
        told = world.runs(0, 0)
        acknowledge(world)
        told += world.runs(5, 500, restarts_at)
        world.rule.see_at(r1=CLEAR)
        told += world.runs(505, 510)
        world.rule.see_at(r1=HOLDS)
        told += world.runs(515, 640)
        expected = ["first at 0", "all-resolved at 505", "first at 515", "repeat at 635"]
        assert told == expected

    def test_while_measurement_is_lost(self, world: World, restarts_at: int | None) -> None:
        world.rule.see_at(r1=HOLDS, r2=HOLDS)
        told = world.runs(0, 40, restarts_at)
        world.rule.see_at(r1=UNKNOWN, r2=HOLDS, r3=UNKNOWN)
        told += world.runs(45, 1_595, restarts_at)
        world.rule.see_at(r1=HOLDS, r2=CLEAR, r3=UNKNOWN)
        told += world.runs(1_600, 1_700)
        assert told == ["first at 30", "repeat at 1230", "some-resolved at 1600"]
        assert world.told(1) == {"r2": "firing"}
        assert world.told(2) == {"r1": "firing", "r2": "new resolved"}

    def test_under_an_inhibition(self, store: Store, restarts_at: int | None) -> None:
        world = _with_unreachable(store)
        stale, unreachable = world.rules
        stale.see_at(r1=HOLDS, r2=HOLDS)
        unreachable.see_at(r1=HOLDS, r2=CLEAR)
        told = world.runs(0, 395, restarts_at)
        explained = {each.labels["node"]: each.inhibited_by for each in store.alerts()[1:]}
        assert explained == {"r1": "rule down (layer regional, node r1)", "r2": ""}
        unreachable.see_at(r1=CLEAR, r2=CLEAR)
        told += world.runs(400, 500, restarts_at)
        assert sorted(told) == [
            "all-resolved at 400", "first at 30", "first at 30", "new-member at 400",
        ]  # fmt: skip
        by_rule = {
            Message.from_payload(row.payload).group["rule"]: row.kind for row in world.owed[2:]
        }
        assert by_rule == {"stale": "new-member", "down": "all-resolved"}


def _with_unreachable(store: Store) -> World:
    down = Scripted("down", kind="unreachable")
    down.inhibits = (Inhibits(("staleness",), ("layer", "node")),)
    world = World(store, Scripted("stale", kind="staleness"), down)
    world.audiences = {"sre": Audience(RECIPIENTS, timing=TIMING)}
    world.restart()
    return world


class TestGrouping:
    def test_by_labels_of_ones_own(self, world: World) -> None:
        world.audiences = {"sre": Audience(RECIPIENTS, ("layer", "node"), TIMING)}
        world.restart()
        world.rule.see_at(r1=HOLDS, r2=HOLDS)
        assert world.runs(0, 60) == ["first at 30", "first at 30"]
        assert [row.labels["node"] for row in world.store.groups()] == ["r1", "r2"]

    def test_by_nothing_is_one_group_of_all(self, store: Store) -> None:
        world = World(store, Scripted("one"), Scripted("other"))
        world.audiences = {"sre": Audience(RECIPIENTS, (), TIMING)}
        world.restart()
        for rule in world.rules:
            rule.see_at(r1=HOLDS)
        assert world.runs(0, 60) == ["first at 30"]
        assert len(world.owed[0].alerts) == 2

    def test_each_channel_has_its_own_clocks(self, world: World) -> None:
        world.rule.channels = ("sre", "log")
        world.audiences = {**world.audiences, "log": Audience(("x",), timing=GroupTiming(0, 0))}
        world.restart()
        world.rule.see_at(r1=HOLDS)
        assert world.runs(0, 60) == ["first at 0", "first at 30"]
        assert [row.channel for row in world.owed] == ["log", "sre"]

    def test_other_labels_to_group_by_tell_nothing_twice(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 60)
        world.audiences = {"sre": Audience(RECIPIENTS, ("node",), TIMING)}
        world.restart()
        assert world.runs(65, 1_000) == []
        world.rule.see_at(r1=CLEAR)
        assert world.runs(1_005, 1_010) == ["all-resolved at 1005"]

    def test_a_rule_that_tells_a_channel_no_more_lets_what_it_told_end(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS, r2=CLEAR)
        world.runs(0, 60)
        world.rule.mode = "observe"
        world.rule.see_at(r1=HOLDS, r2=HOLDS)
        assert world.runs(65, 1_500) == []
        world.rule.see_at(r1=CLEAR, r2=CLEAR)
        assert world.runs(1_505, 1_510) == ["all-resolved at 1505"]
        assert world.told() == {"r1": "new resolved"}

    def test_a_channel_that_left_the_config_is_owed_nothing(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 60)
        world.audiences = {}
        world.restart()
        world.rule.see_at(r1=CLEAR)
        world.runs(65, 70)
        assert (world.kinds, world.store.groups()) == (["first"], [])

    def test_what_is_kept_no_more_is_told_as_resolved(self, world: World) -> None:
        """A node that discovery dropped, while the group waits for its interval past 15 min."""
        long = GroupTiming(0, 3_600 * S)
        world.audiences = {"sre": Audience(RECIPIENTS, timing=long)}
        world.restart()
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 5)
        world.rule.sees = []
        assert world.runs(10, 3_595) == []
        world.restart()
        assert world.runs(3_600, 3_605) == ["all-resolved at 3600"]
        assert world.told() == {"r1": "new resolved"}

    def test_what_the_store_refuses_has_not_happened(self, tmp_path: Path) -> None:
        path = str(tmp_path / "sw.db")
        store = SqliteStore(path)
        world = World(store, Scripted())
        world.audiences = {"sre": Audience(RECIPIENTS, timing=TIMING)}
        world.restart()
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 25)
        _change(path, _REFUSE)
        with pytest.raises(StoreError):
            world.at(30)
        assert [row.told_at_ns for row in store.groups()] == [None]
        _change(path, "DROP TRIGGER full")
        assert world.runs(35, 60) == ["first at 35"]
        store.close()

    def test_two_engines_that_tell_the_same_owe_it_once(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 25)
        others = Engine(world.store, [world.rule], world.audiences)
        others.evaluate(START + 30 * S)
        world.at(30)
        assert world.kinds == ["first"]

    def test_a_group_is_known_by_its_channel_and_labels(self) -> None:
        assert group_id("sre", {"rule": "a", "node": "b"}) == group_id(
            "sre", {"node": "b", "rule": "a"}
        )
        assert group_id("sre", {"rule": "a"}) != group_id("log", {"rule": "a"})


_REFUSE = (
    "CREATE TRIGGER full BEFORE INSERT ON notifications BEGIN SELECT RAISE(ABORT, 'disk full'); END"
)


def _change(path: str, statement: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(statement)


class TestSilences:
    def test_a_resolution_under_one_is_not_told(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 60)
        silence(world, 61, 1_000)
        world.rule.see_at(r1=CLEAR)
        assert world.runs(65, 2_000) == []
        assert world.alert_state("r1") == "inactive"

    def test_one_that_is_ended_early_lets_the_alert_be_told(self, world: World) -> None:
        silence(world, 0, 10_000)
        world.rule.see_at(r1=HOLDS)
        assert world.runs(0, 600) == []
        world.store.end_silence("s1", START + 601 * S)
        assert world.runs(605, 700) == ["first at 605"]

    def test_one_that_is_to_come_does_nothing_yet(self, world: World) -> None:
        silence(world, 100, 200)
        world.rule.see_at(r1=HOLDS)
        assert world.runs(0, 60) == ["first at 30"]

    @pytest.mark.parametrize(
        ("op", "value"),
        [("=", "r1"), ("=~", "r[1-9]"), ("!=", "r2"), ("!~", "x.*")],
    )
    def test_any_matcher_serves(self, world: World, op: MatcherOp, value: str) -> None:
        silence(world, 0, 100, op=op, value=value)
        world.rule.see_at(r1=HOLDS)
        assert world.runs(0, 95) == []

    def test_the_rule_is_a_label(self, world: World) -> None:
        silence(world, 0, 100, name="rule", value="edge-lag")
        world.rule.see_at(r1=HOLDS)
        assert world.runs(0, 95) == []

    def test_it_is_no_state(self, world: World) -> None:
        silence(world, 0, 100)
        world.rule.see_at(r1=HOLDS)
        (step,) = world.at(5)
        assert (step.after, world.alert_state("r1")) == ("firing", "firing")


class TestAcknowledgements:
    def test_one_of_an_earlier_firing_counts_for_nothing(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS)
        world.runs(0, 60)
        acknowledge(world)
        world.rule.see_at(r1=CLEAR)
        world.runs(65, 400)
        world.rule.see_at(r1=HOLDS)
        assert world.runs(405, 1_700) == ["first at 435", "repeat at 1635"]
        assert world.store.acks() == []

    def test_of_another_alert_changes_nothing(self, world: World) -> None:
        world.rule.see_at(r1=HOLDS, r2=HOLDS)
        world.runs(0, 60)
        acknowledge(world, "r2")
        assert world.runs(65, 1_300) == ["repeat at 1230"]


class TestInhibition:
    def test_an_alert_that_is_told_to_nobody_explains_nothing_away(self, store: Store) -> None:
        world = _with_unreachable(store)
        stale, unreachable = world.rules
        unreachable.mode = "observe"
        stale.see_at(r1=HOLDS)
        unreachable.see_at(r1=HOLDS)
        assert world.runs(0, 60) == ["first at 30"]

    def test_another_node_explains_nothing(self, store: Store) -> None:
        world = _with_unreachable(store)
        stale, unreachable = world.rules
        stale.see_at(r1=HOLDS)
        unreachable.see_at(r2=HOLDS)
        assert world.runs(0, 60) == ["first at 30", "first at 30"]

    def test_a_label_that_is_missing_on_both_sides_is_not_equal(self, store: Store) -> None:
        world = _with_unreachable(store)
        stale, unreachable = world.rules
        for rule in (stale, unreachable):
            rule.sees = [Look({"layer": "regional"}, HOLDS, "it holds")]
        assert world.runs(0, 60) == ["first at 30", "first at 30"]

    def test_what_is_explained_is_resolved_once_it_is_not(self, store: Store) -> None:
        world = _with_unreachable(store)
        stale, unreachable = world.rules
        stale.see_at(r1=HOLDS)
        unreachable.see_at(r1=CLEAR)
        assert world.runs(0, 395) == ["first at 30"]
        unreachable.see_at(r1=HOLDS)
        world.runs(400, 430)
        stale.see_at(r1=CLEAR)
        told = world.runs(435, 500)
        unreachable.see_at(r1=CLEAR)
        told += world.runs(505, 800)
        assert told == ["all-resolved at 505", "all-resolved at 730"]


def test_a_store_of_an_earlier_version_goes_on_in_its_threads(world: World) -> None:
    """A group that was made of a notification of one alert, as the migration makes them."""
    world.rule.see_at(r1=HOLDS)
    world.runs(0, 60)
    (row,) = world.store.groups()
    id = alert_id("edge-lag", {"layer": "regional", "node": "r1"})
    old = (
        '{"rule": "edge-lag", "summary": "it lags", "reason": "the condition held for its time",'
        ' "at_ns": 1, "since_ns": 1, "labels": {"layer": "regional", "node": "r1"}, "figures": {},'
        ' "evidence": [], "cause": "", "link": "", "finding": ""}'
    )
    told = {id: replace(row.told[id], payload=old), "gone": replace(row.told[id], payload=old)}
    world.store.write_alerts([], [], [], [replace(row, thread="n-old", told=told)])
    world.restart()
    assert world.runs(65, 400) == ["some-resolved at 330"]
    assert world.owed[-1].thread == "n-old"
    (going_on, over) = Message.from_payload(world.owed[-1].payload).alerts[::-1]
    assert (going_on.status, over.status, over.summary) == ("firing", "resolved", "it lags")
