"""Roll-ups: minute cells that take deltas, and the hours and days that they fold into.

Cells are added in Python by `freshness.rollup` itself, so there is one meaning of addition. Before
a minute changes, the cell as hours and days know it is set aside (grain 0); folding then adds what
the minute has changed by since. That is linear, costs nothing for minutes that rest, and needs no
other minute of the hour, so a delta that comes late is one like any other.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from freshness.histogram import Histogram
from freshness.rollup import Grain, Rollup, RollupKey, Tally, changes, fold, merge

AS_FOLDED_S: Final = 0
"""The grain of minutes as they were when they were last folded."""

Cells = Mapping[RollupKey, Rollup]

_COUNTS: Final = ("hits", "negatives", "misses", "unreadable", "unanswered", "clusters")
_TALLIES: Final = ("fresh", "stale", "indeterminate", "unknown")
_MARKS: Final = ", ".join("?" * 21)

_SERIES_ID: Final = (
    "(SELECT id FROM series WHERE keyspace = ? AND layer = ? AND node = ? AND stratum = ? "
    "AND max_staleness_ns = ? AND definition = ?)"
)
_SELECT: Final = "SELECT start_s, keyspace, layer, node, stratum, max_staleness_ns, definition, c.*"

RANGE: Final = f"""
{_SELECT} FROM cells AS c CROSS JOIN series ON series.id = c.series
WHERE grain_s = :grain_s AND start_s >= :since_s AND start_s < :until_s
  AND (:keyspace IS NULL OR keyspace = :keyspace) AND (:layer IS NULL OR layer = :layer)
  AND (:node IS NULL OR node = :node)
ORDER BY start_s, keyspace, layer, node, stratum, max_staleness_ns, definition
"""


class Asked(NamedTuple):
    """Which cells a caller wants: those that begin in [since, until); None is "any"."""

    grain_s: int
    since_s: int
    until_s: int
    keyspace: str | None = None
    layer: str | None = None
    node: str | None = None


def read_cells(connection: sqlite3.Connection, asked: Asked) -> list[tuple[RollupKey, Rollup]]:
    """Cells in order of time."""
    return [_unpack(row) for row in connection.execute(RANGE, asked._asdict())]


def add_deltas(connection: sqlite3.Connection, deltas: Cells) -> None:
    """Add to minutes; what is older than the minutes that are kept goes to hours and days."""
    if not deltas:
        return
    _add_series(connection, deltas)
    kept_from = kept_from_s(connection, Grain.MINUTE)
    kept = {key: cell for key, cell in deltas.items() if key.start_s >= kept_from}
    before = _stored(connection, Grain.MINUTE, kept)
    _put(connection, "INSERT OR IGNORE", AS_FOLDED_S, {k: before.get(k, Rollup()) for k in kept})
    _put(connection, "INSERT OR REPLACE", Grain.MINUTE, _added(before, kept))
    if len(kept) < len(deltas):
        late = {key: cell for key, cell in deltas.items() if key.start_s < kept_from}
        for grain in (Grain.HOUR, Grain.DAY):
            _add_coarse(connection, grain, _without_clusters(fold(late, grain)))


def has_unfolded(connection: sqlite3.Connection) -> bool:
    """Whether any minute has changed since hours and days were folded."""
    found = connection.execute("SELECT 1 FROM cells WHERE grain_s = 0 LIMIT 1").fetchone()
    return found is not None


def fold_minutes(connection: sqlite3.Connection) -> None:
    """Add to hours and days what the minutes have changed by; a second time adds nothing."""
    before = dict(read_cells(connection, Asked(AS_FOLDED_S, -(2**63), 2**63 - 1)))
    after = _stored(connection, Grain.MINUTE, before)
    for grain in (Grain.HOUR, Grain.DAY):
        _add_coarse(connection, grain, changes(fold(before, grain), fold(after, grain)))
    connection.execute("DELETE FROM cells WHERE grain_s = 0")


def kept_from_s(connection: sqlite3.Connection, grain: Grain) -> int:
    """The start of the oldest cells of a grain that retention keeps."""
    asked = "SELECT kept_from_s FROM horizons WHERE grain_s = ?"
    return int(connection.execute(asked, (int(grain),)).fetchone()[0])


def _add_coarse(connection: sqlite3.Connection, grain: Grain, deltas: Cells) -> None:
    """Add to the hours or days that retention still keeps."""
    kept_from = kept_from_s(connection, grain)
    kept = {key: cell for key, cell in deltas.items() if key.start_s >= kept_from}
    _put(connection, "INSERT OR REPLACE", grain, _added(_stored(connection, grain, kept), kept))


def _without_clusters(cells: Cells) -> Cells:
    """For minutes that are gone: whether they had reads before is known to nobody any more."""
    return {key: replace(cell, clusters=0, observed=0) for key, cell in cells.items()}


def _added(stored: Cells, deltas: Cells) -> Cells:
    return {key: cell for key, cell in merge(stored, deltas).items() if key in deltas}


def _add_series(connection: sqlite3.Connection, keys: Iterable[RollupKey]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO series (keyspace, layer, node, stratum, max_staleness_ns, "
        "definition) VALUES (?, ?, ?, ?, ?, ?)",
        list(dict.fromkeys(key[1:] for key in keys)),
    )


def _stored(connection: sqlite3.Connection, grain: int, keys: Iterable[RollupKey]) -> Cells:
    """The cells of these keys that exist."""
    query = f"{_SELECT} FROM cells AS c CROSS JOIN series ON series.id = c.series " + (
        f"WHERE grain_s = ? AND start_s = ? AND series = {_SERIES_ID}"
    )
    rows = (connection.execute(query, (int(grain), *key)).fetchone() for key in keys)
    return dict(_unpack(row) for row in rows if row is not None)


def _put(connection: sqlite3.Connection, verb: str, grain: int, cells: Cells) -> None:
    connection.executemany(
        f"{verb} INTO cells VALUES (?, ?, {_SERIES_ID}, {_MARKS})",
        [(int(grain), *key, *pack(cell)) for key, cell in cells.items()],
    )


def pack(cell: Rollup) -> tuple[Any, ...]:
    """Its row, after grain_s, start_s and series."""
    tallies = (getattr(cell, name) for name in _TALLIES)
    return (
        *(x for tally in tallies for x in (tally.n, tally.weight, tally.weight_squares)),
        *(getattr(cell, name) for name in _COUNTS),
        cell.s_lo.encode(),
        cell.s_hi.encode(),
        cell.observed,
    )


def _unpack(row: tuple[Any, ...]) -> tuple[RollupKey, Rollup]:
    # After the seven columns of the key stand grain_s, start_s and series.
    *counts, s_lo, s_hi, observed = row[10:]
    fresh, stale, indeterminate, unknown = (Tally(*counts[at : at + 3]) for at in range(0, 12, 3))
    hits, negatives, misses, unreadable, unanswered, clusters = counts[12:]
    return RollupKey(*row[:7]), Rollup(
        fresh=fresh,
        stale=stale,
        indeterminate=indeterminate,
        unknown=unknown,
        hits=hits,
        negatives=negatives,
        misses=misses,
        unreadable=unreadable,
        unanswered=unanswered,
        clusters=clusters,
        observed=observed,
        s_lo=Histogram.decode(s_lo),
        s_hi=Histogram.decode(s_hi),
    )
