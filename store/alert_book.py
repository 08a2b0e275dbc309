"""Alerts, groups of them and what was told: the rows, and the protocol of whoever keeps them.

A transition, the group that it changes and the notification that it owes are written in one
transaction, so that nothing is told that did not happen, and nothing that happened goes untold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

AlertState = Literal["inactive", "pending", "firing", "resolved"]
FELL_BACK: Final = ">"
"""Stands in the id of what is told in place of another: `ID>CHANNEL`."""
DeliveryState = Literal["owed", "leased", "delivered", "dead"]
NotificationKind = Literal[
    "first",
    "new-member",
    "some-resolved",
    "all-resolved",
    "repeat",
    "firing",
    "resolved",
    "report",
]
"""Why a channel is told: news of a group of alerts, or a report that was made.

`firing` and `resolved` stand in stores from before alerts were told in groups.
"""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert: a rule and the labels that it is about. `id` is derived from both.

    Clocks of the state machine are instants of wall time, Unix nanoseconds, None where they do not
    run: `pending_since_ns`, `firing_since_ns`, `clear_since_ns` (the condition is gone, and the
    alert is kept firing for a while), `resolved_at_ns`. `value`, `evidence`: of the last look.
    `inhibited_by` says which greater fault explains it; empty where none does.
    """

    id: str
    rule: str
    labels: Mapping[str, str]
    state: AlertState
    reason: str
    is_frozen: bool
    value: float | None
    summary: str
    evidence: Sequence[str]
    link: str
    pending_since_ns: int | None
    firing_since_ns: int | None
    clear_since_ns: int | None
    resolved_at_ns: int | None
    seen_at_ns: int
    inhibited_by: str = ""


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One step of one alert, with its named reason."""

    alert: str
    at_ns: int
    before: AlertState
    after: AlertState
    reason: str


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """What one channel is owed. `id` is deterministic, and so is the Message-ID made of it.

    `alerts` are the ids of those that it tells of; `thread` is the id of the first notification of
    the same group. `recipients` are those who have not accepted it yet. `payload` is JSON: what
    the channel needs to write it.
    """

    id: str
    channel: str
    alerts: Sequence[str]
    kind: NotificationKind
    thread: str
    payload: str
    recipients: Sequence[str]
    state: DeliveryState
    attempts: int
    created_at_ns: int
    next_at_ns: int
    leased_until_ns: int | None = None
    delivered_at_ns: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One alert that a group was told as firing, and not yet as resolved.

    `firing_since_ns` tells which firing; `payload` is JSON: the alert as it was told.
    """

    firing_since_ns: int
    payload: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Alerts that one channel is told of together, while any of them fires or is to be resolved.

    `id` is derived from channel and labels. `began_at_ns` is when its first member fired,
    `told_at_ns` when it was told last, `times` how often; `thread` is the id of its first
    notification. `told` is by alert.
    """

    id: str
    channel: str
    labels: Mapping[str, str]
    began_at_ns: int
    told_at_ns: int | None
    times: int
    thread: str
    told: Mapping[str, ToldRow]


class AlertBook(Protocol):
    """Alerts, their transitions, groups of them, and the outbox."""

    def alerts(self) -> Sequence[AlertRow]:
        """Every alert that is pending or firing, then the 100 that were resolved last."""
        ...

    def write_alerts(
        self,
        alerts: Sequence[AlertRow],
        transitions: Sequence[TransitionRow],
        notifications: Sequence[NotificationRow],
        groups: Sequence[GroupRow] = (),
        over: Sequence[str] = (),
    ) -> None:
        """Make them durable in one transaction; a notification that is there already stays.

        Groups are replaced; those with an id in `over` are forgotten.
        """
        ...

    def groups(self) -> Sequence[GroupRow]:
        """Every group that is not over, by id."""
        ...

    def transitions(self, alert: str | None = None, limit: int = 100) -> Sequence[TransitionRow]:
        """Newest first."""
        ...

    def lease(self, now_ns: int, until_ns: int, limit: int = 10) -> Sequence[NotificationRow]:
        """Take notifications that are due, and those whose lease has run out.

        What was never tried comes before what was; of each the oldest. They are given oldest first.

        No two callers get the same. `attempts` stay as they are: `settle` writes them.
        """
        ...

    def settle(self, notification: NotificationRow) -> None:
        """Write what became of a leased notification, and end its lease.

        `leased_until_ns`, where it still is as `lease` gave it, tells which lease this ends: one
        that another worker has taken since stays. A delivery counts whoever holds the lease.
        """
        ...

    def notifications(
        self, alert: str | None = None, state: DeliveryState | None = None, limit: int = 100
    ) -> Sequence[NotificationRow]:
        """Newest first."""
        ...

    def overdue(
        self, channel: str, to: str, before_ns: int, refused_since_ns: int, limit: int = 100
    ) -> Sequence[NotificationRow]:
        """What a channel has not delivered, and `to` was not given in its place; oldest first.

        What it owes and was created up to `before_ns`, and what is dead and was created from
        `refused_since_ns` on. What is itself in place of another is left out.
        """
        ...

    def fall_back(self, notifications: Sequence[NotificationRow]) -> int:
        """Owe these, each in place of another (`ID>CHANNEL`), in one transaction; how many are new.

        One whose first was delivered meanwhile is left out, and so is one that is there already.
        """
        ...
