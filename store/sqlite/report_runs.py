"""Reports, a row each with their document."""

import sqlite3
from dataclasses import astuple
from typing import Final

from store.report_runs import ReportRow

_COLUMNS: Final = "report, week, since_s, until_s, made_at_ns, document"
_WRITE: Final = (
    f"INSERT INTO report_runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
REPORT: Final = f"SELECT {_COLUMNS} FROM report_runs WHERE report = ? AND week = ?"


def write_report(connection: sqlite3.Connection, row: ReportRow) -> bool:
    """Add one, unless there is one of its week; whether it was added."""
    return connection.execute(_WRITE, astuple(row)).rowcount == 1


def read_report(connection: sqlite3.Connection, report: str, week: str) -> ReportRow | None:
    """One, or None."""
    found = connection.execute(REPORT, (report, week)).fetchone()
    return None if found is None else ReportRow(*found)


def reports_query(report: str | None) -> str:
    """The SQL with or without a name."""
    where = "" if report is None else "WHERE report = :report "
    return f"SELECT {_COLUMNS} FROM report_runs {where}ORDER BY since_s DESC, report LIMIT :limit"


def read_reports(connection: sqlite3.Connection, report: str | None, limit: int) -> list[ReportRow]:
    """The newest week first."""
    rows = connection.execute(reports_query(report), {"report": report, "limit": limit})
    return [ReportRow(*row) for row in rows]
