"""The catalogue of nodes and how each last answered."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple
from typing import Final

from store.base import NodeRow

_WRITE: Final = "INSERT OR REPLACE INTO nodes VALUES ({})".format(", ".join("?" * 13))


def write_nodes(connection: sqlite3.Connection, nodes: Sequence[NodeRow]) -> None:
    """Add nodes, and replace those that are there."""
    connection.executemany(_WRITE, [astuple(node) for node in nodes])


def read_nodes(connection: sqlite3.Connection) -> list[NodeRow]:
    """Every node by layer and name; the layer of origins sorts first."""
    rows = connection.execute("SELECT * FROM nodes ORDER BY layer, node")
    return [NodeRow(*row[:-1], is_pool=bool(row[-1])) for row in rows]
