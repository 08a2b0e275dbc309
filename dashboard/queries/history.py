"""One key over time: the origin's versions, every node's copy, and reads that were not fresh."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Address, Window
from dashboard.queries.begin import shown_window
from dashboard.queries.faults import FindingsView, findings
from freshness.model import Result, Value, Verdict
from store.base import ORIGIN, NodeRow, ReadRow, Span, Store
from store.begin import data_begins_ns

READS_SHOWN: Final = 15
READS_LOOKED_AT: Final = 500
KEYS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Swimlane:
    """A row of the timeline; the origin's has the layer ORIGIN."""

    layer: str
    node: str
    region: str
    state: str


@dataclass(frozen=True, slots=True)
class Band:
    """A run of equal readings in a lane. `hue` numbers versions: equal versions share a hue."""

    lane: int
    first_at_ns: int
    last_at_ns: int
    result: Result
    value: Value | None
    hue: int | None
    reads: int
    ended_by: str


@dataclass(frozen=True, slots=True)
class StaleStretch:
    """From the first to the last read of a band that was proven stale."""

    lane: int
    first_at_ns: int
    last_at_ns: int
    longest_ns: int
    reads: int


@dataclass(frozen=True, slots=True)
class JudgedRead:
    """A read that was not fresh, and the wall time of its start (Unix nanoseconds)."""

    row: ReadRow
    at_ns: int


@dataclass(frozen=True, slots=True)
class HistoryView:
    """`is_known` is false where the store never saw such a key."""

    window: Window
    keyspace: str
    key: str
    is_known: bool
    lanes: Sequence[Swimlane]
    bands: Sequence[Band]
    stale: Sequence[StaleStretch]
    reads: Sequence[JudgedRead]
    has_more_reads: bool
    opened_read: int | None
    findings: FindingsView


@dataclass(frozen=True, slots=True)
class PickerView:
    """Keys to choose from, and those with an open finding first."""

    keyspaces: Sequence[str]
    keyspace: str | None
    search: str
    keys: Sequence[str]
    with_findings: frozenset[str]


def history(store: Store, address: Address, now_ns: int) -> HistoryView:
    """Everything that the page of one key shows; reads the store, so never on an event loop."""
    nodes, asked = store.nodes(), address.window(now_ns)
    window = shown_window(asked, address, data_begins_ns(store, asked.since_ns, nodes))
    keyspace, key = address.keyspace or "", address.key or ""
    spans = store.spans(keyspace, key, window.since_ns, window.until_ns)
    pairs = store.reads(
        keyspace, key, since_ns=window.since_ns, until_ns=window.until_ns, limit=READS_LOOKED_AT
    )
    reads = [JudgedRead(row, at_ns) for row, at_ns in pairs if _is_shown(address, row)]
    lanes = _lanes(address, nodes, spans)
    bands = _bands(lanes, spans, window)
    shown = _with_opened(reads, address.read)
    known = bool(spans) or bool(pairs) or key in store.keys(keyspace, key, limit=1)
    return HistoryView(
        window=window,
        keyspace=keyspace,
        key=key,
        is_known=known,
        lanes=lanes,
        bands=bands,
        stale=_stale_stretches(lanes, bands, reads),
        reads=shown,
        has_more_reads=len(reads) > len(shown),
        opened_read=address.read,
        findings=findings(store, window, keyspace, address.layer, address.node, key),
    )


def picker(store: Store, address: Address, keyspaces: Sequence[str]) -> PickerView:
    """Keys that begin with what was typed."""
    keyspace = address.keyspace or address.only_keyspace or (keyspaces[0] if keyspaces else None)
    opened = store.findings(open_only=True, keyspace=keyspace, limit=500).items if keyspace else ()
    faulty = frozenset(row.key for row in opened if row.key.startswith(address.search))
    found = store.keys(keyspace, address.search, KEYS_SHOWN) if keyspace else ()
    keys = [*sorted(faulty), *(key for key in found if key not in faulty)]
    return PickerView(keyspaces, keyspace, address.search, keys, faulty)


def _is_shown(address: Address, row: ReadRow) -> bool:
    return address.layer in {None, row.layer} and address.node in {None, row.node}


def _with_opened(reads: Sequence[JudgedRead], opened: int | None) -> list[JudgedRead]:
    """The newest reads, and the opened one though it may be older."""
    newest = list(reads[:READS_SHOWN])
    return newest + [read for read in reads[READS_SHOWN:] if read.row.id == opened]


def _lanes(address: Address, nodes: Sequence[NodeRow], spans: Sequence[Span]) -> list[Swimlane]:
    """The origin on top, then the nodes that ever held the key in the window."""
    catalogue = {(row.layer, row.node): row for row in nodes}
    seen = {(span.layer, span.node) for span in spans}
    lanes = []
    for layer, node in seen:
        if layer != ORIGIN and not (
            address.layer in {None, layer} and address.node in {None, node}
        ):
            continue
        row = catalogue.get((layer, node))
        region, state = (row.region, row.state) if row else ("", "gone")
        lanes.append(Swimlane(layer, node, region, state))
    return sorted(lanes, key=lambda lane: (lane.layer, lane.region, lane.node))


def _bands(lanes: Sequence[Swimlane], spans: Sequence[Span], window: Window) -> list[Band]:
    index = {(lane.layer, lane.node): at for at, lane in enumerate(lanes)}
    hues = _hues(spans)
    return [
        Band(
            lane=index[span.layer, span.node],
            first_at_ns=max(span.first_at_ns, window.since_ns),
            last_at_ns=min(span.last_at_ns, window.until_ns),
            result=span.result,
            value=span.value,
            hue=hues.get(span.value) if span.value else None,
            reads=span.count,
            ended_by=span.ended_by,
        )
        for span in spans
        if (span.layer, span.node) in index
    ]


def _hues(spans: Iterable[Span]) -> dict[Value, int]:
    """A version is its own number, so its hue stays when the window moves; digests count up."""
    hues: dict[Value, int] = {}
    for span in sorted(spans, key=lambda span: span.first_at_ns):
        if span.value is not None and span.value not in hues:
            numbered = span.value.version
            hues[span.value] = len(hues) if numbered is None else numbered
    return hues


def _stale_stretches(
    lanes: Sequence[Swimlane], bands: Sequence[Band], reads: Sequence[JudgedRead]
) -> list[StaleStretch]:
    by_node: defaultdict[tuple[str, str], list[JudgedRead]] = defaultdict(list)
    for read in reads:
        if read.row.verdict is Verdict.STALE:
            by_node[read.row.layer, read.row.node].append(read)
    # An open run is extended in the store once a minute; the reads that were not fresh at once.
    newest = {band.lane: band for band in sorted(bands, key=lambda band: band.first_at_ns)}
    stretches = []
    for band in bands:
        lane = lanes[band.lane]
        inside = [
            read
            for read in by_node[lane.layer, lane.node]
            if read.row.value == band.value
            and band.first_at_ns <= read.at_ns
            and (read.at_ns <= band.last_at_ns or band is newest[band.lane])
        ]
        if inside:
            stretches.append(_stretch(band, inside))
    return stretches


def _stretch(band: Band, reads: Sequence[JudgedRead]) -> StaleStretch:
    return StaleStretch(
        lane=band.lane,
        first_at_ns=min(read.at_ns for read in reads),
        last_at_ns=max(read.at_ns for read in reads),
        longest_ns=max(read.row.bounds.lower for read in reads),
        reads=len(reads),
    )
