"""The catalogue of nodes and how each last answered."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Final

from store.base import NodeRow

_COLUMNS: Final = tuple(field.name for field in fields(NodeRow))
# Who was a pool once is one, as long as it is the same node.
_IS_POOL: Final = (
    "excluded.is_pool OR (is_pool AND kind = excluded.kind AND address = excluded.address)"
)
_WRITE: Final = (
    f"INSERT INTO nodes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (layer, node) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:-1])
    + f", is_pool = {_IS_POOL}"
)


def write_nodes(connection: sqlite3.Connection, nodes: Sequence[NodeRow]) -> None:
    """Add nodes, and replace those that are there."""
    if nodes:
        connection.executemany(_WRITE, [astuple(node) for node in nodes])


def read_nodes(connection: sqlite3.Connection) -> list[NodeRow]:
    """Every node by layer and name; the layer of origins sorts first."""
    rows = connection.execute("SELECT * FROM nodes ORDER BY layer, node")
    return [NodeRow(*row[:12], *map(bool, row[12:])) for row in rows]
