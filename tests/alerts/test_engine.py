"""The engine over a real store: what is stepped, written and owed, through restarts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from alerts.engine import Engine, alert_id
from alerts.look import Condition, Look
from alerts.notices import REPEAT_NS
from alerts.rules import Mode, Staleness
from alerts.rules.base import AT_ONCE
from alerts.state import NS_PER_S, Timing, Why
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Batch, Store, StoreError
from store.sqlite import SqliteStore
from tests.store.rows import S, finding, node

START = 1_800_000_000 * NS_PER_S
R1 = {"layer": "regional", "node": "r1"}
SRE = {"sre": ("a@example.com", "b@example.com")}


@dataclass
class Scripted:
    """A rule that sees what a test tells it to, of each of some labels."""

    name: str = "edge-lag"
    timing: Timing = AT_ONCE
    channels: Sequence[str] = ("sre",)
    mode: Mode = "notify"
    kind: str = "propagation-lag"
    sees: list[Look] = field(default_factory=list)

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:  # noqa: ARG002
        return self.sees

    def in_words(self) -> str:
        return "Fires when a test says so."

    def see(self, condition: Condition, *, is_inhibited: bool = False) -> None:
        self.sees = [Look(R1, condition, f"it {condition}", 7.0, is_inhibited=is_inhibited)]


class World:
    """A store, a rule, and engines that come and go."""

    def __init__(self, store: Store, rule: Scripted) -> None:
        self.store = store
        self.rule = rule
        self.restart()

    def restart(self, *, without_rule: bool = False) -> None:
        self.engine = Engine(self.store, [] if without_rule else [self.rule], SRE)

    def at(
        self, second: float, condition: Condition | None = None, *, is_inhibited: bool = False
    ) -> Sequence[TransitionRow]:
        if condition is not None:
            self.rule.see(condition, is_inhibited=is_inhibited)
        return self.engine.evaluate(START + round(second * S))

    @property
    def alert(self) -> AlertRow:
        (row,) = self.store.alerts()
        return row

    @property
    def owed(self) -> list[NotificationRow]:
        return list(reversed(self.store.notifications()))

    @property
    def kinds(self) -> list[str]:
        return [row.kind for row in self.owed]


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store, Scripted())


def test_a_firing_alert_is_owed_once_to_each_channel_with_what_was_seen(world: World) -> None:
    (step,) = world.at(1, Condition.HOLDS)
    world.at(6)
    (row,) = world.owed
    assert (step.before, step.after, step.reason) == ("inactive", "firing", Why.HELD)
    assert world.store.transitions() == [step]
    assert (row.kind, row.channel, row.thread, row.state) == ("firing", "sre", row.id, "owed")
    assert row.recipients == SRE["sre"]
    (told,) = json.loads(row.payload)["alerts"]
    assert (told["rule"], told["summary"], told["labels"]) == ("edge-lag", "it holds", R1)
    assert told["at_ns"] == told["since_ns"] == START + S


def test_a_resolution_goes_into_the_thread_of_its_firing(world: World) -> None:
    world.at(1, Condition.HOLDS)
    world.at(9, Condition.CLEAR)
    world.at(14)
    firing, resolved = world.owed
    assert (resolved.kind, resolved.thread) == ("resolved", firing.id)
    assert json.loads(resolved.payload)["alerts"][0]["reason"] == Why.RECOVERED
    assert world.alert.state == "resolved"


def test_what_goes_on_firing_is_repeated_every_four_hours(world: World) -> None:
    world.at(0, Condition.HOLDS)
    world.at(REPEAT_NS / S - 1)
    assert world.kinds == ["firing"]
    for hours in (4, 4.1, 8):
        world.at(hours * 3600)
    assert world.kinds == ["firing", "repeat", "repeat"]
    assert len({row.thread for row in world.owed}) == 1


def test_a_second_firing_is_a_thread_of_its_own(world: World) -> None:
    for second, condition in enumerate([Condition.HOLDS, Condition.CLEAR, Condition.HOLDS]):
        world.at(second, condition)
    assert world.kinds == ["firing", "resolved", "firing"]
    assert len({row.thread for row in world.owed}) == 2


@pytest.mark.parametrize("state", ["inactive", "pending", "firing", "resolved"])
def test_a_restart_in_each_state_neither_forgets_nor_tells_twice(world: World, state: str) -> None:
    def run(until_restart: str) -> list[object]:
        seen: list[object] = []
        for second, condition in [
            (0, Condition.CLEAR),
            (5, Condition.HOLDS),
            (15, Condition.HOLDS),
            (25, Condition.CLEAR),
            (30, Condition.CLEAR),
        ]:
            seen += [step.after for step in world.at(second, condition)]
            present = {row.state for row in world.store.alerts()} or {"inactive"}
            if until_restart in present:
                world.restart()
        return seen

    world.rule.timing = Timing(for_ns=10 * S)
    world.restart()
    assert run(state) == ["pending", "firing", "resolved"]
    assert world.kinds == ["firing", "resolved"]


def test_pending_that_ends_early_leaves_the_book(world: World) -> None:
    world.rule.timing = Timing(for_ns=10 * S)
    world.restart()
    world.at(0, Condition.HOLDS)
    world.at(5, Condition.CLEAR)
    assert list(world.store.alerts()) == []
    assert [step.after for step in world.store.transitions()] == ["inactive", "pending"]
    assert world.owed == []


def test_lost_measurement_freezes_and_repeats_nothing(world: World) -> None:
    world.at(0, Condition.HOLDS)
    world.at(5, Condition.UNKNOWN)
    assert world.alert.is_frozen
    world.at(5 * 3600)
    assert world.kinds == ["firing"]


def test_what_a_greater_fault_explains_is_told_once_that_is_over(world: World) -> None:
    world.at(0, Condition.HOLDS, is_inhibited=True)
    assert world.alert.state == "firing"
    assert world.owed == []
    world.at(5, Condition.HOLDS)
    assert world.kinds == ["firing"]


def test_a_rule_that_observes_tells_nobody(world: World) -> None:
    world.rule.mode = "observe"
    world.at(0, Condition.HOLDS)
    world.at(5, Condition.CLEAR)
    assert world.alert.state == "resolved"
    assert world.owed == []


def test_a_rule_that_leaves_the_config_resolves_what_it_told(world: World) -> None:
    world.at(0, Condition.HOLDS)
    world.restart(without_rule=True)
    (step,) = world.at(5)
    assert (step.after, step.reason) == ("resolved", Why.GONE)
    assert world.kinds == ["firing", "resolved"]


def test_a_node_that_discovery_drops_resolves_its_alert(world: World) -> None:
    world.at(0, Condition.HOLDS)
    world.rule.sees = []
    (step,) = world.at(5)
    assert step.reason == Why.GONE


def test_what_the_store_refuses_has_not_happened(world: World) -> None:
    world.rule.see(Condition.HOLDS)
    closed = SqliteStore(":memory:")
    engine = Engine(closed, [world.rule], SRE)
    closed.close()
    with pytest.raises(StoreError):
        engine.evaluate(START)


def test_an_alert_is_known_by_its_rule_and_labels() -> None:
    swapped = {"node": "r1", "layer": "regional"}
    assert alert_id("edge-lag", R1) == alert_id("edge-lag", swapped)
    assert alert_id("edge-lag", R1) != alert_id("other", R1)
    assert alert_id("edge-lag", R1) != alert_id("edge-lag", {**R1, "node": "r2"})


def test_staleness_from_a_store_fires_and_resolves(store: Store) -> None:
    rule = Staleness(name="stale", layer="regional", channels=("sre",), mode="notify")
    engine = Engine(store, [rule], SRE)
    minute = START // NS_PER_S // 60 * 60
    key = RollupKey(minute, "product", "regional", "r1", "walk", 2 * S, "1")
    cell = Rollup()
    cell.add(Reads(Verdict.FRESH, n=50))
    store.write(Batch(nodes=[node("r1"), node("r2")], rollups={key: cell}))
    assert engine.evaluate(START) == []
    open_one = finding("f1", opened_at_ns=START, confirmed_at_ns=START)
    store.write(Batch(findings=[open_one, finding("f2", state="opened", node="r2")]))
    (fired,) = engine.evaluate(START + S)
    healed = replace(open_one, state="healed", healed_at_ns=START + 2 * S)
    store.write(Batch(findings=[healed]))
    (resolved,) = engine.evaluate(START + 3 * S)
    assert fired.alert == resolved.alert == alert_id("stale", R1)
    assert [row.kind for row in store.notifications()] == ["resolved", "firing"]
    assert json.loads(store.notifications()[1].payload)["alerts"][0]["finding"] == "f1"
