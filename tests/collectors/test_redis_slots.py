"""Slots of a Redis Cluster, and its description of itself: against a real one, and bent lines."""

import pytest

from collectors.redis_slots import SlotMap, parse_nodes, slot_of
from tests.servers import RedisNode

NAMES = ["product:1", "{a}:1", "{a}:2", "x{a}y{b}", "{}x", "{x", "x}{y}", "}{", "é", "{é}1", ""]
MASTER = "aa 10.0.0.1:7000@17000,redis-1 myself,master - 0 0 3 connected 0-5 7 [8->-bb] [9-<-bb]"
REPLICA = "bb ::1:7001@17001 slave aa 0 0 3 connected"
OTHER = "cc 10.0.0.3:7000@17000 master,fail - 0 0 2 disconnected 8-16383"


def test_slots_are_those_of_the_server() -> None:
    with RedisNode() as node:
        slots = [node.client.cluster("KEYSLOT", name) for name in NAMES]
        assert [slot_of(name.encode()) for name in NAMES] == slots


def test_a_description_is_read() -> None:
    master, replica, other = parse_nodes(f"{MASTER}\n{REPLICA}\n{OTHER}\n")
    assert (master.address, master.hostname, master.epoch) == (("10.0.0.1", 7000), "redis-1", 3)
    assert ([*master.slots], master.arriving) == ([range(6), range(7, 8)], frozenset({9}))
    assert (replica.address, replica.master) == (("::1", 7001), "aa")
    assert (other.is_failed, master.is_failed) == (True, False)
    slots = SlotMap([master, replica, other], {"aa": "m", "bb": "r", "cc": "o"})
    [low, none, high] = [
        next(name for n in range(10**6) if slot_of((name := str(n)).encode()) in wanted)
        for wanted in (range(6), (6,), range(100, 200))
    ]
    assert slots.holders(low) == {"m", "r"}
    assert slots.holders(none) is None
    assert slots.holders(high) == {"o"}


def test_who_has_no_address_yet_is_left_out_but_the_node_itself() -> None:
    alone = "aa :7000@17000 myself,master - 0 0 1 connected"
    strangers = "bb :0@0 master,noaddr - 0 0 0 x\ncc 10.0.0.9:1@2 handshake - 0 0 0 x"
    [node] = parse_nodes(f"{alone}\n{strangers}")
    assert node.address == ("", 7000)


@pytest.mark.parametrize(
    "told",
    [
        "",
        OTHER,
        f"{MASTER}\n{MASTER}",
        "aa 10.0.0.1:7000@17000 myself",
        MASTER.replace("7000", "x"),
        MASTER.replace("0-5", "0-16384"),
        MASTER.replace("0-5", "no-slots"),
        "\n".join([MASTER] + [OTHER] * 2000),
    ],
    ids=[
        "nothing",
        "no line of itself",
        "two of itself",
        "short line",
        "no port",
        "slot too high",
        "no slot",
        "too many nodes",
    ],
)
def test_nonsense_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_nodes(told)
