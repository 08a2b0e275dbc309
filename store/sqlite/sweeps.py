"""Sweeps, a row each; what came of their nodes is JSON, since nobody asks for parts of it."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, astuple, fields, replace
from typing import Final

from store.sqlite.values import named_rows
from store.sweeps import OPEN, NodeSwept, SweepRow

_COLUMNS: Final = [field.name for field in fields(SweepRow)]
# Whether it is to rest is not the sweeper's to say.
_WRITE: Final = (
    f"INSERT INTO sweeps ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "id")
)
_OPEN: Final = ", ".join(f"'{state}'" for state in OPEN)


def write_sweeps(connection: sqlite3.Connection, rows: Iterable[SweepRow]) -> None:
    """Write sweeps, or write them again."""
    for row in rows:
        nodes = json.dumps([asdict(node) for node in row.nodes])
        connection.execute(_WRITE, (*astuple(replace(row, nodes=()))[:-1], nodes))


def pause_sweep(connection: sqlite3.Connection, id: str, is_paused: bool) -> None:
    """Say whether a sweep is to rest."""
    connection.execute("UPDATE sweeps SET is_paused = ? WHERE id = ?", (is_paused, id))


def is_paused(connection: sqlite3.Connection, id: str) -> bool:
    """Whether it is to rest; one that is not there is not."""
    found = connection.execute("SELECT is_paused FROM sweeps WHERE id = ?", (id,)).fetchone()
    return found is not None and bool(found[0])


def read_sweeps(connection: sqlite3.Connection, open_only: bool, limit: int) -> list[SweepRow]:
    """Newest first."""
    where = f"WHERE state IN ({_OPEN})" if open_only else ""
    query = f"SELECT * FROM sweeps {where} ORDER BY asked_at_ns DESC, id LIMIT ?"
    return _rows(connection.execute(query, (limit,)))


def read_sweep(connection: sqlite3.Connection, id: str) -> SweepRow | None:
    """One by its id."""
    return next(iter(_rows(connection.execute("SELECT * FROM sweeps WHERE id = ?", (id,)))), None)


def _rows(cursor: sqlite3.Cursor) -> list[SweepRow]:
    rows = []
    for named in named_rows(cursor):
        del named["is_paused"]
        nodes = [NodeSwept(**each) for each in json.loads(named.pop("nodes"))]
        rows.append(SweepRow(**named, nodes=nodes))
    return rows
