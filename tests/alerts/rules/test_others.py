"""Unreachable nodes, the watchdog, and rules that are looked at less often."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from alerts.inhibition import Suspect, find_inhibitions
from alerts.look import Condition, Look
from alerts.rules import Paced, Unreachable, Watchdog
from alerts.rules.base import Common
from store.base import Batch, Store
from store.past import UNTOLD
from store.sqlite import SqliteStore
from tests.alerts.timeline import Timeline
from tests.store.rows import S, node

NOW = 1_800_000_000 * S
RULE = Unreachable(name="away")


@pytest.mark.parametrize(
    ("changes", "wants"),
    [
        pytest.param({}, Condition.CLEAR, id="it answers"),
        pytest.param({"state": "unknown", "why": "refused"}, Condition.HOLDS, id="it does not"),
        pytest.param({"state": "unknown"}, Condition.HOLDS, id="it never did"),
        pytest.param({"state": "unknown", "why": UNTOLD}, Condition.UNKNOWN, id="nobody knows"),
    ],
)
def test_a_node(changes: dict[str, Any], wants: Condition) -> None:
    look = RULE.judge(replace(node("r1"), **changes), NOW)
    assert (look.condition, look.labels) == (wants, {"layer": "regional", "node": "r1"})
    assert not look.is_inhibited


def test_it_fires_after_five_minutes_unless_discovery_drops_the_node() -> None:
    for_s = RULE.timing.for_ns / S
    away = Timeline(for_s).holds().every(5, 295)
    assert away.states == ["pending"]
    assert Timeline(for_s).holds().every(5, 300).states == ["pending", "firing"]
    assert away.at(299).is_gone().states == ["pending", "inactive"]


def test_what_discovery_dropped_is_not_looked_at() -> None:
    store = SqliteStore(":memory:")
    rows = [node("r1", state="gone"), node("r2", state="unknown"), node("e1", "edge")]
    store.write(Batch(nodes=rows))
    assert [look.labels["node"] for look in RULE.look(store, NOW)] == ["e1", "r2"]
    (look,) = replace(RULE, layer="regional").look(store, NOW)
    assert look.condition is Condition.HOLDS
    store.close()


def test_it_explains_what_other_rules_say_of_the_same_node() -> None:
    r1, r2 = ({"layer": "regional", "node": name} for name in ("r1", "r2"))
    away = Suspect("a", "away", RULE.kind, r1, True, RULE.inhibits)
    others = [
        Suspect("s", "stale", "staleness", r1, True),
        Suspect("t", "stale", "staleness", r2, True),
        Suspect("l", "lag", "propagation-lag", {"layer": "regional"}, True),
        Suspect("m", "lost", "measurement-lost", r1, True),
    ]
    assert list(find_inhibitions([away, *others])) == ["s"]


def test_they_say_when_they_fire() -> None:
    assert RULE.in_words() == (
        "Fires when a node has not answered for 5 min and discovery still lists it."
    )
    assert Watchdog(name="dog").in_words().startswith("Fires always")


def test_a_watchdog_always_fires() -> None:
    store = SqliteStore(":memory:")
    (look,) = Watchdog(name="dog").look(store, NOW)
    assert (look.condition, look.labels) == (Condition.HOLDS, {})
    store.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Costly(Common):
    """Sees the instant of the look."""

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:  # noqa: ARG002
        return [Look({}, Condition.CLEAR, str(now_ns))]

    def in_words(self) -> str:
        return "Fires never."


def test_a_paced_rule_says_again_what_it_saw() -> None:
    store = SqliteStore(":memory:")
    paced = Paced(Costly(name="costly"), 30)
    seen = [paced.look(store, now)[0].summary for now in (100, 129, 130, 20, 45, 50)]
    assert seen == ["100", "100", "130", "20", "20", "50"]
    assert (paced.name, paced.mode, paced.in_words()) == ("costly", "observe", "Fires never.")
    store.close()
