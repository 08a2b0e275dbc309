"""Counters of nodes: minutes that add up, and their hours, which take the same at once."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from store.counters import CounterRow
from store.sqlite import names

MINUTE_S: Final = 60
HOUR_S: Final = 3_600

_SUMS: Final = ("covered_ns", "answered", "unanswered", "restarts")
_COUNTS: Final = (
    "hits", "misses", "evictions", "expirations", "invalidations", "requests", "request_us",
)  # fmt: skip
_OWN: Final = (
    "own_hits_least", "own_hits", "own_hits_most",
    "own_misses_least", "own_misses", "own_misses_most",
)  # fmt: skip
_GAUGES: Final = ("memory_bytes", "memory_limit_bytes", "items")
_COLUMNS: Final = (*_SUMS, *_COUNTS, *_OWN, *_GAUGES, "last_at_ns", "why")


def _added(column: str) -> str:
    """How a column takes what comes to it."""
    if column in _SUMS or column in _OWN:
        return f"{column} = {column} + excluded.{column}"
    if column in _COUNTS:
        # NULL and NULL stay NULL, NULL and a number make that number.
        return f"{column} = coalesce({column} + excluded.{column}, {column}, excluded.{column})"
    if column == "last_at_ns":
        return "last_at_ns = max(last_at_ns, excluded.last_at_ns)"
    newest = f"excluded.{column}" if column == "why" else f"coalesce(excluded.{column}, {column})"
    return f"{column} = CASE WHEN excluded.last_at_ns >= last_at_ns THEN {newest} ELSE {column} END"


ADD: Final = f"""
INSERT INTO counters (grain_s, start_s, place, source, {", ".join(_COLUMNS)})
VALUES (:grain_s, :start_s, {names.PLACE_ID}, :source, {", ".join(f":{each}" for each in _COLUMNS)})
ON CONFLICT (grain_s, start_s, place, source) DO UPDATE SET
{", ".join(map(_added, _COLUMNS))}
"""

RANGE: Final = f"""
SELECT start_s, layer, node, source, {", ".join(f"c.{each}" for each in _COLUMNS)}
FROM counters AS c CROSS JOIN places ON places.id = c.place
WHERE c.grain_s = :grain_s AND c.start_s >= :since_s AND c.start_s < :until_s
  AND (:layer IS NULL OR layer = :layer) AND (:node IS NULL OR node = :node)
ORDER BY start_s, layer, node, source
"""


def write_counters(connection: sqlite3.Connection, rows: Iterable[CounterRow]) -> None:
    """Add minutes to themselves and to their hours."""
    rows = list(rows)
    names.add_names(connection, (), ((row.layer, row.node) for row in rows))
    connection.executemany(
        ADD, [_packed(row, grain_s) for row in rows for grain_s in (MINUTE_S, HOUR_S)]
    )


def read_counters(
    connection: sqlite3.Connection,
    grain_s: int,
    since_s: int,
    until_s: int,
    layer: str | None,
    node: str | None,
) -> Sequence[CounterRow]:
    """Buckets that begin in [since, until)."""
    asked = {
        "grain_s": grain_s,
        "since_s": since_s,
        "until_s": until_s,
        "layer": layer,
        "node": node,
    }
    return [_unpacked(row) for row in connection.execute(RANGE, asked)]


def _packed(row: CounterRow, grain_s: int) -> dict[str, Any]:
    plain = (*_SUMS, *_COUNTS, *_GAUGES, "last_at_ns", "why")
    return {
        "grain_s": grain_s,
        "start_s": row.start_s // grain_s * grain_s,
        "layer": row.layer,
        "node": row.node,
        "source": row.source,
        **{name: getattr(row, name) for name in plain},
        **dict(zip(_OWN, (*row.own_hits, *row.own_misses), strict=True)),
    }


def _unpacked(row: tuple[Any, ...]) -> CounterRow:
    told = dict(zip(("start_s", "layer", "node", "source", *_COLUMNS), row, strict=True))
    own = [told.pop(name) for name in _OWN]
    return CounterRow(**told, own_hits=tuple(own[:3]), own_misses=tuple(own[3:]))
