"""How the origin of a keyspace stands, as the catalogue shows it."""

from dataclasses import dataclass
from typing import Literal

from collectors.base import Reply
from collectors.journal import Journal
from store.base import ORIGIN, NodeRow


@dataclass(slots=True)
class OriginStanding:
    """Whether the origin answers, since when, and why not."""

    name: str
    kind: str
    address: str
    journal: Journal
    _row: NodeRow | None = None

    def note(self, reply: Reply) -> None:
        """Take one reply, and write the row where it changed something."""
        before, now = self._row, self.journal.wall_ns(reply.end_ns)
        state: Literal["up", "unknown"] = "unknown" if reply.why else "up"
        is_same = before is not None and (before.state, before.why) == (state, reply.why)
        answered_at = before.answered_at_ns if before is not None else None
        self._row = NodeRow(
            layer=ORIGIN,
            node=self.name,
            region="",
            kind=self.kind,
            address=self.address,
            mechanism="",
            max_staleness_ns=0,
            state=state,
            why=reply.why,
            identity=reply.identity,
            since_at_ns=before.since_at_ns if before is not None and is_same else now,
            answered_at_ns=answered_at if reply.why else now,
        )
        if not is_same:
            self.put_row()

    def put_row(self) -> None:
        """Write how it stands."""
        if self._row is not None:
            self.journal.put_node(self._row)
