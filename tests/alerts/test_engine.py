"""The engine over a real store: what is stepped, written and owed, through restarts."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from alerts.base import Message
from alerts.engine import Engine, alert_id
from alerts.look import Condition
from alerts.rules import Staleness
from alerts.state import NS_PER_S, Timing, Why
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, Store, StoreError
from store.sqlite import SqliteStore
from tests.alerts.world import R1, RECIPIENTS, REPEAT_NS, SRE, START, Scripted, World
from tests.store.rows import S, finding, node


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
    assert (row.kind, row.channel, row.thread, row.state) == ("first", "sre", row.id, "owed")
    assert row.recipients == RECIPIENTS
    message = Message.from_payload(row.payload)
    (told,) = message.alerts
    assert (message.occasion, message.group) == ("first", {"rule": "edge-lag"})
    assert message.link == "alerts?silence=rule%3Dedge-lag%0Alayer%3Dregional%0Anode%3Dr1"
    assert (told.rule, told.summary, told.labels) == ("edge-lag", "it holds", R1)
    assert (told.id, row.alerts) == (alert_id("edge-lag", R1), (told.id,))
    assert told.at_ns == told.since_ns == message.at_ns == START + S


def test_a_resolution_goes_into_the_thread_of_its_firing(world: World) -> None:
    world.at(1, Condition.HOLDS)
    world.at(9, Condition.CLEAR)
    world.at(14)
    firing, resolved = world.owed
    assert (resolved.kind, resolved.thread) == ("all-resolved", firing.id)
    (told,) = Message.from_payload(resolved.payload).alerts
    assert (told.reason, told.ends_at_ns) == (Why.RECOVERED, START + 9 * S)
    assert world.alert.state == "resolved"
    assert world.store.groups() == []


def test_what_goes_on_firing_is_repeated_every_four_hours(world: World) -> None:
    world.at(0, Condition.HOLDS)
    world.at(REPEAT_NS / S - 1)
    assert world.kinds == ["first"]
    for hours in (4, 4.1, 8):
        world.at(hours * 3600)
    assert world.kinds == ["first", "repeat", "repeat"]
    assert len({row.thread for row in world.owed}) == 1


def test_a_second_firing_is_a_thread_of_its_own(world: World) -> None:
    for second, condition in enumerate([Condition.HOLDS, Condition.CLEAR, Condition.HOLDS]):
        world.at(second, condition)
    assert world.kinds == ["first", "all-resolved", "first"]
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
    assert world.kinds == ["first", "all-resolved"]


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
    assert world.kinds == ["first"]


def test_what_a_greater_fault_explains_is_told_once_that_is_over(world: World) -> None:
    world.at(0, Condition.HOLDS, is_inhibited=True)
    assert (world.alert.state, world.alert.inhibited_by) == (
        "firing",
        "regional/r1 does not answer",
    )
    assert world.owed == []
    world.at(5, Condition.HOLDS)
    assert world.kinds == ["first"]


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
    assert world.kinds == ["first", "all-resolved"]


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
    assert [row.kind for row in store.notifications()] == ["all-resolved", "first"]
    assert Message.from_payload(store.notifications()[1].payload).alerts[0].finding == "f1"
