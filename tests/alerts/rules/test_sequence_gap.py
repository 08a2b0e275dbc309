"""What a sequence proves of a node, and where it proves nothing."""

from dataclasses import replace

import pytest

from alerts.look import Condition
from alerts.rules import SequenceGap
from store.base import Batch
from store.messages import Told
from store.sqlite import SqliteStore
from tests.store.rows import S, invalidation, node, receipt

NOW = 1_800_000_000 * S
MIN = 60 * S
RULE = SequenceGap(name="gaps", placement={"product": frozenset({"regional"})})


def told(n: int, *nodes: str, **changes: object) -> Told:
    at_ns = NOW - 5 * MIN + n * S
    sent = invalidation(n, written_at_ns=at_ns, received_at_ns=at_ns, **changes)
    return Told(sent, [receipt(n, name, at_ns=at_ns, received_at_ns=at_ns) for name in nodes])


def stream(heard: set[int], of: int = 40) -> list[Told]:
    """Messages 1 to `of`; r1 acknowledged those in `heard`."""
    return [told(n, *(["r1"] if n in heard else [])) for n in range(1, of + 1)]


ALL = set(range(1, 41))


@pytest.mark.parametrize(
    ("heard", "wants"),
    [
        pytest.param(ALL, Condition.CLEAR, id="heard all"),
        pytest.param(ALL - {20}, Condition.HOLDS, id="one between others is missing"),
        pytest.param(ALL - {39, 40}, Condition.CLEAR, id="the newest may still come"),
        pytest.param(ALL - {1, 2}, Condition.CLEAR, id="of those before its first nobody knows"),
        pytest.param(set(range(1, 41, 2)), Condition.UNKNOWN, id="spans look sampled"),
        pytest.param(set(), Condition.UNKNOWN, id="no word at all"),
    ],
)
def test_the_condition(heard: set[int], wants: Condition) -> None:
    (look,) = RULE.judge([node("r1")], stream(heard), NOW)
    assert look.condition is wants


def test_it_names_the_messages_and_links_to_the_first() -> None:
    (look,) = RULE.judge([node("r1")], stream(ALL - {20, 21}), NOW)
    assert look.summary == "regional/r1 never heard 2 messages of the last 15 min"
    assert look.evidence == [
        "regional/r1 never heard 20 to 21 of shop/prices, and heard what came after"
    ]
    assert look.link.startswith("invalidations/i20?")
    assert look.value == 2


def test_a_node_loses_nothing_of_keyspaces_that_are_elsewhere() -> None:
    other = [told(n, keyspace="page") for n in (10, 20)]
    rows = [each for each in stream(ALL - {10, 20}) if each.receipts] + other
    (look,) = RULE.judge([node("r1")], rows, NOW)
    assert look.condition is Condition.CLEAR


def test_of_a_node_that_holds_a_share_of_the_keys_nothing_is_proven() -> None:
    shard = node("r1", hears_all=False)
    (look,) = RULE.judge([shard], stream(ALL - {20}), NOW)
    assert (look.condition, look.evidence) == (Condition.UNKNOWN, [])


def test_a_layer_that_takes_no_messages_is_not_looked_at() -> None:
    assert RULE.judge([node("e1", "edge")], stream(ALL), NOW) == []


def test_a_store_gives_the_messages_of_the_window() -> None:
    store = SqliteStore(":memory:")
    store.write(Batch(nodes=[node("r1")]))
    rows = stream(ALL - {20})
    store.write_messages(
        [each.invalidation for each in rows], [r for e in rows for r in e.receipts]
    )
    (look,) = RULE.look(store, NOW)
    assert look.condition is Condition.HOLDS
    (later,) = RULE.look(store, NOW + 20 * MIN)
    assert later.condition is Condition.UNKNOWN
    store.close()


def test_it_says_when_it_fires() -> None:
    assert replace(RULE, layer="regional").in_words() == (
        "Fires when the sequence of a publisher proves that a node of layer regional never heard"
        " a message of the last 15 min."
    )
