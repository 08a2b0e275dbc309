"""Dropping what is past its retention, a bounded piece at a time.

A key with an open finding keeps all its facts, and every key keeps its newest origin run. Of other
keys the oldest go first, at the origin and at all nodes to the same instant, so that what is left
of a key is a whole history from that instant on.
"""

import json
import sqlite3
from typing import Final

from freshness.rollup import Grain
from store.retention import Retention
from store.sqlite.alerts import OPEN as OPEN_ALERT
from store.sqlite.findings import OPEN

KEYS_A_CALL: Final = 2_000
"""How many keys one call looks through for old runs; the next call goes on where it stopped."""
ROWS_A_CALL: Final = 20_000
"""How many rows of each table one call drops at most."""
_NS: Final = 10**9

_KEYS_WITH_OPEN: Final = f"""
SELECT keys.id FROM findings JOIN keyspaces ON keyspaces.name = findings.keyspace
JOIN keys ON keys.keyspace = keyspaces.id AND keys.key = findings.key WHERE {OPEN}
"""

OLD_RUNS: Final = f"""
SELECT runs.id, runs.key FROM
  (SELECT id FROM keys WHERE id > :after ORDER BY id LIMIT :keys) AS walked
  CROSS JOIN runs ON runs.key = walked.id
  CROSS JOIN clocks ON clocks.id = runs.clock
WHERE runs.last_end_ns + clocks.wall_offset_ns < :before_ns
  AND runs.id NOT IN (SELECT run FROM newest_origin_runs WHERE key = runs.key)
  AND runs.key NOT IN ({_KEYS_WITH_OPEN})
ORDER BY runs.key, runs.last_end_ns + clocks.wall_offset_ns LIMIT :limit
"""

_WALKED: Final = (
    "SELECT count(*), max(id) FROM (SELECT id FROM keys WHERE id > :after ORDER BY id LIMIT :keys)"
)

_UNUSED_KEYS: Final = """
DELETE FROM keys WHERE id > :after AND id <= :last
  AND NOT EXISTS (SELECT 1 FROM runs WHERE key = keys.id)
  AND NOT EXISTS (SELECT 1 FROM reads WHERE key = keys.id)
"""

_OLD_READS: Final = f"""
DELETE FROM reads WHERE id IN (
  SELECT id FROM reads WHERE at_ns < :before_ns AND key NOT IN ({_KEYS_WITH_OPEN})
  ORDER BY at_ns LIMIT :limit)
"""

_OLD_FINDINGS: Final = f"""
DELETE FROM findings WHERE id IN (
  SELECT id FROM findings WHERE opened_at_ns < :before_ns AND NOT {OPEN}
    AND coalesce(healed_at_ns, opened_at_ns) < :before_ns
  ORDER BY opened_at_ns LIMIT :limit)
"""

OLD_DIAGNOSES: Final = """
DELETE FROM diagnoses WHERE finding IN (
  SELECT finding FROM diagnoses WHERE at_ns < :before_ns
    AND NOT EXISTS (SELECT 1 FROM findings WHERE id = diagnoses.finding)
  ORDER BY at_ns LIMIT :limit)
"""

OLD_INVALIDATIONS: Final = """
SELECT seq, keyspace, received_at_ns, keys FROM invalidations
WHERE received_at_ns < :before_ns ORDER BY received_at_ns LIMIT :limit
"""

OLD_KEY: Final = """
DELETE FROM invalidation_keys
WHERE key = :key AND keyspace = :keyspace AND received_at_ns = :received_at_ns
  AND invalidation = :invalidation
"""

OLD_RECEIPTS: Final = """
DELETE FROM receipts WHERE seq IN (
  SELECT seq FROM receipts WHERE received_at_ns < :before_ns ORDER BY received_at_ns LIMIT :limit)
"""

OLD_TRANSITIONS: Final = f"""
DELETE FROM transitions WHERE id IN (
  SELECT id FROM transitions WHERE at_ns < :before_ns
    AND alert NOT IN (SELECT id FROM alerts WHERE {OPEN_ALERT})
  ORDER BY at_ns LIMIT :limit)
"""

OLD_NOTIFICATIONS: Final = """
DELETE FROM notifications WHERE id IN (
  SELECT id FROM notifications
  WHERE state IN ('delivered', 'dead') AND created_at_ns < :before_ns LIMIT :limit)
"""

