"""Alerts by state, what changed of late, and what became of each thing that was to be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Address, Window
from dashboard.wording import SECOND_NS
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Store
from store.matching import ack_of, silences_over
from store.silences import AckRow, SilenceRow

MOST_TRANSITIONS: Final = 50
MOST_NOTIFICATIONS: Final = 200
ENDED_SHOWN_NS: Final = 7 * 86_400 * SECOND_NS
"""Of silences that are over, those of so long ago are listed."""


@dataclass(frozen=True, slots=True)
class AlertsView:
    """Alerts that the filters leave; `notifications` by alert, newest first.

    `adrift` are notifications not delivered whose alert is not shown any more. `silenced` has the
    silences over each alert, `acks` who acknowledged its firing, by alert; `silences` are all, and
    for a while those that are over. `now_ns` is wall time in Unix nanoseconds.
    """

    window: Window
    firing: Sequence[AlertRow]
    pending: Sequence[AlertRow]
    resolved: Sequence[AlertRow]
    transitions: Sequence[TransitionRow]
    notifications: Mapping[str, Sequence[NotificationRow]]
    adrift: Sequence[NotificationRow]
    silences: Sequence[SilenceRow]
    silenced: Mapping[str, Sequence[SilenceRow]]
    acks: Mapping[str, AckRow]
    now_ns: int

    def alert(self, id: str) -> AlertRow | None:
        """A shown alert by its id."""
        shown = (*self.firing, *self.pending, *self.resolved)
        return next((row for row in shown if row.id == id), None)

    def suppressed_by(self, silence: SilenceRow) -> Sequence[AlertRow]:
        """What fires or is pending, and is not told because of a silence."""
        return [row for row in (*self.firing, *self.pending) if silence in self.silenced[row.id]]


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
    silences, acks = store.silences(now_ns - ENDED_SHOWN_NS), store.acks()
    found = {row.id: ack_of(row, acks) for row in shown}
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
        silences=silences,
        silenced={row.id: silences_over(row, silences, now_ns) for row in shown},
        acks={id: ack for id, ack in found.items() if ack is not None},
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
