"""Coverage: what share of nodes, keys and time the evidence of a window can speak for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Window
from dashboard.wording import REASONS, SECOND_NS
from freshness.indicator import unknown_share
from freshness.model import Verdict
from store.base import ORIGIN, NodeRow, Store
from store.cells import Cells

MOST_KEYS: Final = 10_000
READS_LOOKED_AT: Final = 500


@dataclass(frozen=True, slots=True)
class SilentNode:
    """A node that does not answer, or that discovery dropped, and why."""

    layer: str
    node: str
    state: str
    why: str
    since_at_ns: int


@dataclass(frozen=True, slots=True)
class CoverageView:
    """`minutes_observed` of `minutes_expected` are (node, minute) pairs with a judged read.

    They are expected from `counted_from_ns` on: the window's start, or the data's in it.

    Shares are None where there was no read at all. Reasons are (words, reads), commonest first,
    of the newest reads that were not judged fresh or stale.
    """

    window: Window
    nodes_answering: int
    nodes_listed: int
    silent: Sequence[SilentNode]
    minutes_observed: int
    minutes_expected: int
    counted_from_ns: int
    keys: int
    has_more_keys: bool
    reads: int
    stale: int
    indeterminate_share: float | None
    unknown_share: float | None
    why_indeterminate: Sequence[tuple[str, int]]
    why_unknown: Sequence[tuple[str, int]]


def coverage(
    store: Store,
    cells: Cells,
    nodes: Sequence[NodeRow],
    begins_ns: int,
    keyspace: str | None,
    layer: str | None,
    node: str | None,
) -> CoverageView:
    """Of the nodes and reads that the filters leave; the store's data begins at `begins_ns`."""
    listed = [
        row
        for row in nodes
        if row.layer != ORIGIN and layer in {None, row.layer} and node in {None, row.node}
    ]
    watched = [row for row in listed if row.state != "gone"]
    whole = cells.total()
    counted_from_ns = max(cells.window.since_ns, begins_ns)
    keys, has_more = _count_keys(store, keyspace, cells)
    why = _reasons(store, cells.window, keyspace, layer, node)
    return CoverageView(
        window=cells.window,
        nodes_answering=sum(row.state == "up" for row in watched),
        nodes_listed=len(watched),
        silent=[
            SilentNode(row.layer, row.node, row.state, row.why, row.since_at_ns)
            for row in listed
            if row.state != "up"
        ],
        minutes_observed=_minutes_observed(cells),
        minutes_expected=_minutes_expected(cells, counted_from_ns, len(watched)),
        counted_from_ns=counted_from_ns,
        keys=keys,
        has_more_keys=has_more,
        reads=whole.judged.n + whole.unknown.n,
        stale=whole.stale.n,
        indeterminate_share=whole.indeterminate.n / whole.judged.n if whole.judged.n else None,
        unknown_share=unknown_share(whole),
        why_indeterminate=why[Verdict.INDETERMINATE],
        why_unknown=why[Verdict.UNKNOWN],
    )


def _minutes_observed(cells: Cells) -> int:
    """Keyspaces share a node: of several the one with the most minutes counts."""
    most: dict[tuple[int, str, str], int] = {}
    for place, cell in cells.sampled.items():
        at = (place.start_s, place.layer, place.node)
        most[at] = max(most.get(at, 0), cell.clusters if cell.judged.n else 0)
    return sum(most.values())


def _minutes_expected(cells: Cells, from_ns: int, nodes: int) -> int:
    span_ns = max(cells.window.until_ns - from_ns, 0)
    return max(-(-span_ns // (60 * SECOND_NS)) * nodes, _minutes_observed(cells))


def _count_keys(store: Store, keyspace: str | None, cells: Cells) -> tuple[int, bool]:
    keyspaces = {keyspace} if keyspace else {place.keyspace for place in cells.everything}
    counts = [len(store.keys(each, limit=MOST_KEYS)) for each in sorted(keyspaces)]
    return sum(counts), any(each >= MOST_KEYS for each in counts)


def _reasons(
    store: Store, window: Window, keyspace: str | None, layer: str | None, node: str | None
) -> dict[Verdict, list[tuple[str, int]]]:
    counted: dict[Verdict, Counter[str]] = {verdict: Counter() for verdict in Verdict}
    rows = store.reads(
        keyspace, since_ns=window.since_ns, until_ns=window.until_ns, limit=READS_LOOKED_AT
    )
    for row, _ in rows:
        if layer in {None, row.layer} and node in {None, row.node}:
            counted[row.verdict][REASONS[row.reason]] += 1
    return {verdict: counts.most_common(4) for verdict, counts in counted.items()}
