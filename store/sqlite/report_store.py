"""Reports in SQLite: those that were made, and what only they ask."""

from collections.abc import Mapping, Sequence

from store.alert_book import DeliveryState, NotificationRow
from store.report_runs import ReportRow
from store.sqlite import outbox, report_runs, weekly
from store.sqlite.engine import Engine
from store.weekly import FiringRow, ProofRow


class ReportStore(Engine):
    """Implements `ReportRuns` and `Weekly`."""

    def write_report(self, row: ReportRow, owed: Sequence[NotificationRow]) -> bool:
        """Keep one with the notifications that it owes, in one transaction; whether it is new."""
        with self._transaction() as db:
            is_new = report_runs.write_report(db.conn, row)
            if is_new:
                outbox.write_notifications(db.conn, owed)
            return is_new

    def report(self, report: str, week: str) -> ReportRow | None:
        """One, or None."""
        with self._connections.reader() as connection:
            return report_runs.read_report(connection, report, week)

    def reports(self, report: str | None = None, limit: int = 100) -> Sequence[ReportRow]:
        """Those of one name or of all, the newest week first."""
        with self._connections.reader() as connection:
            return report_runs.read_reports(connection, report, limit)

    def firings(self, since_ns: int, until_ns: int) -> Sequence[FiringRow]:
        """Those that fired at some instant of a window, as they stood at its end."""
        with self._connections.reader() as connection:
            return weekly.read_firings(connection, since_ns, until_ns)

    def deliveries(self, since_ns: int, until_ns: int) -> Mapping[tuple[str, DeliveryState], int]:
        """Notifications of alerts that were created in a window, by channel and state."""
        with self._connections.reader() as connection:
            return weekly.count_deliveries(connection, since_ns, until_ns)

    def proofs(
        self, since_ns: int, until_ns: int, stratum: str, limit_ns: int | None
    ) -> Sequence[ProofRow]:
        """Of each finding that was open in a window and has reads."""
        with self._connections.reader() as connection:
            return weekly.read_proofs(connection, since_ns, until_ns, stratum, limit_ns)
