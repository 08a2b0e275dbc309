"""An alert over time: `at(65).holds()` gives it a look, `.wants("firing")` says what it must be."""

import json
from dataclasses import asdict
from typing import Self

from alerts.look import Condition, Look
from alerts.state import NS_PER_S, Timing, Why, new_alert, step
from store.alert_book import AlertRow, AlertState, TransitionRow

START_NS = 1_800_000_000 * NS_PER_S
ABOUT = {"layer": "regional", "node": "r1"}


def look(condition: Condition, value: float | None = None) -> Look:
    """A look at one node."""
    return Look(ABOUT, condition, f"it {condition}", value, [f"seen: {condition}"], "?q=1")


class Timeline:
    """One alert, stepped at the seconds that a test names."""

    def __init__(self, for_s: float = 0, keep_firing_for_s: float = 0) -> None:
        self.rule = Timing(round(for_s * NS_PER_S), round(keep_firing_for_s * NS_PER_S))
        self.alert = new_alert("a1", "edge-lag", look(Condition.CLEAR), START_NS)
        self.transitions: list[TransitionRow] = []
        self._now_ns = START_NS

    def at(self, second: float) -> Self:
        """Go to an instant."""
        self._now_ns = START_NS + round(second * NS_PER_S)
        return self

    def every(self, step_s: int, until_s: int, condition: Condition = Condition.HOLDS) -> Self:
        """Look again and again, from the step after now until an instant, as the engine does."""
        now_s = (self._now_ns - START_NS) // NS_PER_S
        for second in range(now_s + step_s, until_s + 1, step_s):
            self.at(second).sees(condition)
        return self

    def holds(self) -> Self:
        return self.sees(Condition.HOLDS)

    def eases(self) -> Self:
        return self.sees(Condition.EASED)

    def clears(self) -> Self:
        return self.sees(Condition.CLEAR)

    def is_lost(self) -> Self:
        return self.sees(Condition.UNKNOWN)

    def is_gone(self) -> Self:
        return self.sees(Condition.GONE)

    def sees(self, condition: Condition) -> Self:
        before = self.alert.state
        self.alert, transition = step(self.alert, look(condition), self.rule, self._now_ns)
        assert (transition is not None) == (before != self.alert.state)
        if transition is not None:
            assert transition == TransitionRow(
                "a1", self._now_ns, before, self.alert.state, self.alert.reason
            )
            self.transitions.append(transition)
        return self

    def restarts(self) -> Self:
        """The process ends, and another goes on with what the row says."""
        self.alert = AlertRow(**json.loads(json.dumps(asdict(self.alert))))
        return self

    def wants(self, state: AlertState, why: Why, *, is_frozen: bool = False) -> Self:
        """What the alert must be now."""
        alert = self.alert
        assert (alert.state, alert.reason, alert.is_frozen) == (state, why, is_frozen)
        return self

    @property
    def states(self) -> list[AlertState]:
        """The states that it went into."""
        return [each.after for each in self.transitions]
