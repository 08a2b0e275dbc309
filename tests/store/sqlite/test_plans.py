"""No question of a page reads a whole table of facts."""

import sqlite3

import pytest

from store.sqlite import (
    SqliteStore,
    alerts,
    catalogue,
    cells,
    copy_times,
    counters,
    diagnoses,
    findings,
    gaps,
    invalidations,
    outbox,
    reads,
    receipts,
    retain,
    runs,
    silences,
)
from tests.store.rows import invalidation, receipt

FACTS = (
    "runs", "reads", "keys", "cells", "findings", "invalidations", "invalidation_keys", "receipts",
    "receipt_links", "link", "linked", "told", "transitions", "notifications", "diagnoses", "said",
    "ttl_samples", "older", "told_alerts", "silences", "acks",
    "c", "counters", "gaps", "late", "copy_times", "stale_seconds",
)  # fmt: skip


OF_A_KEY = ("keyspace", "key")


def plan(store: SqliteStore, sql: str) -> list[str]:
    """What SQLite would do, a line a step."""
    with store._connections.reader() as connection:
        names: dict[str, object] = dict.fromkeys(_PARAMETERS, 1)
        steps = connection.execute(f"EXPLAIN QUERY PLAN {sql}", names)
        return [str(step[-1]) for step in steps]


MESSAGES = [
    pytest.param(invalidations.invalidations_query(None, None, "c"), id="invalidations"),
    pytest.param(invalidations.invalidations_query("k", None, "c"), id="those of a keyspace"),
    pytest.param(invalidations.invalidations_query("k", "k", "c"), id="those of a key"),
    pytest.param(invalidations.invalidations_query(None, "k", None), id="those of a key anywhere"),
    pytest.param("SELECT * FROM invalidations WHERE id = :key", id="one invalidation"),
    pytest.param(receipts.RECEIPTS, id="receipts of an invalidation"),
    pytest.param(receipts.ORPHANS, id="orphan receipts"),
    pytest.param(receipts.SEQUENCES, id="sequences"),
]
BOOK = [
    pytest.param(alerts.RESOLVED_ALERTS, id="resolved alerts"),
    pytest.param(alerts.transitions_query("a"), id="steps of an alert"),
    pytest.param(outbox.DUE, id="what is due"),
    pytest.param(outbox.OVERDUE, id="what waits too long"),
    pytest.param(silences.SILENCES.replace("?", ":before_ns"), id="silences"),
    pytest.param(silences.ACKS, id="acknowledgements"),
    pytest.param(outbox.notifications_query("a", None), id="notifications of an alert"),
    pytest.param(outbox.notifications_query("a", "s"), id="of an alert, in a state"),
    pytest.param(outbox.notifications_query(None, "s"), id="notifications in a state"),
]
OLD = [
    pytest.param(retain.OLD_GAPS, id="old gaps"),
    pytest.param(gaps.OF_ALL, id="gaps"),
    pytest.param(gaps.OF_ONE, id="gaps of a source"),
    pytest.param(retain.OLD_INVALIDATIONS, id="old invalidations"),
    pytest.param(retain.OLD_KEY, id="keys of old invalidations"),
    pytest.param(retain.OLD_RECEIPTS, id="old receipts"),
    pytest.param(retain.OLD_TTLS, id="old times to live"),
    pytest.param(retain.OLD_DIAGNOSES, id="old diagnoses"),
    pytest.param(retain.OLD_TRANSITIONS, id="old transitions"),
    pytest.param(retain.OLD_NOTIFICATIONS, id="old notifications"),
    pytest.param(retain.OLD_ALERTS, id="old alerts"),
    pytest.param(retain.OLD_TOLD, id="who was told of old ones"),
    pytest.param(retain.OLD_SILENCES, id="old silences"),
    pytest.param(retain.OLD_ACKS, id="old acknowledgements"),
]
QUESTIONS = [
    pytest.param(runs.SPANS, id="spans of a key"),
    pytest.param(runs.NEWEST_ORIGIN, id="newest origin runs"),
    pytest.param(reads.reads_query("k", "k", None), id="reads of a key"),
    pytest.param(reads.reads_query(None, "k", None), id="reads of a key of any keyspace"),
    pytest.param(reads.reads_query("k", None, None), id="reads of a keyspace"),
    pytest.param(reads.reads_query(None, None, "f"), id="reads of a finding"),
    pytest.param(reads.reads_query(None, None, None), id="newest reads"),
    pytest.param(findings.findings_query(True, [], False, False), id="open findings"),
    pytest.param(findings.findings_query(False, OF_A_KEY, False, True), id="findings of a key"),
    pytest.param(findings.findings_query(False, [], True, True), id="a page of findings"),
    pytest.param(diagnoses.UNSETTLED, id="findings to diagnose"),
    pytest.param(catalogue.HISTORY, id="changes of the catalogue"),
    pytest.param(cells.RANGE, id="roll-ups"),
    pytest.param(counters.RANGE, id="counters"),
    pytest.param(retain.OLD_COUNTERS, id="old counters"),
    pytest.param(retain.OLD_COPY_TIMES, id="old seconds"),
    pytest.param(retain.OLD_STALE_SECONDS, id="old stale seconds"),
    pytest.param(copy_times.RANGE, id="seconds"),
    pytest.param(copy_times.FOLD, id="seconds of an hour"),
    pytest.param(copy_times.STALE, id="seconds of keys"),
    pytest.param(retain.OLD_RUNS, id="old runs"),
    *MESSAGES,
    *BOOK,
    *OLD,
]


