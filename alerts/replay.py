"""A rule on stored history: when it would have fired, how often and for how long.

Pure: a fold of the state machine over looks, an instant after the other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from alerts.look import Condition, Look
from alerts.state import LONGEST_GAP_NS, Timing, new_alert, step
from store.alert_book import AlertRow

Labels = tuple[tuple[str, str], ...]
LONGEST_STEP_NS: Final = LONGEST_GAP_NS
"""Looks further apart say nothing of the time between: no clock of an alert would run."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The looks of a rule at one instant; `lost` says why there are none, where that is so."""

    at_ns: int
    looks: Sequence[Look] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing of one alert. `until_ns` is None where it still fires at the end.

    `is_older` says that its condition held at the first look: it may have begun before.
    """

    labels: Mapping[str, str]
    since_ns: int
    until_ns: int | None
    summary: str
    is_older: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a rule over [since, until]; instants are those of looks.

    `looks` counts looks at each thing that it watches, `unknown` those that could not say, by why.
    """

    since_ns: int
    until_ns: int
    looks: int
    unknown: Mapping[str, int]
    firings: Sequence[Firing]

    @property
    def unknown_looks(self) -> int:
        """How many looks could not say."""
        return sum(self.unknown.values())

    @property
    def is_blind(self) -> bool:
        """Whether nothing was seen at all: that it never fired means nothing then."""
        return self.unknown_looks == self.looks

    @property
    def longest_ns(self) -> int:
        """The longest firing, as far as it is seen."""
        return max((self._end(each) - each.since_ns for each in self.firings), default=0)

    @property
    def fired_ns(self) -> int:
        """For how long any of its alerts fired."""
        spans = sorted((each.since_ns, self._end(each)) for each in self.firings)
        fired_ns, reached_ns = 0, self.since_ns
        for since_ns, until_ns in spans:
            fired_ns += max(0, until_ns - max(since_ns, reached_ns))
            reached_ns = max(reached_ns, until_ns)
        return fired_ns

    @property
    def share(self) -> float:
        """The share of the time in which any of its alerts fired."""
        length_ns = self.until_ns - self.since_ns
        return self.fired_ns / length_ns if length_ns else 0.0

    def _end(self, firing: Firing) -> int:
        return self.until_ns if firing.until_ns is None else firing.until_ns


@dataclass(slots=True)
class _Fold:
    timing: Timing
    alerts: dict[Labels, AlertRow] = field(default_factory=dict)
    open: dict[Labels, Firing] = field(default_factory=dict)
    firings: list[Firing] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    instants: list[int] = field(default_factory=list)
    looks: int = 0

    def take(self, looked: Looked) -> None:
        """One instant: every alert is stepped once, by what was seen of it."""
        seen = {tuple(sorted(look.labels.items())): look for look in looked.looks}
        if looked.lost:
            seen = {labels: _lost(labels, looked.lost) for labels in self.alerts}
            self.looks += not seen
            self.unknown[looked.lost] += not seen
        for labels, look in seen.items():
            self.looks += 1
            self.unknown[look.summary] += look.condition is Condition.UNKNOWN
            self._step(labels, look, looked.at_ns)
        for labels in self.alerts.keys() - seen.keys():
            gone = Look(dict(labels), Condition.GONE, "no longer watched")
            self._step(labels, gone, looked.at_ns)
        self.instants.append(looked.at_ns)

    def done(self) -> Replayed:
        """Firings in order of time; those that go on have no end."""
        firings = sorted([*self.firings, *self.open.values()], key=lambda each: each.since_ns)
        first, last = (self.instants[0], self.instants[-1]) if self.instants else (0, 0)
        return Replayed(first, last, self.looks, +self.unknown, firings)

    def _step(self, labels: Labels, look: Look, now_ns: int) -> None:
        before = self.alerts.get(labels) or new_alert("", "", look, now_ns)
        after, transition = step(before, look, self.timing, now_ns)
        self.alerts[labels] = after
        if transition is None:
            return
        if after.state == "firing":
            first_ns = self.instants[0] if self.instants else now_ns
            is_older = after.pending_since_ns is not None and after.pending_since_ns <= first_ns
            self.open[labels] = Firing(dict(labels), now_ns, None, look.summary, is_older)
        elif before.state == "firing":
            begun = self.open.pop(labels)
            self.firings.append(
                Firing(begun.labels, begun.since_ns, now_ns, begun.summary, begun.is_older)
            )


def replay(timing: Timing, looked: Iterable[Looked]) -> Replayed:
    """What a rule with this timing makes of looks in order of time."""
    fold = _Fold(timing)
    for each in looked:
        fold.take(each)
    return fold.done()


def _lost(labels: Labels, why: str) -> Look:
    return Look(dict(labels), Condition.UNKNOWN, why)
