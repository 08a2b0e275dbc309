"""Weekly reports as JSON and CSV: the frozen ones, and the week that runs."""

from typing import Final, Literal

from fastapi import Response

from reports.csv_form import to_csv
from reports.desk import Desk
from reports.document import ReportDocument
from stalewatch.api.items import Item, times
from stalewatch.api.problem import MissingError
from store.base import Store
from store.report_runs import ReportRow

NS_PER_S: Final = 1_000_000_000
RUNNING: Final = "running"
"""Stands in place of a week for the one that is not over."""
Format = Literal["json", "csv"]


def report_item(row: ReportRow) -> Item:
    """One that was made, without its numbers."""
    verdict = ReportDocument.from_json(row.document).verdict
    return {
        "report": row.report,
        "week": row.week,
        **times(since=row.since_s * NS_PER_S, until=row.until_s * NS_PER_S, made_at=row.made_at_ns),
        "level": verdict.level,
        "verdict": verdict.line,
    }


def report_answer(
    store: Store, desk: Desk, name: str, week: str, form: Format, now_ns: int
) -> Response:
    """One whole report. Raises MissingError where there is none, and StoreError."""
    document = _document(store, desk, name, week, now_ns)
    headers = {"cache-control": "no-store"}
    if form == "csv":
        headers["content-disposition"] = f'attachment; filename="{document.week}.csv"'
        return Response(to_csv(document), headers=headers, media_type="text/csv; charset=utf-8")
    return Response(document.to_json(), headers=headers, media_type="application/json")


def _document(store: Store, desk: Desk, name: str, week: str, now_ns: int) -> ReportDocument:
    if week == RUNNING:
        made = desk.so_far(name, now_ns)
        if made is not None:
            return made
    elif (row := store.report(name, week)) is not None:
        return ReportDocument.from_json(row.document)
    raise MissingError(
        f"no report {name!r} of week {week!r}: /api/v1/reports lists those that were made, and"
        f" the week {RUNNING!r} is the one that is not over"
    )
