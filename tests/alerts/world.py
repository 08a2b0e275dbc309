"""A store, rules that see what a test tells them to, and engines that come and go over these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerts.base import Message
from alerts.chart import Chart
from alerts.engine import Engine
from alerts.groups import GroupTiming
from alerts.inhibition import Inhibits
from alerts.look import Condition, Look
from alerts.notices import Audience
from alerts.rules import Mode
from alerts.rules.base import AT_ONCE
from alerts.state import NS_PER_S, Timing
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Store
from tests.store.rows import S

START = 1_800_000_000 * NS_PER_S
R1 = {"layer": "regional", "node": "r1"}
RECIPIENTS = ("a@example.com", "b@example.com")
REPEAT_NS = 4 * 3_600 * NS_PER_S
AT_ONCE_TOLD = GroupTiming(0, 0, REPEAT_NS)
"""No wait and no interval, for what is not about them."""
SRE = {"sre": Audience(RECIPIENTS, timing=AT_ONCE_TOLD)}


@dataclass
class Scripted:
    """A rule that sees what a test tells it to, of each of some labels."""

    name: str = "edge-lag"
    timing: Timing = AT_ONCE
    channels: Sequence[str] = ("sre",)
    mode: Mode = "notify"
    kind: str = "propagation-lag"
    inhibits: Sequence[Inhibits] = ()
    sees: list[Look] = field(default_factory=list)
    draws: Chart | None = None
    drawn: list[Mapping[str, str]] = field(default_factory=list)
    """The labels of what was drawn."""

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:  # noqa: ARG002
        return self.sees

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:  # noqa: ARG002
        self.drawn.append(labels)
        return self.draws

    def in_words(self) -> str:
        return "Fires when a test says so."

    def see(self, condition: Condition, *, is_inhibited: bool = False) -> None:
        self.sees = [Look(R1, condition, f"it {condition}", 7.0, is_inhibited=is_inhibited)]

    def see_at(self, **nodes: Condition) -> None:
        """Of each node its own."""
        self.sees = [
            Look({"layer": "regional", "node": name}, condition, f"{name} {condition}")
            for name, condition in nodes.items()
        ]


class World:
    """A store, rules, and engines that come and go."""

    def __init__(self, store: Store, *rules: Scripted) -> None:
        self.store = store
        self.rule, *_ = self.rules = list(rules)
        self.audiences: Mapping[str, Audience] = SRE
        self.restart()

    def restart(self, *, without_rule: bool = False) -> None:
        self.engine = Engine(self.store, [] if without_rule else self.rules, self.audiences)

    def runs(self, since: float, until: float, restarts_at: float | None = None) -> list[str]:
        """Look every five seconds; the kinds of what is owed then, with their seconds."""
        seen, told = len(self.owed), []
        for second in range(round(since), round(until) + 1, 5):
            if second == restarts_at:
                self.restart()
            self.at(second)
            told += [f"{row.kind} at {second}" for row in self.owed[seen:]]
            seen = len(self.owed)
        return told

    def told(self, number: int = -1) -> Mapping[str, str]:
        """What a notification says of each alert, by node."""
        message = Message.from_payload(self.owed[number].payload)
        return {
            each.labels["node"]: f"{'new ' if each.is_news else ''}{each.status}"
            for each in message.alerts
        }

    def at(
        self, second: float, condition: Condition | None = None, *, is_inhibited: bool = False
    ) -> Sequence[TransitionRow]:
        if condition is not None:
            self.rule.see(condition, is_inhibited=is_inhibited)
        return self.engine.evaluate(START + round(second * S))

    @property
    def alert(self) -> AlertRow:
        (row,) = self.store.alerts()
        return row

    def alert_state(self, node: str) -> str:
        """The state of the alert at a node; inactive where it has left the book."""
        found = [row.state for row in self.store.alerts() if row.labels["node"] == node]
        return found[0] if found else "inactive"

    @property
    def owed(self) -> list[NotificationRow]:
        return list(reversed(self.store.notifications(limit=1_000)))

    @property
    def kinds(self) -> list[str]:
        return [row.kind for row in self.owed]
