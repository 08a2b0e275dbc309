"""Shards: a ring spreads the keys over them, and a message may go to the wrong one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from uhashring import HashRing

from lab.score import stale_intervals
from lab.start import Lab, start_lab
from lab.truth import Fault
from stalewatch.config import load
from tests.servers import wait_until

NODES = ("shard-1", "shard-2")


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A quiet lab that has shards."""
    with start_lab(tmp_path_factory.mktemp("lab"), 1, faults=False, shards=len(NODES)) as lab:
        yield lab


def owner(key: str) -> str:
    return str(HashRing(nodes=list(NODES), hash_fn="ketama").get_node(f"product:{key}"))


def test_the_config_says_who_holds_what(sharded: Lab) -> None:
    layer = load(Path(sharded.config)).layers["shard"]
    assert layer.placement == "ring"
    assert layer.ring is not None
    assert layer.ring.hash == "ketama"


def test_only_owners_hold_copies(sharded: Lab) -> None:
    def held() -> set[tuple[str, str]]:
        return {(h.node, h.key) for h in sharded.truth().holdings if h.layer == "shard"}

    wait_until(lambda: len(held()) > 20, "copies of many keys")
    assert {node for node, _ in held()} == set(NODES)
    assert all(owner(key) == node for node, key in held())


def test_a_misrouted_message_leaves_the_owner_stale(sharded: Lab) -> None:
    sharded.inject("misrouted_key", None, 1.0)

    def repaired() -> list[Fault]:
        return [fault for fault in sharded.truth().faults if fault.end_s]

    wait_until(repaired, "the repair")
    (fault,) = repaired()
    (key,) = fault.keys
    assert fault.node == owner(key)
    assert {fault.node, fault.wrong["receipt_from"]} == set(NODES)
    # Elsewhere a copy is stale until the message is there, some milliseconds.
    own = [each for each in stale_intervals(sharded.truth()) if each.key == key]
    longest = max(own, key=lambda each: each.duration_s)
    assert longest.node == fault.node
    assert longest.duration_s >= 1.0
