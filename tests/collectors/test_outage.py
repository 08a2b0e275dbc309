"""How other keys fare at a node whose copy of one is stale."""

from collections.abc import Mapping

import pytest

from collectors.outage import Surroundings
from freshness.causes import Neighbours
from freshness.ledger import Ledger
from freshness.model import Order, Reading, Result, Value
from freshness.runs import RunBook

S = 10**9
KEYS = ("ours", "a", "b", "c")
Versions = Mapping[str, int]


class Scene:
    """One origin and one node, each read at seconds that a test picks."""

    def __init__(self) -> None:
        self.ledger = Ledger(Order.COUNTER, 100 * S)
        self.runs = RunBook(100 * S)
        self.around = Surroundings(self.runs, lambda: KEYS)

    def origin(self, at_s: int, versions: Versions) -> None:
        """The leader's word, within a tenth of a second."""
        self.ledger.observe_origin(KEYS, _readings(versions), at_s * S, at_s * S + S // 10)

    def node(self, at_s: int, versions: Versions) -> None:
        """What the node held."""
        self.runs.observe(KEYS, _readings(versions), at_s * S, at_s * S + S // 10)

    def tell(self, mark_s: float) -> Neighbours:
        """How others fare, where ours was superseded by a second."""
        return self.around.neighbours(self.ledger, "ours", int(mark_s * S))


def _readings(versions: Versions) -> list[Reading]:
    return [Reading(Result.VALUE, Value(versions.get(key, 1))) for key in KEYS]


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.origin(10, {})
    return made


def test_all_that_changed_since_may_be_behind(scene: Scene) -> None:
    scene.origin(20, {"ours": 2, "a": 2, "b": 2})
    scene.origin(30, {"ours": 2, "a": 2, "b": 2, "c": 2})
    scene.node(31, {})
    assert scene.tell(20.1) == Neighbours(behind=3, current=0)


def test_a_key_that_changed_since_for_certain_is_current(scene: Scene) -> None:
    scene.origin(20, {"ours": 2, "a": 2})
    scene.origin(21, {"ours": 2, "a": 2})
    scene.origin(30, {"ours": 2, "a": 2, "c": 2})
    scene.node(31, {"c": 2})
    assert scene.tell(20.1) == Neighbours(behind=1, current=1)


def test_a_key_that_may_have_changed_before_proves_nothing(scene: Scene) -> None:
    # Between two reads of the origin both changed: the node may have taken up `a`, then lost touch.
    scene.origin(20, {"ours": 2, "a": 2, "b": 2})
    scene.node(21, {"a": 2})
    assert scene.tell(20.1) == Neighbours(behind=1, current=0, unsure=1)