@pytest.mark.parametrize("sql", QUESTIONS)
def test_facts_are_searched_not_scanned(store: SqliteStore, sql: str) -> None:
    scanned = [step for step in plan(store, sql) if step.startswith("SCAN")]
    # The index of open findings holds these alone: few, and all of them wanted.
    assert not [
        step for step in scanned if step.split()[1] in FACTS and "open_findings" not in step
    ]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(reads.reads_query("k", "k", None), id="reads of a key"),
        pytest.param(reads.reads_query("k", None, None), id="reads of a keyspace"),
        pytest.param(reads.reads_query(None, None, "f"), id="reads of a finding"),
        pytest.param(reads.reads_query(None, None, None), id="newest reads"),
        pytest.param(findings.findings_query(True, [], False, False), id="open findings"),
        pytest.param(
            findings.findings_query(False, OF_A_KEY, False, False),
            id="findings of a key",
        ),
        pytest.param(invalidations.invalidations_query(None, None, "c"), id="invalidations"),
        pytest.param(invalidations.invalidations_query("k", None, None), id="of a keyspace"),
        pytest.param(invalidations.invalidations_query("k", "k", "c"), id="of a key"),
        pytest.param(alerts.OPEN_ALERTS, id="open alerts"),
        pytest.param(alerts.RESOLVED_ALERTS, id="resolved alerts"),
        pytest.param(alerts.transitions_query(None), id="newest steps"),
        pytest.param(alerts.transitions_query("a"), id="steps of an alert"),
        pytest.param(outbox.notifications_query(None, None), id="newest notifications"),
        pytest.param(outbox.notifications_query("a", "s"), id="notifications of an alert"),
        pytest.param(outbox.notifications_query(None, "s"), id="notifications in a state"),
    ],
)
def test_the_newest_come_from_the_index_unsorted(store: SqliteStore, sql: str) -> None:
    assert not [step for step in plan(store, sql) if "TEMP B-TREE" in step]


def test_the_spans_of_a_key_hop_over_the_index(store: SqliteStore) -> None:
    """A window costs what lies in it, and a step or two for each node and clock of the key."""
    touched: list[None] = []
    with store._connections.reader() as connection:
        connection.set_progress_handler(lambda: touched.append(None), 100)
        for count in (100, 10_000):
            _fill(store, count)
            touched.clear()
            runs.read_spans(connection, "product", "42", 10**9, 10**9 + 100)
            assert len(touched) * 100 < 3_000
        connection.set_progress_handler(None, 0)


def test_a_page_of_messages_costs_what_it_shows(store: SqliteStore) -> None:
    """However many there are, a page of 100 with its receipts reads these alone."""
    touched: list[None] = []
    with store._connections.reader() as connection:
        connection.set_progress_handler(lambda: touched.append(None), 100)
        for last in (1_000, 20_000):
            numbers = range(1 if last == 1_000 else 1_001, last + 1)
            store.write_messages(
                [invalidation(n, keys=(f"{n % 5}",)) for n in numbers],
                [receipt(n, node) for n in numbers for node in ("r1", "r2")],
            )
            for key in (None, "4"):
                touched.clear()
                page = invalidations.read_invalidations(
                    connection, 0, 10**9, "product", key, 100, None
                )
                assert [len(told.receipts) for told in page.items] == [2] * 100
                assert len(touched) * 100 < 60_000
        connection.set_progress_handler(None, 0)


def _fill(store: SqliteStore, count: int) -> None:
    with store._connections.writer() as db, db.atomic():
        connection: sqlite3.Connection = db.conn
        connection.execute("INSERT OR IGNORE INTO keyspaces VALUES (1, 'product')")
        connection.execute("INSERT OR IGNORE INTO keys VALUES (1, 1, '42')")
        connection.execute("INSERT OR IGNORE INTO places VALUES (1, 'regional', 'r1')")
        connection.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) "
            "INSERT OR REPLACE INTO runs SELECT n, 1, 1, 1, 'value', n, NULL, 0, n * 10, n * 10, "
            "n * 10 + 9, n * 10 + 9, 2, 0, '' FROM n",
            (count,),
        )


_PARAMETERS = (
    "keyspace", "key", "finding", "since_ns", "until_ns", "limit", "from_key", "after_ns",
    "after_id", "grain_s", "since_s", "until_s", "layer", "node", "after", "keys", "before_ns",
    "after_seq", "id", "trace_id", "span_id", "now_ns", "alert", "state", "received_at_ns",
    "invalidation", "section", "name", "before_s", "source", "channel", "to", "refused_since_ns",
)  # fmt: skip
