"""How many sampled reads of each key were proven stale: whom a budget was spent on."""

import sqlite3
from typing import Final

from store.sqlite.names import KEYSPACE_ID

WORST: Final = f"""
SELECT keys.key, places.layer, places.node, count(*)
FROM reads CROSS JOIN keys ON keys.id = reads.key CROSS JOIN places ON places.id = reads.place
WHERE reads.keyspace = {KEYSPACE_ID} AND at_ns >= :since_ns AND at_ns < :until_ns
  AND stratum = :stratum
  AND CASE WHEN :limit_ns IS NULL THEN verdict = 'stale' ELSE lower_ns > :limit_ns END
GROUP BY keys.key, places.layer, places.node
"""


def count_stale(
    connection: sqlite3.Connection,
    keyspace: str,
    since_ns: int,
    until_ns: int,
    stratum: str,
    limit_ns: int | None,
) -> list[tuple[str, str, str, int]]:
    """(key, layer, node, reads)."""
    asked = {
        "keyspace": keyspace,
        "since_ns": since_ns,
        "until_ns": until_ns,
        "stratum": stratum,
        "limit_ns": limit_ns,
    }
    return connection.execute(WORST, asked).fetchall()
