"""Findings that an earlier process left open, until their node and key are under watch again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from collectors.journal import Journal
from collectors.node_watch import NodeWatch
from store.base import FindingRow


class Leftovers:
    """Open findings that nobody reads yet. What will never be read again is written as gone."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: list[FindingRow] = []

    def add(self, rows: Iterable[FindingRow]) -> None:
        """Take findings in."""
        self._rows += rows

    def hand_over(
        self,
        keys: Iterable[str],
        nodes: Mapping[tuple[str, str], NodeWatch],
        stamp: int,
        released: str | None = None,
    ) -> None:
        """Give each finding to its node, where the key is watched and the node is to hold it.

        Those of the layer `released` whose node is not there are gone, as are those of keys that
        are no longer listed; without any key nothing is known yet.
        """
        if not self._rows:
            return
        named = {self._journal.name(key): key for key in keys}
        rows, self._rows = self._rows, []
        for row in rows:
            node = nodes.get((row.layer, row.node))
            is_waiting = row.key in named and node is None and row.layer != released
            if not named or is_waiting:
                self._rows.append(row)
            elif node is not None and row.key in named and node.holds(named[row.key]):
                node.findings.resume(named[row.key], row)
            else:
                gone_at = self._journal.wall_ns(stamp)
                self._journal.put_finding(replace(row, state="gone", healed_at_ns=gone_at))
