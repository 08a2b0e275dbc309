"""How stale copies went away: with their time, by a message, or otherwise."""

from collections.abc import Sequence
from math import isfinite
from typing import Final, NamedTuple

from freshness.config_drift import Healing
from freshness.model import Verdict
from store.base import FindingRow, Store

MOST_FINDINGS: Final = 200
MOST_LOOKED_AT: Final = 30
"""Findings whose reads and messages are looked at, the newest."""
MOST_READS: Final = 50
SLACK_NS: Final = 1 * 10**9
"""How far a remaining time, or a receipt, may be off."""


class Healed(NamedTuple):
    """One stale copy that is gone, and how."""

    layer: str
    node: str
    key: str
    way: Healing


def read_healed(store: Store, since_ns: int, now_ns: int) -> Sequence[Healed]:
    """The newest findings that opened since then and are over, of any layer."""
    page = store.findings(since_ns=since_ns, limit=MOST_FINDINGS)
    over = [row for row in page.items if row.healed_at_ns is not None and row.state != "gone"]
    return [
        Healed(row.layer, row.node, row.key, _way(store, row, now_ns))
        for row in over[:MOST_LOOKED_AT]
    ]


def _way(store: Store, row: FindingRow, now_ns: int) -> Healing:
    """The end lies between the last read that showed the copy and the first that did not."""
    assert row.healed_at_ns is not None
    proofs = [
        (read, at)
        for read, at in store.reads(finding=row.id, limit=MOST_READS)
        if read.verdict is Verdict.STALE and read.value == row.held
    ]
    last_ns = max((at for _, at in proofs), default=row.opened_at_ns) - SLACK_NS
    until_ns = row.healed_at_ns + SLACK_NS
    if _has_applied(store, row, last_ns, min(until_ns, now_ns)):
        return Healing.MESSAGE
    told = [(read.ttl_s, at) for read, at in proofs if read.ttl_s is not None]
    ends = [at + round(ttl_s * 1e9) for ttl_s, at in told if isfinite(ttl_s)]
    if not ends:
        return Healing.UNKNOWN
    if not last_ns <= max(ends) <= until_ns:
        return Healing.OTHER
    # A copy that had little left ends in a wide gap anyway, whatever has healed it.
    longest_ns = max(round(ttl_s * 1e9) for ttl_s, _ in told if isfinite(ttl_s))
    return Healing.EXPIRY if longest_ns >= 2 * (until_ns - last_ns) else Healing.UNKNOWN


def _has_applied(store: Store, row: FindingRow, since_ns: int, until_ns: int) -> bool:
    page = store.invalidations(
        row.opened_at_ns - 600 * 10**9, until_ns, row.keyspace, row.key, MOST_READS
    )
    return any(
        receipt.outcome == "applied" and since_ns <= receipt.received_at_ns <= until_ns
        for told in page.items
        for receipt in told.receipts
        if (receipt.layer, receipt.node) == (row.layer, row.node)
    )
