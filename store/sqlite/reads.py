"""Reads that were not fresh, each a row with its evidence."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from freshness.model import Bounds, Reason, Result, Verdict
from store.base import ReadRow
from store.sqlite.names import CLOCK_ID, KEY_ID, KEYSPACE_ID, PLACE_ID
from store.sqlite.values import (
    named_rows,
    pack_integer,
    pack_value,
    pop_value,
    unpack_integer,
)

END_OF_TIME_NS: Final = 2**63 - 1

_COLUMNS: Final = (
    "result", "version", "projection", "absent", "why", "stratum", "verdict", "reason",
    "max_staleness_ns", "lower_ns", "upper_ns", "behind_lower", "behind_upper", "ttl_s", "age_s",
    "filled", "evidence", "finding",
)  # fmt: skip

_WRITE: Final = f"""
INSERT INTO reads (id, keyspace, key, place, clock, at_ns, start_ns, end_ns, {", ".join(_COLUMNS)})
VALUES (
  :id, {KEYSPACE_ID}, {KEY_ID}, {PLACE_ID}, {CLOCK_ID},
  :start_ns + (SELECT wall_offset_ns FROM clocks WHERE name = :clock), :start_ns, :end_ns,
  {", ".join(f":{name}" for name in _COLUMNS)}
)
ON CONFLICT (id) DO UPDATE SET
  keyspace = excluded.keyspace, key = excluded.key, place = excluded.place,
  clock = excluded.clock, at_ns = excluded.at_ns, start_ns = excluded.start_ns,
  end_ns = excluded.end_ns, {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
"""

_SELECT: Final = f"""
SELECT reads.id, keyspaces.name AS keyspace, keys.key, places.layer, places.node,
  clocks.name AS clock, start_ns, end_ns,
  {", ".join(_COLUMNS)}, at_ns
FROM reads JOIN keyspaces ON keyspaces.id = reads.keyspace JOIN keys ON keys.id = reads.key
JOIN places ON places.id = reads.place JOIN clocks ON clocks.id = reads.clock
"""

# Without a keyspace, a key is looked up in each: there are few keyspaces, and many keys.
_KEY_IN_ANY: Final = (
    "reads.key IN (SELECT keys.id FROM keyspaces CROSS JOIN keys ON keys.keyspace = keyspaces.id "
    "AND keys.key = :key)"
)


def write_reads(
    connection: sqlite3.Connection, reads: Sequence[ReadRow], cleared: Sequence[int] = ()
) -> None:
    """Add reads, replace those that are there, and take back those that turned out fresh."""
    connection.executemany(_WRITE, [_pack(read) for read in reads])
    connection.executemany("DELETE FROM reads WHERE id = ?", [(id_,) for id_ in cleared])


def reads_query(keyspace: str | None, key: str | None, finding: str | None) -> str:
    """The SQL for a combination of filters; parameters are named as those of `Facts.reads`."""
    conditions = ["at_ns >= :since_ns AND at_ns < :until_ns"]
    if finding is not None:
        conditions.append("finding = :finding")
    if key is not None:
        conditions.append(f"reads.key = {KEY_ID}" if keyspace is not None else _KEY_IN_ANY)
    elif keyspace is not None:
        conditions.append(f"reads.keyspace = {KEYSPACE_ID}")
    return (
        f"{_SELECT} WHERE {' AND '.join(conditions)} "
        "ORDER BY at_ns DESC, reads.id DESC LIMIT :limit"
    )


def read_reads(
    connection: sqlite3.Connection,
    keyspace: str | None,
    key: str | None,
    finding: str | None,
    since_ns: int,
    until_ns: int | None,
    limit: int,
) -> list[tuple[ReadRow, int]]:
    """Reads, newest first, with the wall time of each start in [since, until)."""
    asked = {
        "keyspace": keyspace,
        "key": key,
        "finding": finding,
        "since_ns": since_ns,
        "until_ns": END_OF_TIME_NS if until_ns is None else until_ns,
        "limit": limit,
    }
    rows = connection.execute(reads_query(keyspace, key, finding), asked)
    return [(_unpack(named), at_ns) for named in named_rows(rows) for at_ns in [named.pop("at_ns")]]


def _pack(read: ReadRow) -> dict[str, Any]:
    version, projection, absent = pack_value(read.value)
    return {
        "id": read.id,
        "keyspace": read.keyspace,
        "key": read.key,
        "layer": read.layer,
        "node": read.node,
        "clock": read.clock,
        "start_ns": read.start_ns,
        "end_ns": read.end_ns,
        "result": read.result,
        "version": version,
        "projection": projection,
        "absent": absent,
        "why": read.why,
        "stratum": read.stratum,
        "verdict": read.verdict,
        "reason": read.reason,
        "max_staleness_ns": read.max_staleness_ns,
        "lower_ns": read.bounds.lower,
        "upper_ns": read.bounds.upper,
        "behind_lower": pack_integer(read.bounds.behind_lower),
        "behind_upper": pack_integer(read.bounds.behind_upper),
        "ttl_s": read.ttl_s,
        "age_s": read.age_s,
        "filled": read.filled,
        "evidence": read.evidence,
        "finding": read.finding,
    }


def _unpack(named: dict[str, Any]) -> ReadRow:
    bounds = Bounds(
        named.pop("lower_ns"),
        named.pop("upper_ns"),
        unpack_integer(named.pop("behind_lower")) or 0,
        unpack_integer(named.pop("behind_upper")),
    )
    return ReadRow(
        value=pop_value(named),
        result=Result(named.pop("result")),
        verdict=Verdict(named.pop("verdict")),
        reason=Reason(named.pop("reason")),
        bounds=bounds,
        filled=bool(named.pop("filled")),
        **named,
    )
