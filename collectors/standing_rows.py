"""What one keyspace's watch keeps in memory, written as rows: open runs, nodes, open findings.

Healthy reads only extend runs, so most of it is written now and then, and all of it at an end.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from collectors.base import NowNs
from collectors.journal import Journal
from collectors.node_watch import NodeWatch
from collectors.origin_watch import OriginWatch
from freshness.runs import RunBook
from store.base import ORIGIN

SHOWN_SUSPECTS: Final = 50
"""So many open findings of a node are written with each round, the others with the runs."""
EXTENDED_AT_ONCE: Final = 2000
"""Runs whose rows are made between two looks at what else the loop has to do."""
Place = tuple[str, str]


class StandingRows:
    """Rows of an origin and of `nodes`, by layer and name; `flush` hands on what was written."""

    def __init__(
        self,
        origin: OriginWatch,
        nodes: Mapping[Place, NodeWatch],
        journal: Journal,
        now_ns: NowNs,
        flush: Callable[[], None],
    ) -> None:
        self._origin = origin
        self._nodes = nodes
        self._journal = journal
        self._now_ns = now_ns
        self._flush = flush

    def set_max_gap(self, max_gap_ns: int) -> None:
        """Reads of a key that are further apart are two runs."""
        for _, book in self._books():
            book.max_gap = max_gap_ns

    def put_suspects(self) -> None:
        """Keep what people look at up to date: open findings, and the runs of their keys."""
        for place, node in self._nodes.items():
            open_keys = node.findings.keys[:SHOWN_SUSPECTS]
            for (layer, name), book in ((place, node.runs), self._books()[0]):
                runs = ((key, book.get(key)) for key in open_keys)
                self._journal.put_extended(layer, name, [(k, run) for k, run in runs if run])
            if open_keys:
                node.findings.put_all(self._now_ns(), SHOWN_SUSPECTS)

    async def extend(self) -> None:
        """Write the runs that only grew, a piece at a time."""
        for place, book in self._books():
            runs = list(book.items())
            for at in range(0, len(runs), EXTENDED_AT_ONCE):
                self._journal.put_extended(*place, runs[at : at + EXTENDED_AT_ONCE])
                self._flush()
                await asyncio.sleep(0)
        self._put_standing()

    def put_all(self) -> None:
        """The same at once, for an end."""
        for place, book in self._books():
            self._journal.put_extended(*place, book.items())
        self._put_standing()

    def _put_standing(self) -> None:
        """Write how the origin, its nodes and open findings stand."""
        self._origin.put_row()
        for node in self._nodes.values():
            node.put_row()
            node.findings.put_all(self._now_ns())
        self._flush()

    def _books(self) -> Sequence[tuple[Place, RunBook]]:
        """The open runs of the origin and of every node."""
        origin = ((ORIGIN, self._origin.name), self._origin.ledger.book)
        return [origin, *((place, node.runs) for place, node in self._nodes.items())]
