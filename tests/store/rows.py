"""Rows to store, with defaults for whatever a test is not about."""

from typing import Any

from freshness.model import Bounds, Reason, Result, Value, Verdict
from store.base import Clock, FindingRow, NodeRow, ReadRow, RunRow

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


_STAMPS = ("first_start_ns", "first_end_ns", "last_start_ns", "last_end_ns")
