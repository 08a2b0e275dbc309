"""What is worth a line in the log: findings and nodes that changed their state."""

import structlog

from store.base import ORIGIN, Batch, FindingRow, NodeRow

log = structlog.get_logger()
OPEN = ("opened", "confirmed")


class News:
    """Tells each change once, however often a row is written."""

    def __init__(self) -> None:
        self._findings: dict[str, str] = {}
        self._nodes: dict[tuple[str, str], tuple[str, str]] = {}

    def tell(self, batch: Batch) -> None:
        """Log what a batch that is durable by now has changed."""
        for finding in batch.findings:
            self._tell_finding(finding)
        for node in batch.nodes:
            self._tell_node(node)

    def _tell_finding(self, row: FindingRow) -> None:
        if self._findings.get(row.id) == row.state:
            return
        self._findings[row.id] = row.state
        if row.state not in OPEN:
            del self._findings[row.id]
        tell = log.warning if row.state == "confirmed" else log.info
        tell(
            "finding",
            state=row.state,
            id=row.id,
            key=f"{row.keyspace}/{row.key}",
            node=f"{row.layer}/{row.node}",
            stale_s=round(row.lower_ns / 1e9, 3),
            cause=row.cause,
        )

    def _tell_node(self, row: NodeRow) -> None:
        place, stands = (row.layer, row.node), (row.state, row.why)
        if self._nodes.get(place) == stands:
            return
        is_first = place not in self._nodes
        self._nodes[place] = stands
        if is_first and row.state == "unknown" and row.answered_at_ns is None and not row.why:
            return
        name = f"origin/{row.node}" if row.layer == ORIGIN else f"{row.layer}/{row.node}"
        tell = log.info if row.state == "up" else log.warning
        tell("node", node=name, state=row.state, why=row.why)
