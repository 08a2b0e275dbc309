"""A process that writes batches until killed: `python -m tests.store.sqlite.writer PATH SEED`.

Each batch has stale and indeterminate reads, and counts them in their minutes. A line is printed
after each commit, with the number of the batch.
"""

import random
import sys
from collections import defaultdict
from itertools import count

from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, Clock
from store.sqlite import SqliteStore
from tests.store.rows import S, finding, read, run

WALL = Clock("wall", wall_offset_ns=0, opened_at_ns=0)
VERDICTS = (Verdict.STALE, Verdict.INDETERMINATE)
MINUTE_NS = 60 * S


def batch_of(number: int, first_read: int, draw: random.Random) -> Batch:
    """Some reads that were not fresh, their counts, their finding and a run."""
    rollups: dict[RollupKey, Rollup] = defaultdict(Rollup)
    reads = []
    for id_ in range(first_read, first_read + 50):
        verdict, node = draw.choice(VERDICTS), draw.choice(["r1", "r2"])
        start_ns = draw.randrange(20) * MINUTE_NS + draw.randrange(MINUTE_NS)
        row = read(
            id_, clock="wall", node=node, start_ns=start_ns, verdict=verdict, finding=f"f{number}"
        )
        key = RollupKey(
            start_ns // MINUTE_NS * 60, "product", "regional", node, "random", 2 * S, "d1"
        )
        rollups[key].add(Reads(verdict))
        reads.append(row)
    findings = [finding(f"f{number}")]
    return Batch([WALL], [run(number, clock="wall")], reads, (), findings, rollups=rollups)


def main(path: str, seed: int) -> None:
    """Write, fold now and then, and say so."""
    draw, store = random.Random(seed), SqliteStore(path)
    last_run, last_read = store.last_ids()
    for number in count(last_run + 1):
        store.write(batch_of(number, last_read + 1, draw))
        last_read += 50
        print(number, flush=True)
        if number % 7 == 0:
            store.fold(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
