"""Bytes in the store after a million healthy probes.

    python -m bench.store_bytes [--probes 1000000] [--keys 1000] [--nodes 3]

A watch reads real Redis servers whose copies all equal the origin's. Rounds follow one another at
once, and the clock is put ahead to when the next was due, one interval later: the store gets the
rows that the same probes would have left in real time. Runs are extended each minute of that time
and roll-ups folded, as `up` does.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from bench.probe_rate import BINDING, fill
from collectors.base import Keyspace, Target
from collectors.journal import Ids, NodeSettings
from collectors.origin_redis import RedisOriginBinding, RedisOriginOptions, RedisOriginServer
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.sample import Sampler
from collectors.watch import Watch, WatchSettings
from freshness.model import Order
from stalewatch.clock import ObserverClock
from store.sqlite import SqliteStore
from tests.servers import RedisServer as RealRedis

NS = 10**9
INTERVAL_S, EXTEND_S = 1, 60
OPTIONS = {"batch": {"keys": 500, "bytes": "1MiB"}}


class HurriedClock(ObserverClock):
    """The observer's clock, put ahead where nothing is to be waited for."""

    _ahead_ns = 0

    def now_ns(self) -> int:
        """The stamp of this instant, with all that was skipped."""
        return super().now_ns() + self._ahead_ns

    def skip_to(self, stamp: int) -> None:
        """Go on at a later stamp."""
        self._ahead_ns += max(0, stamp - self.now_ns())


def main() -> None:
    """Probe and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=3)
    args = parser.parse_args()
    asyncio.run(measure(args.probes, args.keys, args.nodes))


async def measure(probes: int, key_count: int, nodes: int) -> None:
    """Print the bytes before and after, and the rows of each table."""
    keys = [str(number) for number in range(key_count)]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stalewatch-bench-"))
        servers = [stack.enter_context(RealRedis()) for _ in range(nodes + 1)]
        for server in servers:
            await fill(server.port, keys)
        path, clock = Path(folder) / "bench.db", HurriedClock()
        store = SqliteStore(str(path))
        watch = _watch(clock, store, keys, [server.port for server in servers])
        await watch.run_round()
        before, rounds = _bytes(path), -(-probes // (key_count * nodes))
        began = time.perf_counter()
        await _probe(watch, clock, store, rounds)
        took_s = time.perf_counter() - began
        await watch.close()
        store.close()
        _print(path, before, rounds * key_count * nodes, rounds, took_s)


def _watch(clock: HurriedClock, store: SqliteStore, keys: list[str], ports: Sequence[int]) -> Watch:
    origin = RedisOriginServer(
        RedisOriginOptions.model_validate(
            {"host": "127.0.0.1", "port": ports[0], "linearizable": True, **OPTIONS}
        ),
        clock.now_ns,
    ).open(RedisOriginBinding.model_validate(BINDING), Keyspace("product"))
    settings = WatchSettings("product", Order.COUNTER, INTERVAL_S * NS)
    watch = Watch(settings, origin, Sampler(keys, len(keys)), clock, Ids(), store.write)
    for port in ports[1:]:
        node = RedisServer(
            Target(str(port), "127.0.0.1", port),
            RedisOptions.model_validate(OPTIONS),
            clock.now_ns,
        )
        cache = node.open(RedisBinding.model_validate(BINDING), Keyspace("product"))
        limit_ns = 2 * NS
        watch.add_node(
            NodeSettings("regional", str(port), "eu", "redis", "", "purge", limit_ns), cache
        )
    return watch


async def _probe(watch: Watch, clock: HurriedClock, store: SqliteStore, rounds: int) -> None:
    start = clock.now_ns()
    for number in range(1, rounds + 1):
        clock.skip_to(start + number * INTERVAL_S * NS)
        await watch.run_round()
        if number * INTERVAL_S % EXTEND_S == 0:
            await watch.extend()
            store.fold(clock.now_ns() + clock.as_row().wall_offset_ns)


def _bytes(path: Path) -> int:
    """The size of the file with all of its log in it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def _print(path: Path, before: int, probes: int, rounds: int, took_s: float) -> None:
    after = _bytes(path)
    print(f"{probes:,} healthy probes in {rounds} rounds ({took_s:.0f} s for {rounds} s of them)")
    print(f"after the first round {before:,} bytes, after the last {after:,}")
    print(f"{after - before:,} bytes more: {(after - before) / probes:.3f} a probe")
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (name,) in sorted(tables.fetchall()):
            (rows,) = connection.execute(f"SELECT count(*) FROM [{name}]").fetchone()
            if rows:
                print(f"  {name:<22}{rows:>9,}")
        verdicts = connection.execute(
            "SELECT sum(fresh), sum(stale), sum(indeterminate), sum(unknown) FROM cells "
            "WHERE grain_s = 60"
        ).fetchone()
    print("fresh, stale, indeterminate, unknown:", *(f"{n:,}" for n in verdicts))


if __name__ == "__main__":
    main()
