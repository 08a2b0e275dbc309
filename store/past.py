"""A store as it stood at an instant, to be read only: what rules are tested on.

What was opened, heard or counted after it is left out; what had not been over by then is open
again. What is not kept as it was raises PastError: nothing is made up for it. Late evidence that
changed a minute, and what a finding was found to be later, cannot be told apart, and stay.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NoReturn, cast

from freshness.counts import Counts
from freshness.rollup import Grain as GrainWidth
from freshness.rollup import Rollup, RollupKey
from store.base import ORIGIN, FindingRow, Grain, NodeRow, Store
from store.counters import CounterGrain, CounterRow
from store.gaps import GapRow
from store.messages import Told
from store.page import Page

UNTOLD: Final = "how it stood then is not kept"
"""The `why` of a node whose state at that instant nobody knows."""
MOST_FINDINGS: Final = 10_000
Kept = Literal["minute", "hour", "day", "messages"]
_NAMES: Final[Mapping[Kept, str]] = {
    "minute": "minutes",
    "hour": "hours",
    "day": "days",
    "messages": "messages",
}
_NS: Final = 10**9
_MINUTE_NS: Final = 60 * _NS
_LOOKED_BACK_NS: Final = 60 * _MINUTE_NS
"""So far back reads may tell since when a node answered."""
_UNANSWERED_NS: Final = 2 * _MINUTE_NS
"""A node of which no read was answered for so long did not answer."""


class PastError(Exception):
    """What was asked for is not kept as it was then; the message says what."""


@dataclass(frozen=True, slots=True)
class History:
    """A store, and what is read of it once for all instants of [since, until]."""

    store: Store
    since_ns: int
    until_ns: int
    kept: Mapping[Kept, int] = field(default_factory=dict)
    """From when on rows are kept; of what was before, nothing can be said."""
    _findings: list[FindingRow] = field(default_factory=list)
    _nodes: list[NodeRow] = field(default_factory=list)

    @classmethod
    def read(
        cls, store: Store, since_ns: int, until_ns: int, kept: Mapping[Kept, int] | None = None
    ) -> "History":
        """Read what is needed. Raises StoreError."""
        found = store.findings_open_in(since_ns, until_ns + 1, MOST_FINDINGS)
        nodes = list(store.nodes())
        return cls(store, since_ns, until_ns, kept or {}, list(found), nodes)

    def at(self, now_ns: int) -> Store:
        """The store at an instant; every method raises StoreError, or PastError."""
        # It reads as a store does, and refuses the rest.
        return cast("Store", _Past(self, now_ns))

    def open_findings(self, now_ns: int, keyspace: str | None) -> list[FindingRow]:
        """Those that were open then, as they were known then but for their figures and cause."""
        if len(self._findings) == MOST_FINDINGS:
            raise PastError("more findings were open than are read")
        return [
            _as_it_was(row, now_ns)
            for row in self._findings
            if row.opened_at_ns <= now_ns
            and (row.healed_at_ns is None or row.healed_at_ns > now_ns)
            and keyspace in (None, row.keyspace)
        ]

    @property
    def nodes(self) -> Sequence[NodeRow]:
        """Every node as it stands now."""
        return self._nodes


class _Past:
    """What rules read of a store, as of `now_ns`."""

    def __init__(self, history: History, now_ns: int) -> None:
        self._history, self._now_ns = history, now_ns
        self._store = history.store

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise PastError(f"{name.replace('_', ' ')}: not kept as they were")

        return refuse

    def nodes(self) -> Sequence[NodeRow]:
        """Nodes that have stood so since then, and the others as their reads tell."""
        return [self._node(row) for row in self._history.nodes]

    def findings(
        self,
        open_only: bool = False,
        keyspace: str | None = None,
        key: str | None = None,
        since_ns: int = 0,
        limit: int = 100,  # noqa: ARG002  all that were open are at hand
        cursor: str | None = None,  # noqa: ARG002
        *,
        until_ns: int | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Page[FindingRow]:
        """The open ones alone."""
        if not open_only:
            raise PastError("findings that are over: not kept as they were")
        found = self._history.open_findings(self._now_ns, keyspace)
        return Page(
            [
                row
                for row in found
                if key in (None, row.key)
                and layer in (None, row.layer)
                and node in (None, row.node)
                and since_ns <= row.opened_at_ns < (until_ns or row.opened_at_ns + 1)
            ],
            None,
        )

    def rollups(
        self,
        grain: Grain,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[tuple[RollupKey, Rollup]]:
        """Buckets that had ended."""
        self._need(grain, since_ns)
        until_ns = self._ended(until_ns, GrainWidth[grain.upper()])
        return self._store.rollups(grain, since_ns, until_ns, keyspace, layer, node)

    def copy_times(
        self, keyspace: str, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, int], Counts]:
        """Minutes or hours that had ended."""
        width = GrainWidth(grain_s)
        self._need("minute" if width is GrainWidth.MINUTE else "hour", since_s * _NS)
        until_s = min(until_s, width.floor(self._now_ns // _NS))
        return self._store.copy_times(keyspace, grain_s, since_s, until_s)

    def counters(
        self,
        grain: CounterGrain,
        since_ns: int,
        until_ns: int,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[CounterRow]:
        """Buckets that had ended."""
        self._need(grain, since_ns)
        until_ns = self._ended(until_ns, GrainWidth[grain.upper()])
        return self._store.counters(grain, since_ns, until_ns, layer, node)

    def invalidations(
        self,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        key: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Told]:
        """Messages and receipts that had come."""
        self._need("messages", since_ns)
        until_ns = min(until_ns, self._now_ns + 1)
        page = self._store.invalidations(since_ns, until_ns, keyspace, key, limit, cursor)
        return Page([self._told(each) for each in page.items], page.next)

    def receipt_counts(
        self, since_ns: int, until_ns: int | None = None
    ) -> Sequence[tuple[str, str, int]]:
        """Of receipts that had come."""
        self._need("messages", since_ns)
        end_ns = self._now_ns + 1
        return self._store.receipt_counts(since_ns, end_ns if until_ns is None else until_ns)

    def gaps(
        self, since_ns: int, until_ns: int, source: str | None = None, limit: int = 1000
    ) -> Sequence[GapRow]:
        """Gaps that had begun; one that ended later had no end yet."""
        found = self._store.gaps(since_ns, min(until_ns, self._now_ns + 1), source, limit)
        return [
            replace(row, until_ns=None) if (row.until_ns or 0) > self._now_ns else row
            for row in found
        ]

    def _need(self, what: Kept, since_ns: int) -> None:
        if since_ns < self._history.kept.get(what, 0):
            raise PastError(f"{_NAMES[what]} that old are no longer kept")

    def _ended(self, until_ns: int, width_s: int) -> int:
        width_ns = width_s * _NS
        return min(until_ns, self._now_ns // width_ns * width_ns)

    def _told(self, each: Told) -> Told:
        heard = [row for row in each.receipts if row.received_at_ns <= self._now_ns]
        return Told(each.invalidation, heard)

    def _node(self, row: NodeRow) -> NodeRow:
        if row.since_at_ns <= self._now_ns:
            return row
        untold = replace(row, state="unknown", why=UNTOLD, since_at_ns=self._now_ns)
        return untold if row.layer == ORIGIN else self._as_read(untold)

    def _as_read(self, untold: NodeRow) -> NodeRow:
        """A node by the reads of the minutes before: whether they were answered, and since when."""
        now_ns = self._now_ns // _MINUTE_NS * _MINUTE_NS
        since_ns = max(now_ns - _LOOKED_BACK_NS, self._history.kept.get("minute", 0))
        minutes: dict[int, list[bool]] = {}
        for key, cell in self.rollups("minute", since_ns, now_ns, None, untold.layer, untold.node):
            minutes.setdefault(key.start_s * _NS, []).append(_is_answered(cell))
        newest = max(minutes, default=None)
        if newest is None or now_ns - newest > _UNANSWERED_NS:
            return untold
        was_up = any(minutes[newest])
        since_ns = newest
        while since_ns - _MINUTE_NS in minutes and any(minutes[since_ns - _MINUTE_NS]) == was_up:
            since_ns -= _MINUTE_NS
        why = "" if was_up else "no read was answered"
        # It came up, or went away, at some instant of the first of these minutes.
        since_ns = since_ns + _MINUTE_NS if was_up else since_ns
        state = replace(untold, why=why, since_at_ns=min(since_ns, self._now_ns))
        return replace(state, state="up") if was_up else state


def _is_answered(cell: Rollup) -> bool:
    return cell.hits + cell.negatives + cell.misses + cell.unreadable > 0


def _as_it_was(row: FindingRow, now_ns: int) -> FindingRow:
    was_confirmed = row.confirmed_at_ns is not None and row.confirmed_at_ns <= now_ns
    return replace(
        row,
        state="confirmed" if was_confirmed else "opened",
        confirmed_at_ns=row.confirmed_at_ns if was_confirmed else None,
        healed_at_ns=None,
    )
