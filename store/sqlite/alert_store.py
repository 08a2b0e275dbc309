"""The alert book in SQLite: alerts, what people say of them, and the outbox."""

from collections.abc import Sequence

from store.alert_book import AlertRow, DeliveryState, GroupRow, NotificationRow, TransitionRow
from store.silences import AckRow, SilenceRow
from store.sqlite import (
    alerts,
    groups,
    outbox,
    silences,
)
from store.sqlite.alerts import write_alerts, write_transitions
from store.sqlite.engine import Engine
from store.sqlite.groups import write_groups


class AlertStore(Engine):
    """Implements `AlertBook` and `Silences`."""

    def alerts(self) -> Sequence[AlertRow]:
        """Those that are pending or firing, then those that were resolved last."""
        with self._connections.reader() as connection:
            return alerts.read_alerts(connection)

    def write_alerts(
        self,
        alerts: Sequence[AlertRow],
        transitions: Sequence[TransitionRow],
        notifications: Sequence[NotificationRow],
        groups: Sequence[GroupRow] = (),
        over: Sequence[str] = (),
    ) -> None:
        """Make them durable in one transaction; a notification that is there already stays."""
        with self._transaction() as db:
            write_alerts(db.conn, alerts)
            write_transitions(db.conn, transitions)
            outbox.write_notifications(db.conn, notifications)
            write_groups(db.conn, groups, over)

    def groups(self) -> Sequence[GroupRow]:
        """Every group that is not over, by id."""
        with self._connections.reader() as connection:
            return groups.read_groups(connection)

    def write_silence(self, silence: SilenceRow) -> None:
        """Add one, or replace the one with its id."""
        with self._transaction() as db:
            silences.write_silence(db.conn, silence)

    def silences(self, ending_after_ns: int = 0) -> Sequence[SilenceRow]:
        """Those that end after then, the last to end first."""
        with self._connections.reader() as connection:
            return silences.read_silences(connection, ending_after_ns)

    def end_silence(self, id: str, at_ns: int) -> SilenceRow | None:
        """End one now; None where there is none."""
        with self._transaction() as db:
            return silences.end_silence(db.conn, id, at_ns)

    def acknowledge(self, ack: AckRow) -> None:
        """Write it; what was said of the same firing before stays."""
        with self._transaction() as db:
            silences.write_ack(db.conn, ack)

    def acks(self) -> Sequence[AckRow]:
        """Those of present firings, by alert."""
        with self._connections.reader() as connection:
            return silences.read_acks(connection)

    def transitions(self, alert: str | None = None, limit: int = 100) -> Sequence[TransitionRow]:
        """Newest first."""
        with self._connections.reader() as connection:
            return alerts.read_transitions(connection, alert, limit)

    def lease(self, now_ns: int, until_ns: int, limit: int = 10) -> Sequence[NotificationRow]:
        """Take what is due, and what was leased for too long; oldest first."""
        with self._connections.reader() as connection:
            if not outbox.has_due(connection, now_ns):
                return []
        with self._transaction() as db:
            return outbox.lease_due(db.conn, now_ns, until_ns, limit)

    def settle(self, notification: NotificationRow) -> None:
        """Write what became of a leased notification, unless another has leased it since."""
        with self._transaction() as db:
            outbox.settle_notification(db.conn, notification)

    def overdue(
        self, channel: str, to: str, before_ns: int, refused_since_ns: int, limit: int = 100
    ) -> Sequence[NotificationRow]:
        """What waits too long or is dead, and is not told elsewhere; oldest first."""
        with self._connections.reader() as connection:
            return outbox.read_overdue(connection, channel, to, before_ns, refused_since_ns, limit)

    def fall_back(self, notifications: Sequence[NotificationRow]) -> int:
        """Owe these in place of others that are still not delivered; how many are new."""
        with self._transaction() as db:
            return outbox.write_fallbacks(db.conn, notifications)

    def notifications(
        self, alert: str | None = None, state: DeliveryState | None = None, limit: int = 100
    ) -> Sequence[NotificationRow]:
        """Newest first."""
        with self._connections.reader() as connection:
            return outbox.read_notifications(connection, alert, state, limit)
