"""Nodes of one layer that hold different versions of a key for longer than allowed.

It rests on reads that prove that the copies cannot all have been coherent. What goes on and may be
younger than the limit, or may be older, freezes the alert.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from alerts.link import key_link, overview_link
from alerts.look import Condition, Look
from alerts.rules.base import NS_PER_S, Common, first_lines, in_seconds, listed_nodes
from freshness.drift import Proof, Standing
from freshness.model import Value
from store.base import NodeRow, Store
from store.drift import Drift as Found
from store.drift import DriftView, read_drift

LEAST_NODES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift(Common):
    """The rule, of one layer. Without `limit_ns` what the layer promises is allowed."""

    kind: ClassVar[str] = "drift"
    layer: str
    keyspace: str | None = None
    limit_ns: int | None = None
    window_ns: int = 900 * NS_PER_S

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """One look at the layer."""
        view = read_drift(store, now_ns - self.window_ns, now_ns + 1, self.keyspace, self.layer)
        return [self.judge(listed_nodes(store.nodes(), self.layer), view, now_ns)]

    def judge(self, nodes: Iterable[NodeRow], view: DriftView, now_ns: int) -> Look:
        """What the copies of these nodes say of each other."""
        going_on = [
            each
            for each in view.drifts
            if each.scope.kind == "layer"
            and each.scope.layers == (self.layer,)
            and not each.found.is_over
        ]
        proven = [each for each in going_on if self._is_beyond(each)]
        up = sum(node.state == "up" for node in nodes)
        condition, summary = self._condition(going_on, proven, view, up, now_ns)
        labels = {"layer": self.layer} | ({"keyspace": self.keyspace} if self.keyspace else {})
        worst = max(proven, key=lambda each: each.found.behind, default=None)
        return Look(
            labels=labels,
            condition=condition,
            summary=summary,
            value=worst.found.behind / NS_PER_S if worst else None,
            evidence=first_lines([_line(each) for each in proven]),
            link=key_link(worst.keyspace, worst.key, now_ns)
            if worst
            else overview_link(labels, now_ns),
            is_inhibited=up == 0,
            figures={"keys that differ": str(len({each[:2] for each in proven}))},
            finding=worst.finding.id if worst and worst.finding else "",
        )

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        of = f" of keyspace {self.keyspace}" if self.keyspace else ""
        allowed = "the layer's maximum" if self.limit_ns is None else in_seconds(self.limit_ns)
        return (
            f"Fires when nodes of layer {self.layer} are proven to hold different versions of a"
            f" key{of} for longer than {allowed}, as of its last reads."
        )

    def _allowed(self, each: Found) -> int:
        return each.limit_ns if self.limit_ns is None else self.limit_ns

    def _is_beyond(self, each: Found) -> bool:
        """Whether it is proven; a version with two contents is no matter of time."""
        if each.found.proof is not Proof.PROVEN:
            return False
        return each.standing is Standing.TORN or each.found.behind > self._allowed(each)

    def _is_young(self, each: Found, now_ns: int) -> bool:
        """Whether it began so lately that it cannot be over the limit yet."""
        since_ns = each.found.since_lower
        return since_ns is not None and now_ns - since_ns <= self._allowed(each)

    def _condition(
        self,
        going_on: Sequence[Found],
        proven: Sequence[Found],
        view: DriftView,
        up: int,
        now_ns: int,
    ) -> tuple[Condition, str]:
        if proven:
            keys = len({each[:2] for each in proven})
            copies = "a key" if keys == 1 else f"{keys} keys"
            return Condition.HOLDS, f"nodes of {self.layer} hold different versions of {copies}"
        if up < LEAST_NODES:
            return Condition.UNKNOWN, f"fewer than two nodes of {self.layer} answer"
        open_ = [each for each in going_on if not self._is_young(each, now_ns)]
        if open_:
            return Condition.UNKNOWN, (
                f"copies of {len({each[:2] for each in open_})} keys differ on {self.layer}, and"
                " for how long is not proven"
            )
        if not view.is_all:
            return Condition.UNKNOWN, "more keys changed than were looked at"
        return Condition.CLEAR, f"nodes of {self.layer} agree, of {view.keys} keys looked at"


def _line(each: Found) -> str:
    older, newer = each.older, each.newer
    held = f"{older.node} holds {_named(older.value)}, {newer.node} {_named(newer.value)}"
    how_long = f"for at least {in_seconds(each.found.behind)} since the newer one was committed"
    return f"{each.keyspace}/{each.key}: {held}; {how_long}"


def _named(value: Value | None) -> str:
    if value is None:
        return "nothing"
    if value.version is not None:
        return f"version {value.version}" + (" (absent)" if value.absent else "")
    return "no such row" if value.absent else f"digest {(value.projection or '')[:12]}"
