"""The catalogue of nodes and how each last answered."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Final

from store.base import NodeRow

_WRITE: Final = "INSERT OR REPLACE INTO nodes VALUES ({})".format(", ".join("?" * 12))
_READ: Final = """
SELECT nodes.*, pools.node IS NOT NULL
FROM nodes LEFT JOIN pools USING (layer, node, kind, address) ORDER BY layer, nodes.node
"""


def write_nodes(connection: sqlite3.Connection, nodes: Sequence[NodeRow]) -> None:
    """Add nodes, and replace those that are there; who was a pool once is one."""
    connection.executemany(_WRITE, [astuple(node)[:-1] for node in nodes])
    pools = [(row.layer, row.node, row.kind, row.address) for row in nodes if row.is_pool]
    if pools:
        connection.executemany("INSERT OR IGNORE INTO pools VALUES (?, ?, ?, ?)", pools)


def read_nodes(connection: sqlite3.Connection) -> list[NodeRow]:
    """Every node by layer and name; the layer of origins sorts first."""
    rows = connection.execute(_READ)
    return [replace(NodeRow(*row), is_pool=bool(row[-1])) for row in rows]
