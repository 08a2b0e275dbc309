"""A rule that is costly to look at, looked at less often than the others.

In between it says again what it saw: facts that a rule goes by are minutes old anyway.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from alerts.chart import Chart
from alerts.inhibition import Inhibits
from alerts.look import Look
from alerts.rules.base import NS_PER_S, Mode, Rule
from alerts.state import Timing
from store.base import Store

EVERY_NS: Final = 30 * NS_PER_S


class Paced:
    """Another rule; not safe to look at from two threads at once, as the engine is not."""

    def __init__(self, rule: Rule, every_ns: int = EVERY_NS) -> None:
        self.rule, self._every_ns = rule, every_ns
        self._looked_at_ns: int | None = None
        self._looks: Sequence[Look] = ()

    @property
    def name(self) -> str:
        """As it is called in the config file."""
        return self.rule.name

    @property
    def timing(self) -> Timing:
        """How long its condition must hold, and be clear."""
        return self.rule.timing

    @property
    def channels(self) -> Sequence[str]:
        """Whom it tells."""
        return self.rule.channels

    @property
    def mode(self) -> Mode:
        """Whether it tells anybody."""
        return self.rule.mode

    @property
    def kind(self) -> str:
        """As its kind is called in the config file."""
        return self.rule.kind

    @property
    def inhibits(self) -> Sequence[Inhibits]:
        """Which other alerts a firing one of this kind explains."""
        return self.rule.inhibits

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """What it sees, or has seen a moment ago."""
        at_ns = self._looked_at_ns
        if at_ns is None or not 0 <= now_ns - at_ns < self._every_ns:
            self._looks = self.rule.look(store, now_ns)
            self._looked_at_ns = now_ns
        return self._looks

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:
        """As the rule draws it, read now."""
        return self.rule.chart(store, labels, now_ns)

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        return self.rule.in_words()
