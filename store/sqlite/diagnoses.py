"""Diagnoses: what all evidence says of a finding, beside the row that its collector rewrites."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from store.base import FindingRow
from store.diagnoses import DiagnosisRow
from store.sqlite.findings import OPEN, unpack_finding
from store.sqlite.values import named_rows

_WRITE: Final = "INSERT OR REPLACE INTO diagnoses VALUES (?, ?, ?, ?, ?, ?)"

# Open findings and those that were over of late come from an index each, so that a long past costs
# nothing. Their columns stand under their own names, those of the diagnosis behind a prefix.
UNSETTLED: Final = f"""
SELECT findings.*, said.finding AS said_finding, said.cause AS said_cause,
  said.because AS said_because, said.ruled_out AS said_ruled_out, said.at_ns AS said_at_ns,
  said.is_settled AS said_is_settled
FROM (
  SELECT id FROM findings WHERE {OPEN}
  UNION
  SELECT id FROM findings WHERE healed_at_ns IS NOT NULL AND healed_at_ns >= :since_ns
) AS due
CROSS JOIN findings ON findings.id = due.id
LEFT JOIN diagnoses AS said ON said.finding = due.id
WHERE said.finding IS NULL OR NOT said.is_settled OR findings.healed_at_ns IS NULL
ORDER BY coalesce(said.at_ns, 0), findings.opened_at_ns, findings.id LIMIT :limit
"""


def write_diagnoses(connection: sqlite3.Connection, diagnoses: Sequence[DiagnosisRow]) -> None:
    """Add diagnoses, and replace those that are there."""
    rows = [
        (row.finding, row.cause, row.because, json.dumps(dict(row.ruled_out)), row.at_ns,
         row.is_settled)
        for row in diagnoses
    ]  # fmt: skip
    connection.executemany(_WRITE, rows)


def read_diagnosis(connection: sqlite3.Connection, finding: str) -> DiagnosisRow | None:
    """The diagnosis of one finding."""
    found = connection.execute("SELECT * FROM diagnoses WHERE finding = ?", (finding,))
    return next(map(_unpack, named_rows(found)), None)


def read_unsettled(
    connection: sqlite3.Connection, since_ns: int, limit: int
) -> list[tuple[FindingRow, DiagnosisRow | None]]:
    """Findings as their collectors wrote them, each with its diagnosis so far."""
    asked = {"since_ns": since_ns, "limit": limit}
    return [_split(named) for named in named_rows(connection.execute(UNSETTLED, asked))]


def _split(named: dict[str, Any]) -> tuple[FindingRow, DiagnosisRow | None]:
    prefix = "said_"
    said = {name: named.pop(name) for name in list(named) if name.startswith(prefix)}
    own = {name.removeprefix(prefix): value for name, value in said.items()}
    return unpack_finding(named), None if own["finding"] is None else _unpack(own)


def _unpack(named: dict[str, Any]) -> DiagnosisRow:
    return DiagnosisRow(
        ruled_out=json.loads(named.pop("ruled_out")),
        is_settled=bool(named.pop("is_settled")),
        **named,
    )
