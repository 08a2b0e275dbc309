"""Silences, a row each with their matchers as JSON, and acknowledgements."""

import json
import sqlite3
from dataclasses import astuple
from typing import Any, Final

from store.silences import AckRow, Matcher, SilenceRow
from store.sqlite.values import named_rows

_WRITE: Final = (
    "INSERT OR REPLACE INTO silences (id, matchers, creator, comment, starts_at_ns, ends_at_ns, "
    "created_at_ns) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
SILENCES: Final = "SELECT * FROM silences WHERE ends_at_ns > ? ORDER BY ends_at_ns DESC, id"
_END: Final = (
    "UPDATE silences SET ends_at_ns = :at_ns, starts_at_ns = min(starts_at_ns, :at_ns) "
    "WHERE id = :id AND ends_at_ns > :at_ns"
)
_ACKNOWLEDGE: Final = (
    "INSERT INTO acks (alert, firing_since_ns, by, comment, at_ns) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
ACKS: Final = """
SELECT acks.alert, acks.firing_since_ns, acks.by, acks.comment, acks.at_ns
FROM alerts CROSS JOIN acks ON acks.alert = alerts.id
  AND acks.firing_since_ns = alerts.firing_since_ns
WHERE alerts.state IN ('firing', 'resolved') ORDER BY acks.alert
"""


def write_silence(connection: sqlite3.Connection, row: SilenceRow) -> None:
    """Add one, or replace it."""
    matchers = json.dumps([[each.name, each.op, each.value] for each in row.matchers])
    stamps = (row.starts_at_ns, row.ends_at_ns, row.created_at_ns)
    connection.execute(_WRITE, (row.id, matchers, row.creator, row.comment, *stamps))


def read_silences(connection: sqlite3.Connection, ending_after_ns: int) -> list[SilenceRow]:
    """The last to end first."""
    return [_unpack(row) for row in named_rows(connection.execute(SILENCES, (ending_after_ns,)))]


def end_silence(connection: sqlite3.Connection, id: str, at_ns: int) -> SilenceRow | None:
    """End one, and read it."""
    connection.execute(_END, {"id": id, "at_ns": at_ns})
    found = named_rows(connection.execute("SELECT * FROM silences WHERE id = ?", (id,)))
    return next(map(_unpack, found), None)


def write_ack(connection: sqlite3.Connection, row: AckRow) -> None:
    """Add one, unless the firing has one."""
    connection.execute(_ACKNOWLEDGE, astuple(row))


def read_acks(connection: sqlite3.Connection) -> list[AckRow]:
    """Those of present firings."""
    return [AckRow(*row) for row in connection.execute(ACKS)]


def _unpack(named: dict[str, Any]) -> SilenceRow:
    matchers = tuple(Matcher(*each) for each in json.loads(named.pop("matchers")))
    return SilenceRow(matchers=matchers, **named)
