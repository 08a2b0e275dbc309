"""Groups of alerts, a row each; what was told of their members is JSON."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from store.alert_book import GroupRow, ToldRow
from store.sqlite.values import named_rows

_COLUMNS: Final = (
    "id", "channel", "labels", "began_at_ns", "told_at_ns", "times", "thread", "told",
)  # fmt: skip
_WRITE: Final = (
    f"INSERT OR REPLACE INTO alert_groups ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)


def write_groups(
    connection: sqlite3.Connection, groups: Sequence[GroupRow], over: Sequence[str]
) -> None:
    """Add or replace groups, and forget those that are over."""
    connection.executemany("DELETE FROM alert_groups WHERE id = ?", [(id_,) for id_ in over])
    connection.executemany(_WRITE, [_pack(group) for group in groups])


def read_groups(connection: sqlite3.Connection) -> list[GroupRow]:
    """All, by id."""
    rows = named_rows(connection.execute("SELECT * FROM alert_groups ORDER BY id"))
    return [_unpack(row) for row in rows]


def _pack(row: GroupRow) -> tuple[Any, ...]:
    told = {alert: [each.firing_since_ns, each.payload] for alert, each in row.told.items()}
    written = {"labels": json.dumps(dict(row.labels)), "told": json.dumps(told)}
    return tuple(written.get(name, getattr(row, name)) for name in _COLUMNS)


def _unpack(named: dict[str, Any]) -> GroupRow:
    told = {alert: ToldRow(*each) for alert, each in json.loads(named.pop("told")).items()}
    return GroupRow(labels=json.loads(named.pop("labels")), told=told, **named)
