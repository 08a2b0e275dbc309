"""Invalidations with receipts, probes of one of them, and alerts with deliveries of every fate."""

from dataclasses import replace
from typing import Final

from freshness.check import CheckCell, CheckKey, Seen
from freshness.model import Result, Value
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import ORIGIN, Batch, RunRow, Store
from store.messages import InvalidationRow, Outcome, ReceiptRow
from tests.dashboard.seed import CLOCK, HOUR, KEYSPACE, NODES, SECOND

MS: Final = SECOND // 1_000
KEY: Final = "<b>sku</b>-spread"
SPREAD: Final = "shop/prices#4711?<i>"
"""The id of the invalidation whose nodes were probed; every page must bear such ids."""
AGO_S: Final = 120
_FIRST_RUN: Final = 900_001


def seed_traces(store: Store, now: int) -> None:
    """After `seed`, at the same `now` (Unix nanoseconds)."""
    store.write(Batch(runs=_probes(), checks=_checks(now)))
    spread = _invalidation(now, SPREAD, AGO_S, (KEY,), 2)
    others = [
        _invalidation(now, f"i{n}", 200 + 60 * n, (f"sku-{1_000 + n}",), 5) for n in range(12)
    ]
    wide = replace(
        _invalidation(now, "..", 30, ("summer", "sale", "a", "b", "c"), None),
        scope="tag", version_text="2026-w47", sequence=None,
    )  # fmt: skip
    receipts = _receipts(spread)
    for number, row in enumerate(others):
        receipts += [
            _receipt(row, layer, node, (8 + 7 * number + 3 * at) * MS)
            for at, (layer, node, _, _, mechanism, _) in enumerate(NODES)
            if mechanism != "ttl" and not node.endswith("-2")
        ]
    receipts += [_receipt(wide, "edge", "edge-eu-1", -40 * MS)]
    store.write_messages([spread, *others, wide], receipts)
    store.write_alerts(*_alerts(now))


def _checks(now: int) -> dict[CheckKey, CheckCell]:
    """Edge nodes that lag, and one horizon at which most was skipped."""
    minute = (now - AGO_S * SECOND) // SECOND // 60 * 60
    cells: dict[CheckKey, CheckCell] = {}
    for layer, node, *_ in NODES:
        for at, horizon_s in enumerate((0, 1, 10, 60)):
            cell = CheckCell()
            behind = max(0, 30 - 10 * at) if layer == "edge" else 0
            for n in range(100):
                cell.add(Seen.BEHIND if n < behind else Seen.VISIBLE, 1.0, 3 * MS)
            for _ in range(7 * at):
                cell.add(Seen.SKIPPED)
            cells[CheckKey(minute, KEYSPACE, layer, node, horizon_s * SECOND)] = cell
    return cells


def _invalidation(
    now: int, id: str, ago_s: int, keys: tuple[str, ...], version: int | None
) -> InvalidationRow:
    written = now - ago_s * SECOND
    return InvalidationRow(
        id, KEYSPACE, "key", keys, version, "" if version is None else f"{version}", "shop-api-1",
        "prices", 10_000 - ago_s, written, written + 4 * MS, "app-1", "", "",
    )  # fmt: skip


def _receipt(
    row: InvalidationRow, layer: str, node: str, lag_ns: int, outcome: Outcome = "applied"
) -> ReceiptRow:
    at = row.written_at_ns + lag_ns
    is_known = any((layer, node) == (each[0], each[1]) for each in NODES)
    return ReceiptRow(
        row.id, layer, node, outcome, at, at + 5 * MS, is_known, row.publisher, row.stream,
        row.sequence, f"host-{node}",
    )  # fmt: skip


def _receipts(row: InvalidationRow) -> list[ReceiptRow]:
    """redis-us and redis-us-2 say nothing; probes prove the first of them behind."""
    return [
        _receipt(row, "edge", "edge-eu-1", 310 * MS),
        _receipt(row, "edge", "edge-eu-2", 450 * MS, "failed"),
        _receipt(row, "edge", "edge-us-1", 6_300 * MS),
        _receipt(row, "regional", "redis-eu", 24 * MS),
        _receipt(row, "regional", "<u>ghost", 90 * MS),
    ]


