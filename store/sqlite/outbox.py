"""The outbox: notifications that are owed, leased to who delivers them, and settled."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from store.alert_book import FELL_BACK, DeliveryState, NotificationRow
from store.sqlite.values import named_rows

_COLUMNS: Final = (
    "id", "channel", "kind", "thread", "payload", "recipients", "state", "attempts",
    "created_at_ns", "next_at_ns", "leased_until_ns", "delivered_at_ns", "why", "alerts",
)  # fmt: skip
_WRITE: Final = (
    f"INSERT INTO notifications ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT DO NOTHING"
)
_WRITE_TOLD: Final = (
    "INSERT INTO told_alerts (alert, created_at_ns, notification) VALUES (?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_BY_ALERT: Final = (
    "JOIN notifications ON notifications.id = told_alerts.notification "
    "WHERE told_alerts.alert = :alert"
)

# What was never tried comes first: a server that hangs must not hold up what others are owed.
DUE: Final = """
SELECT id FROM notifications
WHERE (state = 'owed' AND next_at_ns <= :now_ns)
  OR (state = 'leased' AND leased_until_ns <= :now_ns)
ORDER BY attempts > 0, created_at_ns, id LIMIT :limit
"""

_LEASE: Final = f"""
UPDATE notifications SET state = 'leased', leased_until_ns = :until_ns
WHERE id IN ({DUE}) RETURNING *
"""

# A delivery happened whoever holds the lease by now. Anything else is for its holder to say: a
# worker that was slow must not give back what another has taken or delivered since.
_SETTLE: Final = """
UPDATE notifications SET recipients = :recipients, state = :state, attempts = :attempts,
  next_at_ns = :next_at_ns, leased_until_ns = NULL, delivered_at_ns = :delivered_at_ns, why = :why
WHERE id = :id AND (
  (:state = 'delivered' AND state <> 'delivered')
  OR (state = 'leased' AND leased_until_ns = coalesce(:leased_until_ns, leased_until_ns))
)
"""

OVERDUE: Final = f"""
SELECT * FROM notifications AS late
WHERE channel = :channel AND state IN ('owed', 'leased', 'dead') AND kind <> 'report'
  AND CASE state WHEN 'dead' THEN created_at_ns >= :refused_since_ns
    ELSE created_at_ns <= :before_ns END
  AND instr(id, '{FELL_BACK}') = 0
  AND NOT EXISTS (SELECT 1 FROM notifications WHERE id = late.id || '{FELL_BACK}' || :to)
ORDER BY created_at_ns, id LIMIT :limit
"""

_FALL_BACK: Final = f"""
INSERT INTO notifications ({", ".join(_COLUMNS)}) SELECT {", ".join("?" * len(_COLUMNS))}
WHERE EXISTS (SELECT 1 FROM notifications WHERE id = ? AND state <> 'delivered')
ON CONFLICT DO NOTHING
"""


def write_notifications(
    connection: sqlite3.Connection, notifications: Sequence[NotificationRow]
) -> None:
    """Add those that are not there yet."""
    connection.executemany(_WRITE, [_pack(row) for row in notifications])
    told = [(alert, row.created_at_ns, row.id) for row in notifications for alert in row.alerts]
    connection.executemany(_WRITE_TOLD, told)


def has_due(connection: sqlite3.Connection, now_ns: int) -> bool:
    """Whether there is anything to lease."""
    return connection.execute(DUE, {"now_ns": now_ns, "limit": 1}).fetchone() is not None


def lease_due(
    connection: sqlite3.Connection, now_ns: int, until_ns: int, limit: int
) -> list[NotificationRow]:
    """Take what is due, and what was leased for too long; oldest first."""
    asked = {"now_ns": now_ns, "until_ns": until_ns, "limit": limit}
    taken = [_unpack(named) for named in named_rows(connection.execute(_LEASE, asked))]
    return sorted(taken, key=lambda row: (row.created_at_ns, row.id))


def settle_notification(connection: sqlite3.Connection, row: NotificationRow) -> None:
    """Write what became of one, unless it was given to another since."""
    names = (
        "id", "state", "attempts", "next_at_ns", "leased_until_ns", "delivered_at_ns", "why",
    )  # fmt: skip
    asked = {name: getattr(row, name) for name in names}
    connection.execute(_SETTLE, {**asked, "recipients": json.dumps(list(row.recipients))})


def read_overdue(
    connection: sqlite3.Connection,
    channel: str,
    to: str,
    before_ns: int,
    refused_since_ns: int,
    limit: int,
) -> list[NotificationRow]:
    """What waits too long or is dead, and is not told elsewhere; oldest first."""
    asked = {
        "channel": channel, "to": to, "limit": limit,
        "before_ns": before_ns, "refused_since_ns": refused_since_ns,
    }  # fmt: skip
    return [_unpack(named) for named in named_rows(connection.execute(OVERDUE, asked))]


def write_fallbacks(connection: sqlite3.Connection, rows: Sequence[NotificationRow]) -> int:
    """Add those whose first is still not delivered; how many were added."""
    if not rows:
        return 0
    asked = [(*_pack(row), row.id.partition(FELL_BACK)[0]) for row in rows]
    told = [(alert, row.created_at_ns, row.id) for row in rows for alert in row.alerts]
    connection.executemany(_WRITE_TOLD, told)
    return connection.executemany(_FALL_BACK, asked).rowcount


def notifications_query(alert: str | None, state: str | None) -> str:
    """The SQL for a combination of filters."""
    if alert is not None:
        narrowed = "" if state is None else " AND notifications.state = :state"
        return (
            f"SELECT notifications.* FROM told_alerts {_BY_ALERT}{narrowed} "
            "ORDER BY told_alerts.created_at_ns DESC, told_alerts.notification DESC LIMIT :limit"
        )
    where = "" if state is None else "WHERE state = :state "
    return f"SELECT * FROM notifications {where}ORDER BY created_at_ns DESC, id DESC LIMIT :limit"


def read_notifications(
    connection: sqlite3.Connection, alert: str | None, state: DeliveryState | None, limit: int
) -> list[NotificationRow]:
    """Notifications, newest first."""
    asked = {"alert": alert, "state": state, "limit": limit}
    found = connection.execute(notifications_query(alert, state), asked)
    return [_unpack(named) for named in named_rows(found)]


def _pack(row: NotificationRow) -> tuple[Any, ...]:
    lists = {name: json.dumps(list(getattr(row, name))) for name in ("recipients", "alerts")}
    return tuple(lists.get(name, getattr(row, name)) for name in _COLUMNS)


def _unpack(named: dict[str, Any]) -> NotificationRow:
    return NotificationRow(
        recipients=tuple(json.loads(named.pop("recipients"))),
        alerts=tuple(json.loads(named.pop("alerts"))),
        **named,
    )
