"""A node that provably never heard a message, though it heard what came before and after.

It rests on the numbers that publishers give their messages. Where so many words are missing that
spans look sampled, nothing is proven, and the alert is frozen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from alerts.link import invalidation_link, overview_link
from alerts.look import Condition, Look
from alerts.rules.base import (
    NS_PER_S,
    Common,
    first_lines,
    in_seconds,
    listed_nodes,
    place_in_words,
)
from alerts.rules.messages import newest_told
from freshness.sequence import Sent
from store.base import NodeRow, Store
from store.messages import InvalidationRow, Told
from store.streams import NodeGap, StreamName, Streams

MOST_MESSAGES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceGap(Common):
    """The rule, of each node of a layer, or of all.

    `placement` has the layers of each keyspace: other nodes are told nothing of it, and lose none.
    """

    kind: ClassVar[str] = "sequence-gap"
    placement: Mapping[str, frozenset[str]]
    layer: str | None = None
    node: str | None = None
    keyspace: str | None = None
    window_ns: int = 900 * NS_PER_S

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each node that discovery lists."""
        since_ns = now_ns - self.window_ns
        told, _ = newest_told(store, since_ns, now_ns + 1, self.keyspace, MOST_MESSAGES)
        return self.judge(listed_nodes(store.nodes(), self.layer, self.node), told, now_ns)

    def judge(self, nodes: Iterable[NodeRow], told: Sequence[Told], now_ns: int) -> Sequence[Look]:
        """What the sequences of these messages prove of each node that takes any."""
        looks: list[Look] = []
        listed = list(nodes)
        for layer in sorted({node.layer for node in listed}):
            own = [each for each in told if layer in self._layers_of(each)]
            found = _Proof(own, listed, now_ns)
            if any(layer in layers for layers in self.placement.values()):
                looks += [self._judge(row, found, now_ns) for row in listed if row.layer == layer]
        return looks

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        who = place_in_words(self.layer, self.node)
        of = f" of keyspace {self.keyspace}" if self.keyspace else ""
        return (
            f"Fires when the sequence of a publisher proves that {who} never heard a message{of}"
            f" of the last {in_seconds(self.window_ns)}."
        )

    def _layers_of(self, told: Told) -> frozenset[str]:
        return self.placement.get(told.invalidation.keyspace, frozenset())

    def _judge(self, node: NodeRow, found: "_Proof", now_ns: int) -> Look:
        gaps, heard = found.gaps_of(node), found.heard_by(node)
        proven = [each for each in gaps if each.gap.is_proof]
        ids = [found.id_of(each.stream, at) for each in proven for at in each.gap.messages]
        condition, summary = self._condition(node, gaps, len(ids), heard)
        labels = {"layer": node.layer, "node": node.node}
        link = invalidation_link(ids[0], now_ns) if ids and ids[0] else ""
        return Look(
            labels=labels | ({"keyspace": self.keyspace} if self.keyspace else {}),
            condition=condition,
            summary=summary,
            value=float(len(ids)),
            evidence=first_lines([_line(each) for each in proven]),
            link=link or overview_link(labels, now_ns),
            figures={"messages never heard": str(len(ids)), "acknowledged": str(heard)},
        )

    def _condition(
        self, node: NodeRow, gaps: Sequence[NodeGap], lost: int, heard: int
    ) -> tuple[Condition, str]:
        name, window = f"{node.layer}/{node.node}", in_seconds(self.window_ns)
        if lost:
            messages = "1 message" if lost == 1 else f"{lost} messages"
            return Condition.HOLDS, f"{name} never heard {messages} of the last {window}"
        if not node.hears_all:
            return Condition.UNKNOWN, f"{name} holds a share of the keys: no gap is a proof"
        if gaps:
            return Condition.UNKNOWN, f"so many words of {name} are missing that spans look sampled"
        if not heard:
            return Condition.UNKNOWN, f"no numbered word of {name} came in the last {window}"
        return Condition.CLEAR, f"{name} acknowledged {heard} messages in a row"


class _Proof:
    """What the sequences of some messages prove."""

    def __init__(self, told: Sequence[Told], catalogue: Iterable[NodeRow], now_ns: int) -> None:
        self._told = told
        self._gaps = list(Streams(told, now_ns, catalogue).gaps())
        self._ids = {_name(each.invalidation): each.invalidation.id for each in told}

    def gaps_of(self, node: NodeRow) -> list[NodeGap]:
        return [each for each in self._gaps if (each.layer, each.node) == (node.layer, node.node)]

    def id_of(self, stream: StreamName, sent: Sent) -> str:
        """Empty where only a receipt told of the message."""
        return self._ids.get((stream, sent), "")

    def heard_by(self, node: NodeRow) -> int:
        """How many messages it acknowledged by words that have a number."""
        return sum(
            any(
                (row.layer, row.node) == (node.layer, node.node) and row.sequence is not None
                for row in each.receipts
            )
            for each in self._told
            if each.invalidation.sequence is not None
        )


def _name(row: InvalidationRow) -> tuple[StreamName, Sent]:
    return StreamName(row.publisher, row.stream), Sent(row.written_at_ns, row.sequence or 0)


def _line(found: NodeGap) -> str:
    gap, stream = found.gap, found.stream
    numbers = f"number {gap.first}" if gap.first == gap.last else f"{gap.first} to {gap.last}"
    name = f"{stream.publisher}/{stream.stream}" if stream.stream else stream.publisher
    return f"{found.layer}/{found.node} never heard {numbers} of {name}, and heard what came after"
