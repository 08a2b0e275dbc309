"""Times to live that were found: cells of ten minutes and a node, which take more as it comes."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from freshness.histogram import Histogram
from freshness.ttl_sample import TtlCell, TtlKey

_NS: Final = 10**9
_KEY: Final = "start_s = ? AND keyspace = ? AND layer = ? AND node = ?"
_WRITE: Final = f"INSERT OR REPLACE INTO ttl_samples VALUES ({', '.join('?' * 10)})"


def add_ttls(connection: sqlite3.Connection, ttls: Mapping[TtlKey, TtlCell]) -> None:
    """Add to what is there."""
    rows = []
    for key, cell in ttls.items():
        row = connection.execute(f"SELECT * FROM ttl_samples WHERE {_KEY}", key).fetchone()
        total = cell if row is None else _unpack(row)[1] + cell
        rows.append((*key, *_pack(total)))
    if rows:
        connection.executemany(_WRITE, rows)


def read_ttls(
    connection: sqlite3.Connection, since_ns: int, until_ns: int
) -> list[tuple[TtlKey, TtlCell]]:
    """In order of time, keyspace, layer and node."""
    found = connection.execute(
        "SELECT * FROM ttl_samples WHERE start_s >= ? AND start_s < ? ORDER BY 1, 2, 3, 4",
        (-(-since_ns // _NS), -(-until_ns // _NS)),
    )
    return [_unpack(row) for row in found]


def _pack(cell: TtlCell) -> tuple[Any, ...]:
    return (
        cell.remaining.encode(),
        cell.first_ns,
        cell.last_ns,
        cell.longest_ns,
        cell.longest_key,
        cell.endless_key,
    )


def _unpack(row: tuple[Any, ...]) -> tuple[TtlKey, TtlCell]:
    return TtlKey(*row[:4]), TtlCell(Histogram.decode(row[4]), *row[5:])
