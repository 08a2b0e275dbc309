"""What a run on the shop came to: its findings against the shop's own record."""

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.start import Lab
    from stalewatch.config import Config
    from store.base import FindingRow, Store

SETTLING_S = 3.0
"""A fault that began so shortly before the end is not scored: it had no time to be found."""
PAGE = 500


def score_run(lab: "Lab", config: "Config", store: "Store") -> dict[str, Any]:
    """What was injected, found and missed, by the lab's own record of what really happened."""
    from lab.score import score

    ended_s = time.time()
    truth = lab.truth()
    faults = [fault for fault in truth.faults if fault.start_s < ended_s - SETTLING_S]
    return score(
        truth,
        faults,
        [_finding(row, _read_at_s(store, row)) for row in _all_findings(store)],
        max(keyspace.sample.interval.seconds for keyspace in config.keyspaces.values()),
        {name: layer.max_staleness.seconds for name, layer in config.layers.items()},
    )


def _all_findings(store: "Store") -> list["FindingRow"]:
    rows: list[FindingRow] = []
    page = store.findings(limit=PAGE)
    rows += page.items
    while page.next is not None:
        page = store.findings(limit=PAGE, cursor=page.next)
        rows += page.items
    return rows


def _read_at_s(store: "Store", row: "FindingRow") -> float | None:
    """When the read began that the finding was opened on: on a busy machine it may take long."""
    reads = store.reads(finding=row.id, until_ns=row.opened_at_ns + 1)
    return min((at_ns / 1e9 for _, at_ns in reads), default=None)


def _finding(row: "FindingRow", read_at_s: float | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "keyspace": row.keyspace,
        "key": row.key,
        "layer": row.layer,
        "node": row.node,
        "held": row.held.version,
        "latest": row.latest.version,
        "read_at": read_at_s,
        "opened_at": row.opened_at_ns / 1e9,
        "confirmed_at": None if row.confirmed_at_ns is None else row.confirmed_at_ns / 1e9,
        "healed_at": None if row.healed_at_ns is None else row.healed_at_ns / 1e9,
        "state": row.state,
        "cause": row.cause,
        "because": row.because,
        "staleness_s": [row.lower_ns / 1e9, None if row.upper_ns is None else row.upper_ns / 1e9],
    }
