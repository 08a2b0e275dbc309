"""The dictionaries: names that facts refer to by small integers.

Look-ups happen in SQL, not in a cache of ours: nothing to bound, and nothing that a rolled-back
transaction or another process could make untrue.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

from store.base import Clock

KEYSPACE_ID: Final = "(SELECT id FROM keyspaces WHERE name = :keyspace)"
KEY_ID: Final = f"(SELECT id FROM keys WHERE keyspace = {KEYSPACE_ID} AND key = :key)"
PLACE_ID: Final = "(SELECT id FROM places WHERE layer = :layer AND node = :node)"
CLOCK_ID: Final = "(SELECT id FROM clocks WHERE name = :clock)"


def write_clocks(connection: sqlite3.Connection, clocks: Iterable[Clock]) -> None:
    """Add clocks, or state them anew."""
    connection.executemany(
        "INSERT INTO clocks (name, wall_offset_ns, opened_at_ns) VALUES (?, ?, ?) ON CONFLICT "
        "(name) DO UPDATE SET wall_offset_ns = excluded.wall_offset_ns, "
        "opened_at_ns = excluded.opened_at_ns",
        [(clock.id, clock.wall_offset_ns, clock.opened_at_ns) for clock in clocks],
    )


def add_names(
    connection: sqlite3.Connection,
    keys: Iterable[tuple[str, str]],
    places: Iterable[tuple[str, str]],
) -> None:
    """See that every (keyspace, key) and every (layer, node) has an id."""
    wanted = dict.fromkeys(keys)
    keyspaces = dict.fromkeys(keyspace for keyspace, _ in wanted)
    connection.executemany(
        "INSERT OR IGNORE INTO keyspaces (name) VALUES (?)", [(name,) for name in keyspaces]
    )
    connection.executemany(
        "INSERT OR IGNORE INTO keys (keyspace, key) SELECT id, ?2 FROM keyspaces WHERE name = ?1",
        list(wanted),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO places (layer, node) VALUES (?, ?)", list(dict.fromkeys(places))
    )


def keys_with_prefix(
    connection: sqlite3.Connection, keyspace: str, prefix: str, limit: int
) -> list[str]:
    """The first `limit` keys that begin with `prefix`.

    Those that do stand together from the prefix itself on, so one walk along the index finds them,
    and no pattern has to be escaped.
    """
    rows = connection.execute(
        f"SELECT key FROM keys WHERE keyspace = {KEYSPACE_ID} AND key >= :prefix "
        "ORDER BY key LIMIT :limit",
        {"keyspace": keyspace, "prefix": prefix, "limit": limit},
    )
    return [key for (key,) in rows if key.startswith(prefix)]
