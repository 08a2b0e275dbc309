"""Counts of pairs: minutes that are replaced whole, and the hours that are their sums."""

import sqlite3
from typing import Final

from freshness.counts import Counts, count_events
from freshness.series import Series
from store.pair_counts import PairsOf

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
_OF: Final = "side = :side AND limit_ns = :limit_ns AND keyspace = :keyspace"

DELETE: Final = f"""
DELETE FROM pair_counts
WHERE {_OF} AND grain_s = :grain_s AND start_s >= :since_s AND start_s < :until_s
"""

INSERT: Final = """
INSERT INTO pair_counts VALUES
  (:side, :limit_ns, :keyspace, 60, :start_s, :layer, :node, :good, :bad, :indeterminate, :unknown)
"""

FOLD: Final = f"""
INSERT INTO pair_counts
SELECT side, limit_ns, keyspace, 3600, start_s - start_s % 3600, layer, node,
  sum(good), sum(bad), sum(indeterminate), sum(unknown)
FROM pair_counts
WHERE {_OF} AND grain_s = 60 AND start_s >= :since_s AND start_s < :until_s
GROUP BY start_s - start_s % 3600, layer, node
"""

RANGE: Final = f"""
SELECT layer, node, start_s, good, bad, indeterminate, unknown FROM pair_counts
WHERE {_OF} AND grain_s = :grain_s AND start_s >= :since_s AND start_s < :until_s
ORDER BY start_s, layer, node
"""

NEWEST: Final = f"SELECT max(start_s) FROM pair_counts WHERE {_OF} AND grain_s = 60"


def put_pair_counts(
    connection: sqlite3.Connection, of: PairsOf, since_s: int, until_s: int, series: Series
) -> None:
    """Replace minutes, then the hours that they are in, whose minutes must all be kept."""
    asked = of._asdict()
    span = {"since_s": since_s, "until_s": until_s}
    hours = {
        "since_s": since_s - since_s % HOUR_S,
        "until_s": -(-until_s // HOUR_S) * HOUR_S,
    }
    connection.execute(DELETE, {**asked, "grain_s": MINUTE_S, **span})
    connection.executemany(
        INSERT,
        [
            {**asked, "layer": place.layer, "node": place.node, "start_s": start_s}
            | {kind: getattr(cell, kind) for kind in _KINDS}
            for place, cells in series.items()
            for start_s, cell in cells.items()
        ],
    )
    connection.execute(DELETE, {**asked, "grain_s": HOUR_S, **hours})
    connection.execute(FOLD, {**asked, **hours})


def read_pair_counts(
    connection: sqlite3.Connection, of: PairsOf, grain_s: int, since_s: int, until_s: int
) -> dict[tuple[str, str, int], Counts]:
    """By (layer, node, start)."""
    asked = {**of._asdict(), "grain_s": grain_s, "since_s": since_s, "until_s": until_s}
    rows = connection.execute(RANGE, asked)
    return {(layer, node, start): count_events(*counts) for layer, node, start, *counts in rows}


def counted_until(connection: sqlite3.Connection, of: PairsOf) -> int | None:
    """Where the newest minute begins."""
    newest: int | None = connection.execute(NEWEST, of._asdict()).fetchone()[0]
    return newest


_KINDS: Final = ("good", "bad", "indeterminate", "unknown")
