"""What the nodes of the seeded hour counted: a restart, a silent node, one that tells no rate.

`python -m tests.dashboard.seed_counters FILE` writes the hour with it to a new file, to look at.
"""

import random
import sys
import time
from typing import Final

from store.base import Store
from store.counters import NODE, CounterRow
from tests.dashboard.seed import DEAD, NODES, SECOND, seed

MIB: Final = 1 << 20
RESTARTED: Final = "redis-us"
SILENT_KIND: Final = "inprocess"
SCRAPED: Final = "redis-eu"


def seed_counters(store: Store, now: int) -> None:
    """After `seed`, at the same `now` (Unix nanoseconds)."""
    dice = random.Random(3)
    minute = now // SECOND // 60 * 60
    rows = [
        _row(dice, minute - 60 * back, layer, node, kind, back)
        for layer, node, _, kind, _, _ in NODES
        for back in range(59, -1, -1)
        if kind != SILENT_KIND
    ]
    rows += [
        CounterRow(
            minute - 60 * back, "regional", SCRAPED, "prometheus:main", 60 * SECOND, 2,
            hits=9_000 + 10 * back, misses=800, own_hits=(1_000, 2_900, 4_800),
            memory_bytes=40 * MIB, last_at_ns=(minute - 60 * back + 30) * SECOND,
        )
        for back in range(20, -1, -1)
    ]  # fmt: skip
    store.write_counters(rows)


def _row(
    dice: random.Random, start_s: int, layer: str, node: str, kind: str, back: int
) -> CounterRow:
    at_ns = (start_s + 45) * SECOND
    if node == DEAD and back <= 15:
        return CounterRow(
            start_s, layer, node, NODE, unanswered=4, last_at_ns=at_ns,
            why="INFO: connection refused: nothing listens there; check host and port",
        )  # fmt: skip
    is_restart = node == RESTARTED and back == 24
    hits, misses = dice.randrange(8_800, 9_400), dice.randrange(500, 900)
    if node == RESTARTED and back < 24:
        misses += 90 * back
    is_redis = kind == "redis"
    return CounterRow(
        start_s, layer, node, NODE,
        (30 if is_restart else 60) * SECOND, 4, 0, int(is_restart), hits, misses,
        (2_900, 2_900, 2_900) if is_redis else (1_900, 2_000, 2_200),
        (40, 40, 40) if is_redis else (0, 10, 200),
        dice.randrange(0, 30), dice.randrange(50, 90), dice.randrange(0, 9),
        dice.randrange(14_000, 15_000), dice.randrange(30_000, 60_000) if is_redis else None,
        (60 - back) * MIB + dice.randrange(MIB), 256 * MIB if is_redis else None, 40_000 - back,
        at_ns,
    )  # fmt: skip


if __name__ == "__main__":
    from store.sqlite import SqliteStore

    written, instant = SqliteStore(sys.argv[1]), time.time_ns()
    seed(written, instant)
    seed_counters(written, instant)
    written.close()
