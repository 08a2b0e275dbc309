"""Invalidations: written once, found by time, keyspace, key and id."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from store.base import CursorError
from store.messages import InvalidationRow, Told
from store.page import Page
from store.sqlite.cursors import decode_cursor, encode_cursor
from store.sqlite.receipts import read_receipts
from store.sqlite.spans import pack_id, unpack_id
from store.sqlite.values import named_rows, pack_integer, unpack_integer

# Any conflict means that the message is known: by its id, or by its span.
_WRITE: Final = "INSERT INTO invalidations VALUES ({}) ON CONFLICT DO NOTHING".format(
    ", ".join("?" * 15)
)

# An invalidation that was known has no row under its new `seq`, so its keys are not written either.
_WRITE_KEY: Final = """
INSERT INTO invalidation_keys
SELECT ?, keyspace, received_at_ns, seq FROM invalidations WHERE seq = ?
ON CONFLICT DO NOTHING
"""


def write_invalidations(
    connection: sqlite3.Connection, invalidations: Sequence[InvalidationRow]
) -> None:
    """Add those that are not known yet, with their keys."""
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM invalidations").fetchone()[0]
    numbered = list(enumerate(invalidations, last + 1))
    connection.executemany(_WRITE, [(seq, *_pack(row)) for seq, row in numbered])
    keys = [(key, seq) for seq, row in numbered for key in row.keys]
    connection.executemany(_WRITE_KEY, keys)


def read_invalidation(connection: sqlite3.Connection, id: str) -> Told | None:
    """One by its id, with its receipts."""
    found = connection.execute("SELECT * FROM invalidations WHERE id = ?", (id,))
    for named in named_rows(found):
        return _told(connection, named)
    return None


def invalidations_query(keyspace: str | None, key: str | None, cursor: str | None) -> str:
    """The SQL for a combination of filters; parameters are named as those of the method."""
    at = "invalidations" if key is None else "invalidation_keys"
    conditions = [f"{at}.received_at_ns >= :since_ns AND {at}.received_at_ns < :until_ns"]
    if key is not None:
        conditions.append("key = :key")
    if keyspace is not None:
        conditions.append(f"{at}.keyspace = :keyspace")
    seq = f"{at}.{'seq' if key is None else 'invalidation'}"
    if cursor is not None:
        conditions.append(f"({at}.received_at_ns, {seq}) < (:after_ns, :after_seq)")
    joined = " CROSS JOIN invalidations ON seq = invalidation" if key is not None else ""
    return (
        f"SELECT invalidations.* FROM {at}{joined} WHERE {' AND '.join(conditions)} "
        f"ORDER BY {at}.received_at_ns DESC, {seq} DESC LIMIT :limit + 1"
    )


def read_invalidations(
    connection: sqlite3.Connection,
    since_ns: int,
    until_ns: int,
    keyspace: str | None,
    key: str | None,
    limit: int,
    cursor: str | None,
) -> Page[Told]:
    """A page of those received in [since, until), newest first."""
    asked: dict[str, Any] = {"keyspace": keyspace, "key": key}
    asked |= {"since_ns": since_ns, "until_ns": until_ns, "limit": limit}
    if cursor is not None:
        asked["after_ns"], asked["after_seq"] = _decode(cursor)
    query = invalidations_query(keyspace, key, cursor)
    found = list(named_rows(connection.execute(query, asked)))
    shown = found[:limit]
    follows = len(found) > limit and shown
    last = encode_cursor(shown[-1]["received_at_ns"], str(shown[-1]["seq"])) if follows else None
    return Page([_told(connection, named) for named in shown], last)


def read_newest(
    connection: sqlite3.Connection, keyspace: str, since_ns: int, limit: int
) -> list[InvalidationRow]:
    """The newest of a keyspace, without their receipts, oldest first."""
    found = connection.execute(
        "SELECT * FROM invalidations WHERE keyspace = ? AND received_at_ns >= ? "
        "ORDER BY received_at_ns DESC, seq DESC LIMIT ?",
        (keyspace, since_ns, limit),
    )
    return [_unpack(named) for named in named_rows(found)][::-1]


def _decode(cursor: str) -> tuple[int, int]:
    at_ns, seq = decode_cursor(cursor)
    if not (seq.isascii() and seq.isdigit() and len(seq) < 19):
        raise CursorError(f"not a cursor of this list: {cursor[:80]!r}")
    return at_ns, int(seq)


def _told(connection: sqlite3.Connection, named: dict[str, Any]) -> Told:
    receipts = read_receipts(connection, named["id"], named["trace_id"], named["span_id"])
    return Told(_unpack(named), receipts)


def _pack(row: InvalidationRow) -> tuple[Any, ...]:
    return (
        row.id,
        row.keyspace,
        row.scope,
        json.dumps(list(row.keys)),
        pack_integer(row.version),
        row.version_text,
        row.publisher,
        row.stream,
        pack_integer(row.sequence),
        row.written_at_ns,
        row.received_at_ns,
        row.host,
        pack_id(row.trace_id),
        pack_id(row.span_id),
    )


def _unpack(named: dict[str, Any]) -> InvalidationRow:
    del named["seq"]
    return InvalidationRow(
        keys=tuple(json.loads(named.pop("keys"))),
        version=unpack_integer(named.pop("version")),
        sequence=unpack_integer(named.pop("sequence")),
        trace_id=unpack_id(named.pop("trace_id")),
        span_id=unpack_id(named.pop("span_id")),
        **named,
    )