OLD_ALERTS: Final = """
DELETE FROM alerts WHERE id IN (
  SELECT id FROM alerts
  WHERE state IN ('inactive', 'resolved') AND seen_at_ns < :before_ns LIMIT :limit)
"""

OLD_GAPS: Final = """
DELETE FROM gaps WHERE (source, since_ns) IN (
  SELECT source, since_ns FROM gaps WHERE until_ns < :before_ns LIMIT :limit)
"""

OLD_TOLD: Final = """
DELETE FROM told_alerts WHERE (alert, created_at_ns, notification) IN (
  SELECT alert, created_at_ns, notification FROM told_alerts
  WHERE created_at_ns < :before_ns
    AND NOT EXISTS (SELECT 1 FROM notifications WHERE id = told_alerts.notification) LIMIT :limit)
"""

OLD_SILENCES: Final = """
DELETE FROM silences WHERE id IN (
  SELECT id FROM silences WHERE ends_at_ns < :before_ns LIMIT :limit)
"""

OLD_ACKS: Final = f"""
DELETE FROM acks WHERE (alert, firing_since_ns) IN (
  SELECT alert, firing_since_ns FROM acks WHERE at_ns < :before_ns
    AND alert NOT IN (SELECT id FROM alerts WHERE {OPEN_ALERT}) LIMIT :limit)
"""

OLD_CHECKS: Final = """
DELETE FROM checks WHERE (start_s, keyspace, layer, node, horizon_ns) IN (
  SELECT start_s, keyspace, layer, node, horizon_ns FROM checks
  WHERE start_s < :before_s LIMIT :limit)
"""

OLD_TTLS: Final = """
DELETE FROM ttl_samples WHERE (start_s, keyspace, layer, node) IN (
  SELECT start_s, keyspace, layer, node FROM ttl_samples WHERE start_s < :before_s LIMIT :limit)
"""

_OLD_CELLS: Final = """
DELETE FROM cells WHERE (grain_s, start_s, series) IN (
  SELECT grain_s, start_s, series FROM cells
  WHERE grain_s = :grain_s AND start_s < :before_s LIMIT :limit)
"""

OLD_PAIR_COUNTS: Final = """
DELETE FROM pair_counts WHERE (side, limit_ns, keyspace, grain_s, start_s, layer, node) IN (
  SELECT side, limit_ns, keyspace, grain_s, start_s, layer, node FROM pair_counts
  WHERE grain_s = :grain_s AND start_s < :before_s LIMIT :limit)
"""

OLD_COPY_TIMES: Final = """
DELETE FROM copy_times WHERE (grain_s, start_s, keyspace, layer, node) IN (
  SELECT grain_s, start_s, keyspace, layer, node FROM copy_times
  WHERE grain_s = :grain_s AND start_s < :before_s LIMIT :limit)
"""

OLD_STALE_SECONDS: Final = """
DELETE FROM stale_seconds WHERE (grain_s, start_s, keyspace, layer, node, key) IN (
  SELECT grain_s, start_s, keyspace, layer, node, key FROM stale_seconds
  WHERE grain_s = :grain_s AND start_s < :before_s LIMIT :limit)
"""

OLD_COUNTERS: Final = """
DELETE FROM counters WHERE (grain_s, start_s, place, source) IN (
  SELECT grain_s, start_s, place, source FROM counters
  WHERE grain_s = :grain_s AND start_s < :before_s LIMIT :limit)
"""


