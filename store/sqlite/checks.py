"""Event-triggered checks: cells of a minute, node and horizon, which take more as it comes."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from freshness.check import CheckCell, Checked, CheckKey, Seen
from freshness.histogram import Histogram

_NS: Final = 10**9
_KEY: Final = "start_s = ? AND keyspace = ? AND layer = ? AND node = ? AND horizon_ns = ?"


def add_checks(connection: sqlite3.Connection, checks: Mapping[CheckKey, CheckCell]) -> None:
    """Add to what is there."""
    if not checks:
        return
    rows = []
    for key, cell in checks.items():
        found = connection.execute(f"SELECT outcomes, late FROM checks WHERE {_KEY}", key)
        row = found.fetchone()
        rows.append((*key, *_pack(cell if row is None else _unpack(*row) + cell)))
    connection.executemany("INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def read_checks(
    connection: sqlite3.Connection, since_ns: int, until_ns: int, keyspace: str | None
) -> list[tuple[CheckKey, CheckCell]]:
    """In order of time, node and horizon."""
    found = connection.execute(
        "SELECT * FROM checks WHERE start_s >= ? AND start_s < ? "
        "AND (?3 IS NULL OR keyspace = ?3) ORDER BY 1, 2, 3, 4, 5",
        (-(-since_ns // _NS), -(-until_ns // _NS), keyspace),
    )
    return [(CheckKey(*row[:5]), _unpack(*row[5:])) for row in found]


def _pack(cell: CheckCell) -> tuple[str, str]:
    return json.dumps(cell.seen, separators=(",", ":")), cell.late.encode()


def _unpack(outcomes: str, late: str) -> CheckCell:
    told: dict[str, Any] = json.loads(outcomes)
    seen = {Seen(name): Checked(*counts) for name, counts in told.items()}
    return CheckCell(seen, Histogram.decode(late))
