"""Counts in SQLite: roll-ups, checks, counters of nodes, times to live, pairs, seconds."""

from collections.abc import Mapping, Sequence
from typing import Final

from freshness.check import CheckCell, CheckKey
from freshness.counts import Counts
from freshness.rollup import Grain as GrainWidth
from freshness.rollup import Rollup, RollupKey
from freshness.series import Series
from freshness.ttl_sample import TtlCell, TtlKey
from store.base import Grain
from store.counters import CounterGrain, CounterRow
from store.pair_counts import PairsOf
from store.sqlite import (
    cells,
    checks,
    copy_times,
    counters,
    pair_counts,
    ttl_samples,
)
from store.sqlite.engine import Engine

_NS: Final = 10**9
_WIDTHS: Final = {
    "minute": GrainWidth.MINUTE,
    "hour": GrainWidth.HOUR,
    "day": GrainWidth.DAY,
}


class CountStore(Engine):
    """Implements `Rollups`, `Checks`, `CounterLog`, `TtlSamples`, `PairCounts` and `CopyTimes`."""

    def rollups(
        self,
        grain: Grain,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[tuple[RollupKey, Rollup]]:
        """Buckets whose start lies in [since, until), in order of time."""
        width_s, since_s, until_s = int(_WIDTHS[grain]), -(-since_ns // _NS), -(-until_ns // _NS)
        asked = cells.Asked(width_s, since_s, until_s, keyspace, layer, node)
        with self._connections.reader() as connection:
            return cells.read_cells(connection, asked)

    def fold(self, now_ns: int) -> None:  # noqa: ARG002  a cell that has not changed costs nothing
        """Bring hours and days up to date with the minutes, late deltas included."""
        with self._connections.reader() as connection:
            if not cells.has_unfolded(connection):
                return
        with self._transaction() as db:
            cells.fold_minutes(db.conn)

    def checks(
        self, since_ns: int, until_ns: int, keyspace: str | None = None
    ) -> Sequence[tuple[CheckKey, CheckCell]]:
        """Minutes whose start lies in [since, until), in order of time, node and horizon."""
        with self._connections.reader() as connection:
            return checks.read_checks(connection, since_ns, until_ns, keyspace)

    def ttl_samples(self, since_ns: int, until_ns: int) -> Sequence[tuple[TtlKey, TtlCell]]:
        """Cells whose start lies in [since, until), in order of time."""
        with self._connections.reader() as connection:
            return ttl_samples.read_ttls(connection, since_ns, until_ns)

    def write_counters(self, rows: Sequence[CounterRow]) -> None:
        """Add minutes to what is there, and to their hours, in one transaction."""
        with self._transaction() as db:
            counters.write_counters(db.conn, rows)

    def counters(
        self,
        grain: CounterGrain,
        since_ns: int,
        until_ns: int,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[CounterRow]:
        """Buckets whose start lies in [since, until), by time, layer, node and source."""
        asked = (int(_WIDTHS[grain]), -(-since_ns // _NS), -(-until_ns // _NS), layer, node)
        with self._connections.reader() as connection:
            return counters.read_counters(connection, *asked)

    def put_pair_counts(self, of: PairsOf, since_s: int, until_s: int, series: Series) -> None:
        """Replace the minutes that begin in [since, until), and bring hours up to date."""
        with self._transaction() as db:
            pair_counts.put_pair_counts(db.conn, of, since_s, until_s, series)

    def pair_counts(
        self, of: PairsOf, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, int], Counts]:
        """By (layer, node, start): those that begin in [since, until)."""
        with self._connections.reader() as connection:
            return pair_counts.read_pair_counts(connection, of, grain_s, since_s, until_s)

    def pairs_counted_until(self, of: PairsOf) -> int | None:
        """Where the newest minute with pairs begins."""
        with self._connections.reader() as connection:
            return pair_counts.counted_until(connection, of)

    def copy_times(
        self, keyspace: str, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, int], Counts]:
        """By (layer, node, start): those that begin in [since, until)."""
        with self._connections.reader() as connection:
            return copy_times.read_copy_times(connection, keyspace, grain_s, since_s, until_s)

    def stale_seconds(
        self, keyspace: str, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, str], float]:
        """By (layer, node, key), of cells that begin in [since, until)."""
        with self._connections.reader() as connection:
            return copy_times.read_stale_seconds(connection, keyspace, grain_s, since_s, until_s)
