"""Alerts by state, what changed of late, and what became of each thing that was to be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Address, Window
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Store

MOST_TRANSITIONS: Final = 50
MOST_NOTIFICATIONS: Final = 200


@dataclass(frozen=True, slots=True)
class AlertsView:
    """Alerts that the filters leave; `notifications` by alert, newest first.

    `adrift` are notifications not delivered whose alert is not shown any more. `now_ns` is wall
    time in Unix nanoseconds.
    """

    window: Window
    firing: Sequence[AlertRow]
    pending: Sequence[AlertRow]
    resolved: Sequence[AlertRow]
    transitions: Sequence[TransitionRow]
    notifications: Mapping[str, Sequence[NotificationRow]]
    adrift: Sequence[NotificationRow]
    now_ns: int

    def alert(self, id: str) -> AlertRow | None:
        """A shown alert by its id."""
        shown = (*self.firing, *self.pending, *self.resolved)
        return next((row for row in shown if row.id == id), None)


def alerts(store: Store, address: Address, now_ns: int) -> AlertsView:
    """What fires and what does not any more, the latest first."""
    window = address.window(now_ns)
    every = store.alerts()
    shown = [row for row in every if row.state != "inactive" and _is_asked(row, address)]
    told = {row.id: store.notifications(row.id, limit=MOST_NOTIFICATIONS) for row in shown}
    hidden = {row.id for row in every if not _is_asked(row, address)}
    undelivered = [
        row
        for state in ("dead", "owed", "leased")
        for row in store.notifications(state=state, limit=MOST_NOTIFICATIONS)
    ]
    return AlertsView(
        window=window,
        firing=_in_state(shown, "firing"),
        pending=_in_state(shown, "pending"),
        resolved=_in_state(shown, "resolved"),
        transitions=[
            row
            for row in store.transitions(limit=MOST_TRANSITIONS)
            if window.since_ns <= row.at_ns < window.until_ns and row.alert not in hidden
        ],
        notifications=told,
        adrift=[row for row in undelivered if not {*row.alerts} & (told.keys() | hidden)],
        now_ns=now_ns,
    )


def _in_state(rows: Sequence[AlertRow], state: str) -> list[AlertRow]:
    kept = [row for row in rows if row.state == state]
    return sorted(kept, key=lambda row: (-(since_ns(row) or 0), row.rule, row.id))


def since_ns(row: AlertRow) -> int | None:
    """Since when an alert is in its state."""
    if row.state == "resolved":
        return row.resolved_at_ns
    return row.firing_since_ns if row.state == "firing" else row.pending_since_ns


def _is_asked(row: AlertRow, address: Address) -> bool:
    asked = {"keyspace": address.only_keyspace, "layer": address.layer, "node": address.node}
    # A rule over all keyspaces has no such label, and concerns each of them.
    return all(row.labels.get(name, value) == value for name, value in asked.items() if value)
