"""Seconds of copies: minutes and hours that take more as it comes, late evidence included."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from freshness.counts import Counts
from freshness.rollup import Grain
from store.copy_times import CopyTimeKey, StaleKey

ADD: Final = """
INSERT INTO copy_times (grain_s, start_s, keyspace, layer, node, good, bad, indeterminate, unknown,
  slices, good_s, bad_s, judged_s, judged_squares, bad_squares)
VALUES (60, ?, ?, ?, ?, ?, ?, ?, ?, ? > 0, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
  good = good + excluded.good,
  bad = bad + excluded.bad,
  indeterminate = indeterminate + excluded.indeterminate,
  unknown = unknown + excluded.unknown,
  slices = good + excluded.good + bad + excluded.bad + indeterminate + excluded.indeterminate > 0,
  good_s = good_s + excluded.good_s,
  bad_s = bad_s + excluded.bad_s,
  judged_s = judged_s + excluded.judged_s,
  judged_squares = judged_squares + excluded.judged_squares,
  bad_squares = bad_squares + excluded.bad_squares
"""

FOLD: Final = """
INSERT OR REPLACE INTO copy_times
SELECT 3600, :since_s, keyspace, layer, node, sum(good), sum(bad), sum(indeterminate), sum(unknown),
  sum(slices), sum(good_s), sum(bad_s), sum(judged_s), sum(judged_squares), sum(bad_squares)
FROM copy_times
WHERE grain_s = 60 AND start_s >= :since_s AND start_s < :since_s + 3600 AND keyspace = :keyspace
GROUP BY layer, node
"""

RANGE: Final = """
SELECT layer, node, start_s, good, bad, indeterminate, unknown, slices,
  good_s, bad_s, judged_s, judged_squares, bad_squares
FROM copy_times
WHERE grain_s = :grain_s AND start_s >= :since_s AND start_s < :until_s AND keyspace = :keyspace
ORDER BY start_s, layer, node
"""

ADD_STALE: Final = """
INSERT INTO stale_seconds (grain_s, start_s, keyspace, layer, node, key, stale_s)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET stale_s = stale_s + excluded.stale_s
"""

STALE: Final = """
SELECT layer, node, key, sum(stale_s) FROM stale_seconds
WHERE grain_s = :grain_s AND start_s >= :since_s AND start_s < :until_s AND keyspace = :keyspace
GROUP BY layer, node, key
"""


def add_copy_times(
    connection: sqlite3.Connection,
    times: Mapping[CopyTimeKey, Counts],
    stale: Mapping[StaleKey, float],
) -> None:
    """Add to what is there, and bring the hours that it lies in up to date."""
    if not times and not stale:
        return
    connection.executemany(
        ADD,
        [(*at, *counts[:4], counts.judged, *counts[5:10]) for at, counts in times.items()],
    )
    hours = {(at.keyspace, Grain.HOUR.floor(at.start_s)) for at in times}
    connection.executemany(FOLD, [{"keyspace": name, "since_s": at_s} for name, at_s in hours])
    connection.executemany(
        ADD_STALE,
        [
            (grain, grain.floor(at.start_s), *at[1:], stale_s)
            for at, stale_s in stale.items()
            for grain in (Grain.MINUTE, Grain.HOUR)
        ],
    )


def read_copy_times(
    connection: sqlite3.Connection, keyspace: str, grain_s: int, since_s: int, until_s: int
) -> dict[tuple[str, str, int], Counts]:
    """By (layer, node, start)."""
    asked = {"keyspace": keyspace, "grain_s": grain_s, "since_s": since_s, "until_s": until_s}
    rows = connection.execute(RANGE, asked)
    return {row[:3]: Counts(*row[3:])._replace(observed=row[7]) for row in rows}


def read_stale_seconds(
    connection: sqlite3.Connection, keyspace: str, grain_s: int, since_s: int, until_s: int
) -> dict[tuple[str, str, str], float]:
    """By (layer, node, key)."""
    asked = {"keyspace": keyspace, "grain_s": grain_s, "since_s": since_s, "until_s": until_s}
    rows = connection.execute(STALE, asked)
    return {(layer, node, key): stale_s for layer, node, key, stale_s in rows}