def drop_old(connection: sqlite3.Connection, retention: Retention, now_ns: int) -> int:
    """Drop some of what is past its retention; the number of rows dropped.

    Minutes must be folded before. Call it again and again: each call is one short transaction.
    """
    facts_before_ns = now_ns - retention.facts_s * _NS
    findings_before_ns = now_ns - retention.findings_s * _NS
    return (
        _drop(connection, _OLD_READS, before_ns=facts_before_ns)
        + _drop_old_runs(connection, facts_before_ns)
        + _drop_old_invalidations(connection, facts_before_ns)
        + _drop(connection, OLD_RECEIPTS, before_ns=facts_before_ns)
        + _drop(connection, _OLD_FINDINGS, before_ns=findings_before_ns)
        + _drop(connection, OLD_DIAGNOSES, before_ns=findings_before_ns)
        + _drop(connection, OLD_TRANSITIONS, before_ns=findings_before_ns)
        + _drop(connection, OLD_NOTIFICATIONS, before_ns=findings_before_ns)
        + _drop(connection, OLD_TOLD, before_ns=findings_before_ns)
        + _drop(connection, OLD_ALERTS, before_ns=findings_before_ns)
        + _drop(connection, OLD_GAPS, before_ns=findings_before_ns)
        + _drop(connection, OLD_SILENCES, before_ns=findings_before_ns)
        + _drop(connection, OLD_ACKS, before_ns=findings_before_ns)
        + _drop(connection, OLD_CHECKS, before_s=now_ns // _NS - retention.minutes_s)
        + _drop(connection, OLD_TTLS, before_s=now_ns // _NS - retention.minutes_s)
        + _drop_old_cells(connection, Grain.MINUTE, now_ns // _NS - retention.minutes_s)
        + _drop_old_cells(connection, Grain.HOUR, now_ns // _NS - retention.hours_s)
        + _drop_old_cells(connection, Grain.DAY, now_ns // _NS - retention.days_s)
        + _drop_old_sums(connection, Grain.MINUTE, now_ns // _NS - retention.minutes_s)
        + _drop_old_sums(connection, Grain.HOUR, now_ns // _NS - retention.hours_s)
        + _drop_old_counters(connection, Grain.MINUTE, now_ns // _NS - retention.minutes_s)
        + _drop_old_counters(connection, Grain.HOUR, now_ns // _NS - retention.hours_s)
    )


def _drop_old_runs(connection: sqlite3.Connection, before_ns: int) -> int:
    """Walk on through the keys, and begin again after the last one."""
    after = int(connection.execute("SELECT retained_key FROM meta").fetchone()[0])
    asked = {"after": after, "keys": KEYS_A_CALL, "before_ns": before_ns, "limit": ROWS_A_CALL}
    old = connection.execute(OLD_RUNS, asked).fetchall()
    connection.executemany("DELETE FROM runs WHERE id = ?", [(id_,) for id_, _ in old])
    walked, last = connection.execute(_WALKED, asked).fetchone()
    if len(old) == ROWS_A_CALL:
        next_after = old[-1][1] - 1  # that key may have more
    else:
        connection.execute(_UNUSED_KEYS, {"after": after, "last": last})
        next_after = last if walked == KEYS_A_CALL else 0
    connection.execute("UPDATE meta SET retained_key = ?", (next_after,))
    return len(old)


def _drop_old_invalidations(connection: sqlite3.Connection, before_ns: int) -> int:
    """Drop the oldest, with what finds them by key."""
    asked = {"before_ns": before_ns, "limit": ROWS_A_CALL}
    old = connection.execute(OLD_INVALIDATIONS, asked).fetchall()
    keys = [
        {"key": key, "keyspace": keyspace, "received_at_ns": received_at_ns, "invalidation": seq}
        for seq, keyspace, received_at_ns, keys in old
        for key in json.loads(keys)
    ]
    connection.executemany(OLD_KEY, keys)
    connection.executemany("DELETE FROM invalidations WHERE seq = ?", [(seq,) for seq, *_ in old])
    return len(old)


def _drop_old_cells(connection: sqlite3.Connection, grain: Grain, before_s: int) -> int:
    """Drop whole buckets, and remember from where on they are whole."""
    kept_from_s = grain.floor(before_s)
    connection.execute(
        "UPDATE horizons SET kept_from_s = max(kept_from_s, ?) WHERE grain_s = ?",
        (kept_from_s, int(grain)),
    )
    return _drop(connection, _OLD_CELLS, grain_s=int(grain), before_s=kept_from_s)


def _drop_old_counters(connection: sqlite3.Connection, grain: Grain, before_s: int) -> int:
    return _drop(connection, OLD_COUNTERS, grain_s=int(grain), before_s=grain.floor(before_s))


def _drop_old_sums(connection: sqlite3.Connection, grain: Grain, before_s: int) -> int:
    before_s = Grain.HOUR.floor(before_s)  # an hour is made of its minutes, while it has them all
    return sum(
        _drop(connection, statement, grain_s=int(grain), before_s=before_s)
        for statement in (OLD_PAIR_COUNTS, OLD_COPY_TIMES, OLD_STALE_SECONDS)
    )


def _drop(connection: sqlite3.Connection, statement: str, **asked: int) -> int:
    return connection.execute(statement, {**asked, "limit": ROWS_A_CALL}).rowcount
