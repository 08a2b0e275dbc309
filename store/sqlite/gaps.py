"""Gaps of sources, and where each was left."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from store.gaps import GapRow, PlaceRow

OF_ALL: Final = """
SELECT source, since_ns, until_ns, why FROM gaps
WHERE since_ns < :until_ns AND (until_ns IS NULL OR until_ns > :since_ns)
ORDER BY since_ns DESC, source LIMIT :limit
"""

OF_ONE: Final = """
SELECT source, since_ns, until_ns, why FROM gaps
WHERE source = :source AND since_ns < :until_ns AND (until_ns IS NULL OR until_ns > :since_ns)
ORDER BY since_ns DESC LIMIT :limit
"""


def write_gaps(
    connection: sqlite3.Connection,
    gaps: Sequence[GapRow],
    withdrawn: Sequence[GapRow],
    places: Sequence[PlaceRow],
) -> None:
    """Write all of it; what is there under the same name is replaced."""
    connection.executemany(
        "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?)",
        [(gap.source, gap.since_ns, gap.until_ns, gap.why) for gap in gaps],
    )
    connection.executemany(
        "DELETE FROM gaps WHERE source = ? AND since_ns = ?",
        [(gap.source, gap.since_ns) for gap in withdrawn],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO places_left VALUES (?, ?, ?, ?)",
        [(place.source, place.about, place.position, place.sure_until_ns) for place in places],
    )


def read_gaps(
    connection: sqlite3.Connection, since_ns: int, until_ns: int, source: str | None, limit: int
) -> list[GapRow]:
    """Those that overlap [since, until), newest first."""
    asked = {"source": source, "since_ns": since_ns, "until_ns": until_ns, "limit": limit}
    found = connection.execute(OF_ALL if source is None else OF_ONE, asked)
    return [GapRow(*row) for row in found]


def read_place(connection: sqlite3.Connection, source: str) -> PlaceRow | None:
    """Where a source was left."""
    found = connection.execute("SELECT * FROM places_left WHERE source = ?", (source,)).fetchone()
    return None if found is None else PlaceRow(*found)
