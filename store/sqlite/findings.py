"""Findings: confirmed faults and those on their way to be."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from freshness.model import Value
from store.base import FindingRow
from store.page import Page
from store.sqlite.cursors import decode_cursor, encode_cursor
from store.sqlite.values import named_rows, pack_value, pop_value

OPEN: Final = "state IN ('opened', 'confirmed')"

# The row as its collector wrote it, with the cause that all evidence decides where there is one.
_SELECT: Final = """
SELECT findings.*, said.cause AS said_cause, said.because AS said_because,
  said.ruled_out AS said_ruled_out
FROM findings LEFT JOIN diagnoses AS said ON said.finding = findings.id"""

_WRITE: Final = "INSERT OR REPLACE INTO findings VALUES ({})".format(", ".join("?" * 23))


def write_findings(connection: sqlite3.Connection, findings: Sequence[FindingRow]) -> None:
    """Add findings, and replace those that are there."""
    connection.executemany(_WRITE, [_pack(finding) for finding in findings])


def read_finding(connection: sqlite3.Connection, id: str) -> FindingRow | None:
    """One finding by its id."""
    found = named_rows(connection.execute(f"{_SELECT} WHERE id = ?", (id,)))
    return next(map(_unpack_said, found), None)


def findings_query(open_only: bool, equal: Collection[str], is_ended: bool, is_next: bool) -> str:
    """The SQL for a combination of filters; parameters are named as those of the method.

    `equal` are the columns that hold what was asked for.
    """
    conditions = ["opened_at_ns >= :since_ns", *(f"{column} = :{column}" for column in equal)]
    if open_only:
        conditions.append(OPEN)
    if is_ended:
        conditions.append("opened_at_ns < :until_ns")
    if is_next:
        conditions.append("(opened_at_ns, id) < (:after_ns, :after_id)")
    return (
        f"{_SELECT} WHERE {' AND '.join(conditions)} "
        "ORDER BY opened_at_ns DESC, id DESC LIMIT :limit + 1"
    )


def read_findings(
    connection: sqlite3.Connection,
    open_only: bool,
    equal: Mapping[str, str | None],
    since_ns: int,
    until_ns: int | None,
    limit: int,
    cursor: str | None,
) -> Page[FindingRow]:
    """A page of the findings that were opened in [since, until), newest first.

    `equal` is what columns are to hold, None where anything will do.
    """
    asked: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
    query = findings_query(open_only, [*asked], until_ns is not None, cursor is not None)
    asked |= {"since_ns": since_ns, "until_ns": until_ns, "limit": limit}
    if cursor is not None:
        asked["after_ns"], asked["after_id"] = decode_cursor(cursor)
    found = [_unpack_said(named) for named in named_rows(connection.execute(query, asked))]
    items = found[:limit]
    follows = len(found) > limit and items
    return Page(items, encode_cursor(items[-1].opened_at_ns, items[-1].id) if follows else None)


OPEN_IN: Final = f"""
{_SELECT} WHERE opened_at_ns < :until_ns AND (healed_at_ns IS NULL OR healed_at_ns > :since_ns)
ORDER BY opened_at_ns DESC, id DESC LIMIT :limit
"""


def read_open_in(
    connection: sqlite3.Connection, since_ns: int, until_ns: int, limit: int
) -> list[FindingRow]:
    """Those that were open at some instant of [since, until), newest first."""
    asked = {"since_ns": since_ns, "until_ns": until_ns, "limit": limit}
    return [_unpack_said(named) for named in named_rows(connection.execute(OPEN_IN, asked))]


def _pack(finding: FindingRow) -> tuple[Any, ...]:
    return (
        finding.id,
        finding.keyspace,
        finding.key,
        finding.layer,
        finding.node,
        finding.region,
        finding.state,
        *pack_value(finding.held),
        *pack_value(finding.latest),
        finding.max_staleness_ns,
        finding.lower_ns,
        finding.upper_ns,
        finding.opened_at_ns,
        finding.confirmed_at_ns,
        finding.healed_at_ns,
        finding.cause,
        finding.because,
        json.dumps(list(finding.ruled_out)),
        finding.evidence,
    )


def _unpack_said(named: dict[str, Any]) -> FindingRow:
    own = {name: named.pop(f"said_{name}") for name in ("cause", "because", "ruled_out")}
    return unpack_finding(named if own["cause"] is None else {**named, **own})


def unpack_finding(named: dict[str, Any]) -> FindingRow:
    """A row of the columns of a finding."""
    return FindingRow(
        held=pop_value(named, "held_") or Value(),
        latest=pop_value(named, "latest_") or Value(),
        ruled_out=tuple(json.loads(named.pop("ruled_out"))),
        **named,
    )
