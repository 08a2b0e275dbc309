"""Rows to store, with defaults for whatever a test is not about."""

from typing import Any

from freshness.model import Bounds, Reason, Result, Value, Verdict
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Clock, FindingRow, NodeRow, ReadRow, RunRow
from store.diagnoses import DiagnosisRow
from store.messages import InvalidationRow, ReceiptRow

CLOCK = Clock(id="m1", wall_offset_ns=1_000, opened_at_ns=1_000)
S = 10**9


def run(id: int, **changes: Any) -> RunRow:
    """A run of product/42 at regional/r1 that lasts from 10·id to 10·id + 9 on the clock m1."""
    stamps = dict(zip(_STAMPS, (10 * id, 10 * id + 1, 10 * id + 8, 10 * id + 9), strict=True))
    row: dict[str, Any] = {
        "keyspace": "product",
        "key": "42",
        "layer": "regional",
        "node": "r1",
        "result": Result.VALUE,
        "value": Value(version=id),
        "clock": CLOCK.id,
        "count": 2,
        **stamps,
    }
    return RunRow(id=id, **{**row, **changes})


def origin_run(id: int, **changes: Any) -> RunRow:
    """The same of the origin `db`."""
    return run(id, **{"layer": "", "node": "db", "linearizable": True, **changes})


def read(id: int, **changes: Any) -> ReadRow:
    """A stale read of product/42 at regional/r1, from 10·id to 10·id + 1."""
    row: dict[str, Any] = {
        "keyspace": "product",
        "key": "42",
        "layer": "regional",
        "node": "r1",
        "clock": CLOCK.id,
        "start_ns": 10 * id,
        "end_ns": 10 * id + 1,
        "result": Result.VALUE,
        "value": Value(version=3),
        "why": "",
        "stratum": "random",
        "verdict": Verdict.STALE,
        "reason": Reason.SUPERSEDED,
        "max_staleness_ns": 2 * S,
        "bounds": Bounds(5, None, 1, None),
    }
    return ReadRow(id=id, **{**row, **changes})


def finding(id: str, **changes: Any) -> FindingRow:
    """A confirmed finding on product/42 at regional/r1."""
    row: dict[str, Any] = {
        "keyspace": "product",
        "key": "42",
        "layer": "regional",
        "node": "r1",
        "region": "eu",
        "state": "confirmed",
        "held": Value(version=3),
        "latest": Value(version=4),
        "max_staleness_ns": 2 * S,
        "lower_ns": 5,
        "upper_ns": None,
        "opened_at_ns": 100,
        "confirmed_at_ns": 120,
    }
    return FindingRow(id=id, **{**row, **changes})


def diagnosis(finding: str, **changes: Any) -> DiagnosisRow:
    """A finding whose invalidation came late, decided at 300."""
    row: dict[str, Any] = {
        "cause": "late-invalidation",
        "because": "r1 acknowledged it 40 s after the write",
        "at_ns": 300,
        "ruled_out": {"refill-race": "it was filled before"},
    }
    return DiagnosisRow(finding, **{**row, **changes})


def node(name: str, layer: str = "regional", **changes: Any) -> NodeRow:
    """A Redis node that answers."""
    row: dict[str, Any] = {
        "region": "eu",
        "kind": "redis",
        "address": "127.0.0.1:6379",
        "mechanism": "versioned",
        "max_staleness_ns": 2 * S,
        "state": "up",
        "why": "",
        "identity": "abc",
        "since_at_ns": 1,
        "answered_at_ns": 2,
    }
    return NodeRow(layer=layer, node=name, **{**row, **changes})


def invalidation(n: int, **changes: Any) -> InvalidationRow:
    """Version n of product/42, written at n and received at 10·n, in a span of its own."""
    row: dict[str, Any] = {
        "id": f"i{n}",
        "keyspace": "product",
        "scope": "key",
        "keys": ("42",),
        "version": n,
        "version_text": f"{n}",
        "publisher": "shop",
        "stream": "prices",
        "sequence": n,
        "written_at_ns": n,
        "received_at_ns": 10 * n,
        "host": "app-1",
        "trace_id": f"{n:032x}",
        "span_id": f"{n:016x}",
    }
    return InvalidationRow(**{**row, **changes})


def receipt(n: int, node: str = "r1", **changes: Any) -> ReceiptRow:
    """regional/node applied the invalidation i{n} at 10·n + 1, and says so in a span of its own."""
    row: dict[str, Any] = {
        "invalidation": f"i{n}",
        "layer": "regional",
        "node": node,
        "outcome": "applied",
        "at_ns": 10 * n + 1,
        "received_at_ns": 10 * n + 2,
        "is_known": True,
        "publisher": "shop",
        "stream": "prices",
        "sequence": n,
        "host": "cache-1",
        "trace_id": f"{n:032x}",
        "span_id": node.encode().hex().zfill(16),
    }
    return ReceiptRow(**{**row, **changes})


def alert(id: str, **changes: Any) -> AlertRow:
    """A lag rule that fires for regional/r1 since 100."""
    row: dict[str, Any] = {
        "rule": "regional-lag",
        "labels": {"layer": "regional", "node": "r1"},
        "state": "firing",
        "reason": "over-limit",
        "is_frozen": False,
        "value": 7.5,
        "summary": "r1 lags by 7.5 s",
        "evidence": ("i1", "i2"),
        "link": "/alerts/a",
        "pending_since_ns": 90,
        "firing_since_ns": 100,
        "clear_since_ns": None,
        "resolved_at_ns": None,
        "seen_at_ns": 110,
    }
    return AlertRow(id=id, **{**row, **changes})


def transition(alert: str, at_ns: int, **changes: Any) -> TransitionRow:
    """A pending alert fires."""
    row: dict[str, Any] = {"before": "pending", "after": "firing", "reason": "over-limit"}
    return TransitionRow(alert=alert, at_ns=at_ns, **{**row, **changes})


def notification(id: str, **changes: Any) -> NotificationRow:
    """A mail about the alert a1, the first of its group, that is owed since 100."""
    row: dict[str, Any] = {
        "channel": "sre",
        "alerts": ("a1",),
        "kind": "first",
        "thread": "n1",
        "payload": '{"subject":"r1 lags"}',
        "recipients": ("a@example.com", "b@example.com"),
        "state": "owed",
        "attempts": 0,
        "created_at_ns": 100,
        "next_at_ns": 100,
    }
    return NotificationRow(id=id, **{**row, **changes})


_STAMPS = ("first_start_ns", "first_end_ns", "last_start_ns", "last_end_ns")
