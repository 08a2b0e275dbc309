"""A node that does not answer while discovery still lists it.

What discovery drops is gone, and pages nobody: its alert is resolved. How long a node may be away
is the rule's `for`: five minutes, since discovery needs time to notice that a node went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from alerts.inhibition import Inhibits
from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import NS_PER_S, Common, in_seconds, listed_nodes, place_in_words
from alerts.state import Timing
from store.base import NodeRow, Store
from store.past import UNTOLD

AFTER: Final = Timing(for_ns=300 * NS_PER_S)
"""How long a node must be away where nobody says otherwise."""

EXPLAINED: Final = ("staleness", "silent", "propagation-lag", "sequence-gap", "hit-rate")
"""Kinds whose alerts on a node say no more than that it does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable(Common):
    """The rule, of each node of a layer, or of all."""

    kind: ClassVar[str] = "unreachable"
    inhibits: ClassVar[Sequence[Inhibits]] = (Inhibits(EXPLAINED, ("layer", "node")),)
    timing: Timing = AFTER
    layer: str | None = None
    node: str | None = None

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each node that discovery lists."""
        nodes = listed_nodes(store.nodes(), self.layer, self.node)
        return [self.judge(node, now_ns) for node in nodes]

    def judge(self, node: NodeRow, now_ns: int) -> Look:
        """Whether it answers."""
        labels = {"layer": node.layer, "node": node.node}
        name = f"{node.layer}/{node.node}"
        away_ns = max(0, now_ns - node.since_at_ns)
        is_away = node.state != "up"
        if node.why == UNTOLD:
            condition, summary = Condition.UNKNOWN, f"{name}: {UNTOLD}"
        elif is_away:
            condition, summary = Condition.HOLDS, f"{name} does not answer: {_why(node)}"
        else:
            condition, summary = Condition.CLEAR, f"{name} answers"
        return Look(
            labels=labels,
            condition=condition,
            summary=summary,
            value=away_ns / NS_PER_S if is_away else 0.0,
            evidence=[f"{name} at {node.address}: {_why(node)}"] if is_away else [],
            link=overview_link(labels, now_ns),
            figures={"no answer for": in_seconds(away_ns)} if is_away else {},
        )

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        for_ns = self.timing.for_ns
        since = f" for {in_seconds(for_ns)}" if for_ns else ""
        who = place_in_words(self.layer, self.node)
        return f"Fires when {who} has not answered{since} and discovery still lists it."


def _why(node: NodeRow) -> str:
    return node.why or "no answer yet"
