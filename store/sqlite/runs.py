"""Runs: consecutive equal readings, extended in place."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from freshness.model import Result
from store.base import ORIGIN, RunRow, Span, StoreError
from store.sqlite.names import CLOCK_ID, KEY_ID, KEYSPACE_ID, PLACE_ID
from store.sqlite.values import named_rows, pack_value, pop_value

PAGE: Final = 1000

# What names a run never changes, so it is a condition here: an id that two runs claim changes no
# row, which is noticed. And no column of an index is set, so that extending a run is one page.
_WRITE: Final = f"""
INSERT INTO runs VALUES (
  :id, {KEY_ID}, {PLACE_ID}, {CLOCK_ID}, :result, :version, :projection, :absent,
  :first_start_ns, :first_end_ns, :last_start_ns, :last_end_ns, :count, :linearizable, :ended_by
)
ON CONFLICT (id) DO UPDATE SET
  result = excluded.result, version = excluded.version, projection = excluded.projection,
  absent = excluded.absent, first_end_ns = excluded.first_end_ns,
  last_start_ns = excluded.last_start_ns, last_end_ns = excluded.last_end_ns,
  count = excluded.count, linearizable = excluded.linearizable, ended_by = excluded.ended_by
WHERE key = excluded.key AND place = excluded.place AND clock = excluded.clock
  AND first_start_ns = excluded.first_start_ns
"""

_NOTE_ORIGIN: Final = f"""
INSERT INTO newest_origin_runs VALUES ({KEY_ID}, :id)
ON CONFLICT (key) DO UPDATE SET run = excluded.run WHERE excluded.run > run
"""

NEWEST_ORIGIN: Final = f"""
SELECT runs.id, keys.key, places.layer, places.node, result, version, projection, absent,
  clocks.name AS clock, first_start_ns, first_end_ns, last_start_ns, last_end_ns, count,
  linearizable, ended_by
FROM keys CROSS JOIN newest_origin_runs AS newest ON newest.key = keys.id
CROSS JOIN runs ON runs.id = newest.run
JOIN places ON places.id = runs.place JOIN clocks ON clocks.id = runs.clock
WHERE keys.keyspace = {KEYSPACE_ID} AND keys.key >= :from_key ORDER BY keys.key LIMIT :limit
"""

# The (place, clock) pairs of a key are found by hops along the index, one each, however many runs
# they hold. Of each pair, the run under way at `since` is the newest that began before.
SPANS: Final = f"""
WITH RECURSIVE
  wanted (key) AS (SELECT {KEY_ID}),
  places_of (place) AS (
    SELECT min(place) FROM runs WHERE key = (SELECT key FROM wanted)
    UNION ALL
    SELECT (SELECT min(place) FROM runs
            WHERE key = (SELECT key FROM wanted) AND place > places_of.place)
    FROM places_of WHERE place IS NOT NULL
  ),
  pairs (place, clock) AS (
    SELECT place, (SELECT min(clock) FROM runs
                   WHERE key = (SELECT key FROM wanted) AND place = places_of.place)
    FROM places_of WHERE place IS NOT NULL
    UNION ALL
    SELECT place, (SELECT min(clock) FROM runs
                   WHERE key = (SELECT key FROM wanted) AND place = pairs.place
                     AND clock > pairs.clock)
    FROM pairs WHERE clock IS NOT NULL
  )
SELECT places.layer, places.node, result, version, projection, absent,
  first_start_ns + wall_offset_ns AS first_at_ns, last_end_ns + wall_offset_ns AS last_at_ns,
  count, ended_by, first_end_ns + wall_offset_ns AS first_ended_at_ns,
  last_start_ns + wall_offset_ns AS last_started_at_ns, linearizable,
  clocks.name AS clock
FROM pairs
CROSS JOIN clocks ON clocks.id = pairs.clock
CROSS JOIN places ON places.id = pairs.place
CROSS JOIN runs ON runs.key = (SELECT key FROM wanted)
  AND runs.place = pairs.place AND runs.clock = pairs.clock
  AND first_start_ns <= :until_ns - wall_offset_ns
  AND first_start_ns >= coalesce(
    (SELECT max(earlier.first_start_ns) FROM runs AS earlier
     WHERE earlier.key = (SELECT key FROM wanted) AND earlier.place = pairs.place
       AND earlier.clock = pairs.clock
       AND earlier.first_start_ns < :since_ns - wall_offset_ns),
    :since_ns - wall_offset_ns)
WHERE last_end_ns + wall_offset_ns >= :since_ns
ORDER BY first_at_ns, places.layer, places.node, runs.id
"""


def write_runs(connection: sqlite3.Connection, runs: Sequence[RunRow]) -> None:
    """Add runs and extend those that are there. Raises StoreError where two runs claim one id."""
    columns = [_pack(run) for run in runs]
    written = connection.executemany(_WRITE, columns).rowcount
    if runs and written != len(runs):
        raise StoreError(f"{len(runs) - written} run ids of the batch belong to other runs already")
    origins = [each for each in columns if each["layer"] == ORIGIN]
    connection.executemany(_NOTE_ORIGIN, origins)


def read_newest_origin_runs(
    connection: sqlite3.Connection, keyspace: str, from_key: str
) -> tuple[list[RunRow], str | None]:
    """A page of them by key, and the key at which the next page begins."""
    asked = {"keyspace": keyspace, "from_key": from_key, "limit": PAGE}
    runs = [
        _unpack(keyspace, named) for named in named_rows(connection.execute(NEWEST_ORIGIN, asked))
    ]
    # No text sorts between a key and the same with a NUL behind it.
    return runs, f"{runs[-1].key}\0" if len(runs) == PAGE else None


def read_spans(
    connection: sqlite3.Connection, keyspace: str, key: str, since_ns: int, until_ns: int
) -> list[Span]:
    """The runs of a key in wall time."""
    asked = {"keyspace": keyspace, "key": key, "since_ns": since_ns, "until_ns": until_ns}
    return [
        Span(
            value=pop_value(named),
            result=Result(named.pop("result")),
            linearizable=bool(named.pop("linearizable")),
            **named,
        )
        for named in named_rows(connection.execute(SPANS, asked))
    ]


def _pack(run: RunRow) -> dict[str, Any]:
    version, projection, absent = pack_value(run.value)
    return {
        "id": run.id,
        "keyspace": run.keyspace,
        "key": run.key,
        "layer": run.layer,
        "node": run.node,
        "clock": run.clock,
        "result": run.result,
        "version": version,
        "projection": projection,
        "absent": absent,
        "first_start_ns": run.first_start_ns,
        "first_end_ns": run.first_end_ns,
        "last_start_ns": run.last_start_ns,
        "last_end_ns": run.last_end_ns,
        "count": run.count,
        "linearizable": run.linearizable,
        "ended_by": run.ended_by,
    }


def _unpack(keyspace: str, named: dict[str, Any]) -> RunRow:
    return RunRow(
        keyspace=keyspace,
        value=pop_value(named),
        result=Result(named.pop("result")),
        linearizable=bool(named.pop("linearizable")),
        **named,
    )
