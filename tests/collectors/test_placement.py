"""Which node of a ring holds an entry, as the clients of it say.

The table was made by storing entries with each client in four real memcached on these ports, and
looking where they were: libmemcached 1.0.16 with `ketama_weighted` (pylibmc 1.6.3), and
python-memcached 1.62, with which libmemcached agrees where it hashes with `crc` and spreads with
`modula`. `Ring` found each of 2000 entries; 60 of them stand here.
"""

from collections import Counter

import pytest

from collectors.discovery import Discovery, NodeEntry
from collectors.placement import Ring, RingOptions, Share

NODES = [f"127.0.0.1:{port}" for port in (21211, 21212, 21213, 21214)]
ENTRIES = [f"product:{number}" for number in range(60)]
# The last digit of the port at which each entry was.
KETAMA = "411242221133111334434111322333344224314222313414132322132412"
MODULO = "234114323214322341412341143232321441232341233214141432234141"


async def ring_of(nodes: list[str], **options: object) -> Ring:
    found = Discovery([NodeEntry.model_validate({"static": nodes})])
    ring = Ring(found, RingOptions.model_validate(options))
    await ring.discover()
    return ring


@pytest.mark.parametrize(
    ("hashed_by", "digits"),
    [("ketama", KETAMA), ("modulo-crc", MODULO)],
    ids=["libmemcached, ketama_weighted", "python-memcached"],
)
async def test_entries_are_where_real_clients_put_them(hashed_by: str, digits: str) -> None:
    ring = await ring_of(NODES, hash=hashed_by)
    assert [ring.holders(entry) for entry in ENTRIES] == [
        (f"127.0.0.1:2121{digit}",) for digit in digits
    ]


@pytest.mark.parametrize("hashed_by", ["ketama", "modulo-crc"])
async def test_copies_are_at_different_nodes_the_first_as_without(hashed_by: str) -> None:
    alone, several = (
        await ring_of(NODES, hash=hashed_by),
        await ring_of(NODES, hash=hashed_by, copies=3),
    )
    for entry in ENTRIES:
        first, holders = alone.holders(entry), several.holders(entry)
        assert first is not None
        assert holders is not None
        assert [*holders][:1] == [*first]
        assert len({*holders}) == 3
    all_of_them = await ring_of(NODES, hash=hashed_by, copies=9)
    assert {*(all_of_them.holders("product:1") or ())} == {*NODES}


async def test_a_node_that_goes_takes_along_only_what_it_held() -> None:
    before, after = await ring_of(NODES), await ring_of(NODES[:3])
    moved = [entry for entry in ENTRIES if before.holders(entry) != after.holders(entry)]
    assert moved == [entry for entry in ENTRIES if before.holders(entry) == (NODES[3],)]


async def test_a_ring_says_when_entries_moved() -> None:
    answers = [NODES[:3], NODES[:3], NODES]

    class Listed(Discovery):
        def __init__(self) -> None:
            super().__init__([])

        async def discover(self):  # type: ignore[no-untyped-def]
            entry = NodeEntry.model_validate({"static": answers.pop(0)})
            return await Discovery([entry]).discover()

    ring = Ring(Listed(), RingOptions())
    assert ring.holders("product:1") is None  # nobody knows yet
    assert [(await ring.discover()).has_moved for _ in range(3)] == [False, False, True]


async def test_a_share_is_of_keys_by_the_names_of_their_entries() -> None:
    ring = await ring_of(NODES)
    shares = [Share(ring, node, "product:{key}") for node in NODES]
    held = Counter(str(key) for key in range(60) for share in shares if str(key) in share)
    assert held == Counter(map(str, range(60)))
    assert [KETAMA[key] == "1" for key in range(60)] == [str(key) in shares[0] for key in range(60)]


def test_where_nobody_knows_the_holders_everybody_is_asked() -> None:
    ring = Ring(Discovery([]), RingOptions())
    assert "1" in Share(ring, NODES[0], "product:{key}")
