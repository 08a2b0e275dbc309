"""What lifetimes add up to, down the slowest way."""

import pytest

from freshness.promise import Kept, Tier, weigh_promise

TTL_5 = Tier("ttl", 5, 5)
PURGE = Tier("purge", 3, 60)


@pytest.mark.parametrize(
    ("top", "others", "kept", "adds_up"),
    [
        pytest.param(Tier("ttl", 10, 10), {}, Kept.KEPT, 10, id="its own lifetime"),
        pytest.param(Tier("ttl", 10, 11), {}, Kept.EXCEEDED, 11, id="its own is too long"),
        pytest.param(Tier("ttl", 10), {}, Kept.UNDOCUMENTED, None, id="its own is unsaid"),
        pytest.param(
            Tier("ttl", 10, 10, ["a"]), {"a": TTL_5}, Kept.EXCEEDED, 15, id="one above another"
        ),
        pytest.param(
            Tier("ttl", 15, 10, ["a", "b"]),
            {"a": TTL_5, "b": Tier("ttl", 9, 9)},
            Kept.EXCEEDED,
            19,
            id="the slowest of two",
        ),
        pytest.param(
            Tier("ttl", 12, 10, ["a"]), {"a": PURGE}, Kept.EXCEEDED, 13, id="above messages"
        ),
        pytest.param(
            Tier("purge", 10, 8, ["a"]), {"a": TTL_5}, Kept.EXCEEDED, 13, id="refilled from old"
        ),
        pytest.param(
            Tier("purge", 10, None, ["a"]),
            {"a": TTL_5},
            Kept.UNDOCUMENTED,
            None,
            id="refilled from old, for who knows how long",
        ),
        pytest.param(
            Tier("ttl", 4, None, ["a"]), {"a": TTL_5}, Kept.EXCEEDED, None, id="the rest is enough"
        ),
        pytest.param(
            Tier("versioned", 1, 600, ["a"]), {"a": PURGE}, Kept.BY_MESSAGES, 1, id="all messages"
        ),
        pytest.param(Tier("ttl", 9, 5, ["gone"]), {}, Kept.KEPT, 5, id="filled from none we know"),
        pytest.param(
            Tier("ttl", 99, 5, ["a"]),
            {"a": Tier("ttl", 9, 9, ["top"])},
            Kept.KEPT,
            14,
            id="a circle is walked once",
        ),
    ],
)
def test_promises(top: Tier, others: dict[str, Tier], kept: Kept, adds_up: int | None) -> None:
    told = weigh_promise("top", {"top": top, **others})
    assert (told.kept, told.adds_up_ns) == (kept, adds_up)
    assert told.parts[0].layer == "top"