def _probes() -> list[RunRow]:
    """The origin committed version 2 between two reads; nodes saw it then, later, or never."""
    seen_s = {
        "edge-eu-1": 0.9, "edge-eu-2": 3.4, "edge-us-1": 6.9, "redis-eu": 0.6, "redis-us": None,
    }  # fmt: skip
    runs = [*_runs(ORIGIN, "shop-db", 0.05)]
    for layer, node, *_ in NODES:
        if node in seen_s:
            runs += _runs(layer, node, seen_s[node])
    return [replace(run, id=_FIRST_RUN + number) for number, run in enumerate(runs)]


def _runs(layer: str, node: str, seen_s: float | None) -> list[RunRow]:
    """Version 1 until a moment before version 2 was seen, so many seconds after the write."""
    if seen_s is None:
        return [_run(layer, node, 1, -400.0, AGO_S - 1.0)]
    return [
        _run(layer, node, 1, -400.0, seen_s - 0.3),
        _run(layer, node, 2, seen_s, AGO_S - 1.0),
    ]


def _run(layer: str, node: str, version: int, since_s: float, last_s: float) -> RunRow:
    first, last = (25 * HOUR + round((at - AGO_S) * SECOND) for at in (since_s, last_s))
    return RunRow(
        0, KEYSPACE, KEY, layer, node, Result.VALUE, Value(version), CLOCK,
        first, first + 5 * MS, last, last + 5 * MS, 9, layer == ORIGIN, "",
    )  # fmt: skip


def _alerts(
    now: int,
) -> tuple[list[AlertRow], list[TransitionRow], list[NotificationRow]]:
    def at(ago_s: int) -> int:
        return now - ago_s * SECOND

    firing = AlertRow(
        "a-lag", "edge-lag", {"layer": "edge", "node": "edge-us-1"}, "firing",
        "the condition still holds", False, 6.3,
        "propagation lag of edge-us-1: 6.3 s, over its limit of 5 s",
        ("6.3 s claimed for <b>sku</b>-spread", "at least 6.6 s observed"),
        "invalidations/shop%2Fprices%234711%3F%3Ci%3E", at(95), at(60), None, None, at(2),
    )  # fmt: skip
    frozen = replace(
        firing, id="a-frozen", rule="regional-stale", labels={"layer": "regional"},
        reason="measurement lost: it neither fires nor resolves", is_frozen=True, value=None,
        summary="nothing measured since 14 min", evidence=(), link="//evil.example/x",
    )  # fmt: skip
    pending = replace(
        firing, id="a-new", rule="silent-node", labels={"layer": "regional", "node": "redis-us-2"},
        state="pending", reason="the condition began to hold", firing_since_ns=None, evidence=(),
    )  # fmt: skip
    over = replace(
        firing, id="a-old", state="resolved", reason="resolved", resolved_at_ns=at(300),
        labels={"layer": "edge", "node": "edge-eu-1"},
    )  # fmt: skip
    steps = [
        TransitionRow("a-lag", at(95), "inactive", "pending", "the condition began to hold"),
        TransitionRow("a-lag", at(60), "pending", "firing", "the condition held for its time"),
        TransitionRow("a-old", at(300), "firing", "resolved", "clear for its time"),
    ]
    return [firing, frozen, pending, over], steps, _notifications(at(0))


def _notifications(now: int) -> list[NotificationRow]:
    owed = NotificationRow(
        "n-owed", "sre", ("a-lag",), "first", "n-owed", "{}", ("sre@example.com",), "owed", 0,
        now - 60 * SECOND, now - 60 * SECOND,
    )  # fmt: skip
    return [
        owed,
        replace(
            owed, id="n-retried", channel="night", attempts=3, next_at_ns=now + 40 * SECOND,
            why="451 greylisted: <try> again later",
        ),
        replace(
            owed, id="n-done", channel="audit", state="delivered", attempts=1, recipients=(),
            delivered_at_ns=now - 58 * SECOND,
        ),
        replace(
            owed, id="n-dead", channel="owner", state="dead", attempts=9,
            why="550 no such user", recipients=("gone@example.com",),
        ),
        replace(owed, id="n-adrift", alerts=("a-ancient",), state="dead", why="expired"),
    ]  # fmt: skip
