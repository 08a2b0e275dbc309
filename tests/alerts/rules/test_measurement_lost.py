"""Losses of measurement: rounds, origins, layers and sources. It tells, and is never frozen."""

from dataclasses import replace

import pytest

from alerts.look import Condition
from alerts.rules import MeasurementLost
from alerts.rules.measurement_lost import Minutes
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import ORIGIN, Batch, NodeRow
from store.gaps import GapRow
from store.past import UNTOLD
from store.sqlite import SqliteStore
from tests.store.rows import S, node

MIN = 60 * S
NOW = 1_800_000_000 * S // MIN * MIN
RULE = MeasurementLost(
    name="lost",
    intervals_ns={"product": S},
    origins=("db",),
    layers=("regional",),
    sources=("bus",),
)


def minutes(*ago: int, since: int = 30) -> Minutes:
    """Minutes with reads, as so many minutes ago."""
    return Minutes("product", NOW - since * MIN, frozenset(NOW - n * MIN for n in ago))


EVERY = range(1, 16)


@pytest.mark.parametrize(
    ("read", "wants"),
    [
        pytest.param(minutes(*EVERY), Condition.CLEAR, id="every minute"),
        pytest.param(minutes(0, *EVERY), Condition.CLEAR, id="and the one that runs"),
        pytest.param(minutes(*range(2, 16)), Condition.CLEAR, id="one of fifteen missed"),
        pytest.param(minutes(*range(3, 16)), Condition.HOLDS, id="two of fifteen missed"),
        pytest.param(minutes(*EVERY[::2]), Condition.HOLDS, id="every other"),
        pytest.param(minutes(*range(7, 16)), Condition.HOLDS, id="nothing for six minutes"),
        pytest.param(minutes(), Condition.HOLDS, id="nothing at all"),
        pytest.param(minutes(1, 2, since=2), Condition.CLEAR, id="begun two minutes ago"),
        pytest.param(minutes(since=0), Condition.CLEAR, id="begun just now"),
    ],
)
def test_rounds(read: Minutes, wants: Condition) -> None:
    look = RULE.judge_rounds(read, NOW)
    assert (look.condition, look.labels) == (wants, {"keyspace": "product"})


def test_seldom_rounds_are_expected_seldom() -> None:
    seldom = replace(RULE, intervals_ns={"product": 10 * MIN})
    every_ten = minutes(*range(5, 100, 10), since=200)
    assert seldom.judge_rounds(every_ten, NOW).condition is Condition.CLEAR
    late = minutes(*range(65, 200, 10), since=200)
    assert seldom.judge_rounds(late, NOW).condition is Condition.HOLDS


def test_it_says_how_long_and_when() -> None:
    look = RULE.judge_rounds(minutes(*range(7, 16)), NOW)
    assert look.summary == "product was not read for 6 min"
    assert look.value == 360
    assert look.figures == {"rounds missing for": "6 min"}
    assert look.evidence[0] == "nothing was read of product at 2027-01-15 07:54 UTC"


def origin(**changes: object) -> NodeRow:
    return node("db", ORIGIN, **changes)


@pytest.mark.parametrize(
    ("nodes", "wants"),
    [
        pytest.param([origin(), node("r1")], ["clear", "clear"], id="all answer"),
        pytest.param(
            [origin(state="unknown", why="refused"), node("r1")], ["holds", "clear"], id="no origin"
        ),
        pytest.param(
            [origin(), node("r1", state="unknown"), node("r2")], ["clear", "clear"], id="one node"
        ),
        pytest.param(
            [origin(), node("r1", state="unknown"), node("r2", state="unknown")],
            ["clear", "holds"],
            id="a whole layer",
        ),
        pytest.param(
            [origin(), node("r1", state="gone")], ["clear"], id="whom discovery dropped is gone"
        ),
        pytest.param(
            [
                origin(state="unknown", why=UNTOLD),
                node("r1", state="unknown", why=UNTOLD),
                node("r2", state="unknown", why="refused"),
            ],
            ["unknown", "unknown"],
            id="a past that is not kept",
        ),
    ],
)
def test_places(nodes: list[NodeRow], wants: list[str]) -> None:
    assert [look.condition for look in RULE.judge_places(nodes, NOW)] == wants


def test_sources() -> None:
    gap = GapRow("bus", NOW - 2 * MIN, NOW - MIN, "connection refused")
    look = RULE.judge_source("bus", [gap], NOW)
    assert look.condition is Condition.HOLDS
    assert look.evidence == ["bus could not be heard for 1 min: connection refused"]
    assert RULE.judge_source("other", [gap], NOW).condition is Condition.CLEAR


def test_a_store_that_stops_being_written_is_told() -> None:
    store = SqliteStore(":memory:")
    cell = Rollup()
    cell.add(Reads(Verdict.FRESH, n=50))
    begun_s = NOW // S - 40 * 60
    cells = {
        RollupKey(begun_s + 60 * n, "product", "regional", "r1", "walk", 2 * S, "d"): cell
        for n in range(40)
    }
    store.write(Batch(nodes=[origin(), node("r1")], rollups=cells))
    store.write_gaps([GapRow("bus", NOW - MIN, None, "refused")])

    def told(at_ns: int) -> dict[str, str]:
        return {"/".join(look.labels): look.condition.value for look in RULE.look(store, at_ns)}

    calm = {"keyspace": "clear", "origin": "clear", "layer": "clear", "source": "holds"}
    assert told(NOW) == calm
    assert told(NOW + 10 * MIN)["keyspace"] == "holds"
    assert told(NOW + 600 * MIN)["keyspace"] == "holds"
    store.close()


def test_a_restart_after_a_loss_tells_of_it() -> None:
    """Nodes are met anew then; that the keyspace was measured the day before is known."""
    store = SqliteStore(":memory:")
    cell = Rollup()
    cell.add(Reads(Verdict.FRESH, n=50))
    starts = [NOW // S - 300 * 60, NOW // S - 60]
    keys = [RollupKey(at, "product", "regional", "r1", "walk", 2 * S, "d") for at in starts]
    store.write(Batch(nodes=[node("r1", since_at_ns=NOW - MIN)], rollups={keys[1]: cell}))
    rule = replace(RULE, origins=(), layers=(), sources=())
    assert [look.condition for look in rule.look(store, NOW)] == [Condition.CLEAR]
    store.write(Batch(rollups={keys[0]: cell}))
    store.fold(NOW)
    assert [look.condition for look in rule.look(store, NOW)] == [Condition.HOLDS]
    store.close()


def test_it_says_when_it_fires() -> None:
    assert RULE.in_words() == (
        "Fires when no round of a keyspace was read for 5 min or less than 90% of those in 15 min,"
        " an origin or every node of a layer does not answer, or a source of messages could not be"
        " heard in 15 min."
    )
