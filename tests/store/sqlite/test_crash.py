"""A writer is killed at some instant, again and again: what it acknowledged is there, and whole."""

import random
import subprocess
import sys
from contextlib import closing

from freshness.model import Verdict
from freshness.rollup import Grain, fold
from store.sqlite import SqliteStore
from tests.store.rows import S
from tests.store.sqlite.conftest import Ask

ROUNDS = 6
END_NS = 10**6 * S


def write_until_killed(path: str, seed: int, batches: int) -> int:
    """The last batch that was acknowledged before a SIGKILL somewhere in a later one."""
    command = [sys.executable, "-m", "tests.store.sqlite.writer", path, str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        acknowledged = 0
        for _ in range(batches):
            acknowledged = int(process.stdout.readline())
        process.kill()
        return max([acknowledged, *map(int, process.stdout.read().split("\n")[:-1])])


def test_a_killed_writer_leaves_whole_batches(path: str, ask: Ask) -> None:
    draw = random.Random(1)
    for seed in range(ROUNDS):
        acknowledged = write_until_killed(path, seed, draw.randint(1, 15))
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        with closing(SqliteStore(path)) as store:
            last_run, last_read = store.last_ids()
            # The one in flight is there whole, or not at all.
            assert last_run in (acknowledged, acknowledged + 1)
            assert last_read == 50 * last_run
            assert_counts_are_rows(store)


def assert_counts_are_rows(store: SqliteStore) -> None:
    counted: dict[tuple[int, str, Verdict], int] = {}
    for row, at_ns in store.reads(limit=10**9):
        name = (at_ns // (60 * S) * 60, row.node, row.verdict)
        counted[name] = counted.get(name, 0) + 1
        assert store.finding(row.finding or "") is not None
    minutes = dict(store.rollups("minute", 0, END_NS))
    stored = {
        (key.start_s, key.node, verdict): tally.n
        for key, cell in minutes.items()
        for verdict, tally in (
            (Verdict.STALE, cell.stale),
            (Verdict.INDETERMINATE, cell.indeterminate),
        )
        if tally.n
    }
    assert stored == counted
    store.fold(0)
    assert dict(store.rollups("hour", 0, END_NS)) == fold(minutes, Grain.HOUR)
    assert dict(store.rollups("day", 0, END_NS)) == fold(minutes, Grain.DAY)
