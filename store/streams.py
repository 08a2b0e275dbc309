"""The sequences of publishers, as their messages and the receipts of these have them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from freshness.sequence import Gap, Sent, Silence, find_gaps, find_silent
from store.base import NodeRow
from store.messages import InvalidationRow, Told

GRACE_NS: Final = 10 * 10**9
"""Twice the delay with which an OpenTelemetry SDK exports by default."""
SILENT_NS: Final = 60 * 10**9
"""How far others must have advanced before a node is called silent."""

NodeName = tuple[str, str]
"""(layer, node)"""


class StreamName(NamedTuple):
    """What one sequence counts."""

    publisher: str
    stream: str


class NodeGap(NamedTuple):
    """A gap in what one node acknowledged."""

    stream: StreamName
    layer: str
    node: str
    gap: Gap


class NodeSilence(NamedTuple):
    """A node that is frozen while others of its layer advance."""

    stream: StreamName
    layer: str
    silence: Silence


class Streams:
    """What the sequences of some messages prove at `now_ns`; messages without one prove nothing.

    Nor do nodes of which some receipt has no number: it may have come by a poll of a tracing back
    end, which leaves out what it likes. Nor those of the `catalogue` that hold a share of the keys.
    """

    def __init__(
        self, tolds: Iterable[Told], now_ns: int, catalogue: Iterable[NodeRow] = ()
    ) -> None:
        self._now_ns = now_ns
        self._partial = {(row.layer, row.node) for row in catalogue if not row.hears_all}
        self._messages: defaultdict[StreamName, set[Sent]] = defaultdict(set)
        self._words: defaultdict[StreamName, defaultdict[NodeName, dict[Sent, int]]]
        self._words = defaultdict(lambda: defaultdict(dict))
        self._unnumbered: set[tuple[StreamName, NodeName]] = set()
        self._gaps: dict[tuple[StreamName, NodeName], list[Gap]] = {}
        self._lost: dict[tuple[StreamName, NodeName], set[Sent]] = {}
        for told in tolds:
            self._take(told)

    def has_lost(self, row: InvalidationRow, node: NodeName) -> bool:
        """Whether it is proven that the node never heard the message."""
        name = _stream(row), node
        if name not in self._lost:
            gaps = [gap for gap in self._gaps_of(*name) if gap.is_proof]
            self._lost[name] = {message for gap in gaps for message in gap.messages}
        return _sent(row) in self._lost[name]

    def gaps(self) -> Iterator[NodeGap]:
        """Every gap of every node."""
        for stream in sorted(self._words):
            for node in sorted(self._words[stream]):
                for gap in self._gaps_of(stream, node):
                    yield NodeGap(stream, *node, gap)

    def silent(
        self, nodes: Collection[NodeName], window_ns: int = SILENT_NS
    ) -> Iterator[NodeSilence]:
        """Those of the `nodes` listed, and of those who spoke, that are frozen."""
        for stream in sorted(self._words):
            words = self._words[stream]
            for layer in sorted({layer for layer, _ in words}):
                names = {node for at, node in (*words, *nodes) if at == layer}
                own = {
                    name: words.get((layer, name), {})
                    for name in names
                    if (stream, (layer, name)) not in self._unnumbered
                    and (layer, name) not in self._partial
                }
                for silence in find_silent(own, self._now_ns, window_ns):
                    yield NodeSilence(stream, layer, silence)

    def _take(self, told: Told) -> None:
        message = _sent(told.invalidation)
        if message is None:
            return
        stream = _stream(told.invalidation)
        self._messages[stream].add(message)
        for receipt in told.receipts:
            words = self._words[stream][receipt.layer, receipt.node]
            if receipt.sequence is None:
                self._unnumbered.add((stream, (receipt.layer, receipt.node)))
            words[message] = min(words.get(message, receipt.received_at_ns), receipt.received_at_ns)

    def _gaps_of(self, stream: StreamName, node: NodeName) -> list[Gap]:
        if (stream, node) not in self._gaps:
            words = self._words[stream].get(node, {})
            found = find_gaps(self._messages[stream], words, self._now_ns, GRACE_NS)
            if (stream, node) in self._unnumbered or node in self._partial:
                found = [gap._replace(is_proof=False) for gap in found]
            self._gaps[stream, node] = found
        return self._gaps[stream, node]


def _stream(row: InvalidationRow) -> StreamName:
    return StreamName(row.publisher, row.stream)


def _sent(row: InvalidationRow) -> Sent | None:
    if row.sequence is None or not row.publisher:
        return None
    return Sent(row.written_at_ns, row.sequence)
