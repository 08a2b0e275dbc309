"""Alerts as they stand, and the steps that brought them there."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from store.alert_book import AlertRow, TransitionRow
from store.sqlite.values import named_rows

OPEN: Final = "state IN ('pending', 'firing')"
RESOLVED_SHOWN: Final = 100
"""How many of the alerts that were resolved last are read with those that are open."""

_WRITE: Final = "INSERT OR REPLACE INTO alerts VALUES ({})".format(", ".join("?" * 16))
_STEP: Final = (
    "INSERT INTO transitions (alert, at_ns, before, after, reason) VALUES (?, ?, ?, ?, ?)"
)

OPEN_ALERTS: Final = f"SELECT * FROM alerts WHERE {OPEN} ORDER BY rule, id"
RESOLVED_ALERTS: Final = (
    "SELECT * FROM alerts WHERE state = 'resolved' "
    f"ORDER BY resolved_at_ns DESC, id DESC LIMIT {RESOLVED_SHOWN}"
)


def write_alerts(connection: sqlite3.Connection, alerts: Sequence[AlertRow]) -> None:
    """Add alerts, and replace those that are there."""
    connection.executemany(_WRITE, [_pack(alert) for alert in alerts])


def write_transitions(connection: sqlite3.Connection, steps: Sequence[TransitionRow]) -> None:
    """Add transitions; those of one instant stay in this order."""
    connection.executemany(
        _STEP, [(step.alert, step.at_ns, step.before, step.after, step.reason) for step in steps]
    )


def read_alerts(connection: sqlite3.Connection) -> list[AlertRow]:
    """Open alerts by rule, then those that were resolved last."""
    return [
        _unpack(named)
        for query in (OPEN_ALERTS, RESOLVED_ALERTS)
        for named in named_rows(connection.execute(query))
    ]


def transitions_query(alert: str | None) -> str:
    """The SQL with or without an alert."""
    where = "" if alert is None else "WHERE alert = :alert"
    return (
        f"SELECT alert, at_ns, before, after, reason FROM transitions {where} "
        "ORDER BY at_ns DESC, id DESC LIMIT :limit"
    )


def read_transitions(
    connection: sqlite3.Connection, alert: str | None, limit: int
) -> list[TransitionRow]:
    """Transitions of one alert or of all, newest first."""
    rows = connection.execute(transitions_query(alert), {"alert": alert, "limit": limit})
    return [TransitionRow(*row) for row in rows]


def _pack(alert: AlertRow) -> tuple[Any, ...]:
    return (
        alert.id,
        alert.rule,
        json.dumps(dict(alert.labels)),
        alert.state,
        alert.reason,
        alert.is_frozen,
        alert.value,
        alert.summary,
        json.dumps(list(alert.evidence)),
        alert.link,
        alert.pending_since_ns,
        alert.firing_since_ns,
        alert.clear_since_ns,
        alert.resolved_at_ns,
        alert.seen_at_ns,
        alert.inhibited_by,
    )


def _unpack(named: dict[str, Any]) -> AlertRow:
    return AlertRow(
        labels=json.loads(named.pop("labels")),
        is_frozen=bool(named.pop("is_frozen")),
        evidence=tuple(json.loads(named.pop("evidence"))),
        **named,
    )
