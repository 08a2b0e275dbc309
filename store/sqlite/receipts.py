"""Receipts, and what joins them to invalidations: the id that they name, else parent and links.

They are joined as they are read, so it does not matter which of the two came first, or when.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from store.messages import ReceiptRow
from store.sqlite.spans import pack_id, unpack_id
from store.sqlite.values import named_rows, pack_integer, unpack_integer

RECEIPTS_EACH: Final = 10_000
"""How many receipts of one invalidation are read at most: senders may forge any number."""

_FOR_EVER: Final = 2**63 - 1

_WRITE: Final = "INSERT INTO receipts VALUES ({}) ON CONFLICT DO NOTHING".format(
    ", ".join("?" * 15)
)
_WRITE_LINK: Final = "INSERT INTO receipt_links SELECT seq, ?2, ?3, ?4 FROM receipts WHERE seq = ?1"

_SELECT: Final = """
SELECT *, (
  SELECT group_concat(lower(hex(trace_id)) || ':' || lower(hex(span_id)), ' ')
  FROM (SELECT trace_id, span_id FROM receipt_links WHERE receipt = receipts.seq ORDER BY position)
) AS links
FROM receipts
"""

RECEIPTS: Final = f"""
{_SELECT} WHERE seq IN (
  SELECT seq FROM receipts WHERE invalidation = :id
  UNION
  SELECT seq FROM receipts
  WHERE invalidation IS NULL AND trace_id = :trace_id AND parent_span_id = :span_id
  UNION
  SELECT receipt FROM receipt_links AS link CROSS JOIN receipts AS linked ON linked.seq = receipt
  WHERE link.trace_id = :trace_id AND link.span_id = :span_id AND linked.invalidation IS NULL
)
ORDER BY at_ns, seq LIMIT {RECEIPTS_EACH}
"""

ORPHANS: Final = f"""
{_SELECT} WHERE received_at_ns >= :since_ns AND CASE
  WHEN invalidation IS NOT NULL
  THEN NOT EXISTS (SELECT 1 FROM invalidations WHERE id = receipts.invalidation)
  ELSE NOT EXISTS (
    SELECT 1 FROM invalidations
    WHERE trace_id = receipts.trace_id AND span_id = receipts.parent_span_id
  ) AND NOT EXISTS (
    SELECT 1 FROM receipt_links AS link CROSS JOIN invalidations AS told
      ON told.trace_id = link.trace_id AND told.span_id = link.span_id
    WHERE link.receipt = receipts.seq
  )
END
ORDER BY received_at_ns DESC, seq DESC LIMIT :limit
"""

SEQUENCES: Final = """
SELECT publisher, stream, layer, node, sequence FROM receipts
WHERE received_at_ns >= :since_ns AND sequence IS NOT NULL ORDER BY received_at_ns, seq
"""

COUNTS: Final = """
SELECT layer, node, count(*) FROM receipts
WHERE received_at_ns >= :since_ns AND received_at_ns < :until_ns AND is_known
GROUP BY layer, node ORDER BY layer, node
"""


def write_receipts(connection: sqlite3.Connection, receipts: Sequence[ReceiptRow]) -> None:
    """Add those that are not known yet, with their links."""
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM receipts").fetchone()[0]
    numbered = list(enumerate(receipts, last + 1))
    connection.executemany(_WRITE, [(seq, *_pack(row)) for seq, row in numbered])
    links = [
        (seq, position, pack_id(trace_id), pack_id(span_id))
        for seq, row in numbered
        for position, (trace_id, span_id) in enumerate(row.links)
    ]
    connection.executemany(_WRITE_LINK, links)


def read_receipts(
    connection: sqlite3.Connection, id: str, trace_id: bytes | None, span_id: bytes | None
) -> list[ReceiptRow]:
    """The receipts of the invalidation with this id and this span, oldest first."""
    asked = {"id": id, "trace_id": trace_id, "span_id": span_id}
    return [_unpack(named) for named in named_rows(connection.execute(RECEIPTS, asked))]


def read_orphans(connection: sqlite3.Connection, since_ns: int, limit: int) -> list[ReceiptRow]:
    """Receipts received since then whose invalidation never came, newest first."""
    asked = {"since_ns": since_ns, "limit": limit}
    return [_unpack(named) for named in named_rows(connection.execute(ORPHANS, asked))]


def read_sequences(
    connection: sqlite3.Connection, since_ns: int
) -> list[tuple[str, str, str, str, int]]:
    """(publisher, stream, layer, node, sequence) of each receipt that has one, as they came."""
    found = connection.execute(SEQUENCES, {"since_ns": since_ns})
    return [(*names, int(sequence)) for *names, sequence in found]


def read_counts(
    connection: sqlite3.Connection, since_ns: int, until_ns: int | None
) -> list[tuple[str, str, int]]:
    """(layer, node, count) of the receipts of known nodes in [since, until)."""
    until_ns = _FOR_EVER if until_ns is None else until_ns
    return list(connection.execute(COUNTS, {"since_ns": since_ns, "until_ns": until_ns}))


def _pack(row: ReceiptRow) -> tuple[Any, ...]:
    return (
        row.invalidation or None,
        row.layer,
        row.node,
        row.outcome,
        row.at_ns,
        row.received_at_ns,
        row.is_known,
        row.publisher,
        row.stream,
        pack_integer(row.sequence),
        row.host,
        pack_id(row.trace_id),
        pack_id(row.span_id),
        pack_id(row.parent_span_id),
    )


def _unpack(named: dict[str, Any]) -> ReceiptRow:
    del named["seq"]
    pairs = [pair.partition(":") for pair in (named.pop("links") or "").split()]
    return ReceiptRow(
        invalidation=named.pop("invalidation") or "",
        is_known=bool(named.pop("is_known")),
        sequence=unpack_integer(named.pop("sequence")),
        trace_id=unpack_id(named.pop("trace_id")),
        span_id=unpack_id(named.pop("span_id")),
        parent_span_id=unpack_id(named.pop("parent_span_id")),
        links=tuple((trace_id, span_id) for trace_id, _, span_id in pairs),
        **named,
    )
