"""A layer or node that processes no messages in a window of time while others do.

It counts receipts by the observer's clock. Where hardly anybody processed anything there is nothing
to tell a deaf node by, and the alert is frozen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import NS_PER_S, Common, in_seconds, listed_nodes
from store.base import NodeRow, Store

GRACE_NS: Final = 30 * NS_PER_S
"""Words of others count once they are this old: exporters send in batches, one before another."""
NodeName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SilentFacts:
    """The nodes that discovery lists, and receipts of the window by (layer, node).

    `recent` are those of them that came within `GRACE_NS`.
    """

    nodes: Sequence[NodeRow]
    receipts: Mapping[NodeName, int]
    recent: Mapping[NodeName, int] = field(default_factory=dict)

    def settled(self, name: NodeName) -> int:
        """Those that are old enough for others to have spoken too."""
        return self.receipts.get(name, 0) - self.recent.get(name, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent(Common):
    """The rule. Others count as busy from `least` receipts of one of them on."""

    kind: ClassVar[str] = "silent"
    layer: str
    node: str | None = None
    by: Literal["node", "layer"] = "node"
    window_ns: int = 300 * NS_PER_S
    least: int = 10

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each node of the layer, or one at the layer."""
        receipts = _counts(store, now_ns - self.window_ns)
        recent = _counts(store, now_ns - GRACE_NS)
        return self.judge(SilentFacts(listed_nodes(store.nodes()), receipts, recent), now_ns)

    def judge(self, facts: SilentFacts, now_ns: int) -> Sequence[Look]:
        """What the facts say of each."""
        own = listed_nodes(facts.nodes, self.layer, self.node)
        if self.by == "layer" and own:
            return [self._judge(f"layer {self.layer}", {"layer": self.layer}, own, facts, now_ns)]
        return [
            self._judge(
                f"{row.layer}/{row.node}",
                {"layer": row.layer, "node": row.node},
                [row],
                facts,
                now_ns,
            )
            for row in own
        ]

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        who = "the whole" if self.by == "layer" else self.node or "a node of"
        of = f"{who} layer {self.layer}" if self.node is None else f"{who} of layer {self.layer}"
        return (
            f"Fires when no receipt of {of} came in {in_seconds(self.window_ns)}, while another"
            f" node sent at least {self.least}."
        )

    def _judge(
        self,
        name: str,
        labels: Mapping[str, str],
        own: Sequence[NodeRow],
        facts: SilentFacts,
        now_ns: int,
    ) -> Look:
        names = {(row.layer, row.node) for row in own}
        mine = sum(facts.receipts.get(each, 0) for each in names)
        others = {
            f"{row.layer}/{row.node}": facts.settled((row.layer, row.node))
            for row in facts.nodes
            if (row.layer, row.node) not in names
        }
        condition, summary = self._condition(name, own, mine, others, now_ns)
        window = in_seconds(self.window_ns)
        busy = sorted(((n, other) for other, n in others.items() if n), reverse=True)
        return Look(
            labels=labels,
            condition=condition,
            summary=summary,
            value=float(mine),
            evidence=[f"{other} sent {n} receipts in the last {window}" for n, other in busy[:5]],
            link=overview_link(labels, now_ns),
            is_inhibited=not any(row.state == "up" for row in own),
            figures={"receipts": f"{mine} in the last {window}"},
        )

    def _condition(
        self,
        name: str,
        own: Sequence[NodeRow],
        mine: int,
        others: Mapping[str, int],
        now_ns: int,
    ) -> tuple[Condition, str]:
        window = in_seconds(self.window_ns)
        if mine:
            return Condition.CLEAR, f"{name} processed {mine} messages in the last {window}"
        up = [row for row in own if row.state == "up"]
        if not up:
            return Condition.UNKNOWN, f"{name} cannot be asked: {own[0].why or 'no answer yet'}"
        if all(now_ns - row.since_at_ns < self.window_ns for row in up):
            return Condition.UNKNOWN, f"{name} has not been up for {window} yet"
        busiest = max(others.values(), default=0)
        if busiest < self.least:
            return Condition.UNKNOWN, f"too few messages in the last {window} to tell by"
        return Condition.HOLDS, f"{name} processed no message in the last {window}, others did"


def _counts(store: Store, since_ns: int) -> dict[NodeName, int]:
    return {(layer, node): count for layer, node, count in store.receipt_counts(since_ns)}
