"""Reports that were made: one a report and week, frozen as it was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from store.alert_book import NotificationRow


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report of a week. `document` is JSON, see `reports.document`."""

    report: str
    week: str
    since_s: int
    until_s: int
    made_at_ns: int
    document: str


class ReportRuns(Protocol):
    """Who keeps reports. They are never dropped: they are small, and the past they tell goes."""

    def write_report(self, row: ReportRow, owed: Sequence[NotificationRow]) -> bool:
        """Keep one with the notifications that it owes, in one transaction; whether it is new.

        One of the same report and week stays as it is, and nothing is owed again.
        """
        ...

    def report(self, report: str, week: str) -> ReportRow | None:
        """One, or None."""
        ...

    def reports(self, report: str | None = None, limit: int = 100) -> Sequence[ReportRow]:
        """Those of one name or of all, the newest week first."""
        ...
