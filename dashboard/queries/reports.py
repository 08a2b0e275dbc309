"""Weekly reports for the pages: those that were made, and the week that runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.site import Site
from dashboard.wording import SECOND_NS
from reports.ask import Subscription
from reports.desk import next_due_s
from reports.document import ReportDocument
from store.base import Store
from store.report_runs import ReportRow

RUNNING = "running"
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Made:
    """One report that was made, with its numbers."""

    row: ReportRow
    document: ReportDocument


@dataclass(frozen=True, slots=True)
class Coming:
    """A report that is made each week; `due_ns` is when it is made next."""

    subscription: Subscription
    due_ns: int


def made_reports(store: Store) -> list[Made]:
    """The newest week first. Raises StoreError."""
    return [_made(row) for row in store.reports(None, MOST_SHOWN)]


def coming_reports(site: Site, now_ns: int) -> list[Coming]:
    """In the order of the config."""
    subscriptions: Sequence[Subscription] = site.desk.subscriptions
    now_s = now_ns // SECOND_NS
    return [Coming(each, next_due_s(each, now_s) * SECOND_NS) for each in subscriptions]


def one_report(
    store: Store, site: Site, name: str, week: str, now_ns: int
) -> tuple[ReportDocument, ReportRow | None] | None:
    """Its numbers, and how it was made where it was; None where there is no such."""
    if week == RUNNING:
        document = site.desk.so_far(name, now_ns)
        return None if document is None else (document, None)
    row = store.report(name, week)
    return None if row is None else (ReportDocument.from_json(row.document), row)


def _made(row: ReportRow) -> Made:
    return Made(row, ReportDocument.from_json(row.document))
