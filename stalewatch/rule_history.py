"""Rules on stored history: each looks at the store as it stood, an instant after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from alerts.replay import LONGEST_STEP_NS, Looked, Replayed, replay
from alerts.rules import Paced, Rule
from stalewatch.config.model import Config
from store.base import Store
from store.past import History, Kept, PastError

NS: Final = 1_000_000_000
SHORTEST_STEP_NS: Final = NS
MOST_STEPS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time that is looked at; instants are whole steps, so that minutes are whole."""

    since_ns: int
    until_ns: int
    step_ns: int

    @classmethod
    def before(cls, now_ns: int, length_ns: int, step_ns: int) -> "Stretch":
        """The last stretch of this length. A ValueError says what cannot be."""
        if not SHORTEST_STEP_NS <= step_ns <= LONGEST_STEP_NS:
            raise ValueError("expected a step from 1s to 1m: looks further apart say nothing")
        if length_ns < step_ns or length_ns // step_ns > MOST_STEPS:
            raise ValueError(f"expected one step at least, and at most {MOST_STEPS:,}")
        until_ns = now_ns // step_ns * step_ns
        return cls(until_ns - length_ns // step_ns * step_ns, until_ns, step_ns)

    @property
    def instants(self) -> range:
        """When it is looked."""
        return range(self.since_ns, self.until_ns + 1, self.step_ns)


def kept_of(config: Config, now_ns: int) -> dict[Kept, int]:
    """From when on a store keeps each kind of row."""
    kept = config.store.retention
    return {
        "minute": now_ns - kept.minutes.ns,
        "hour": now_ns - kept.hours.ns,
        "day": now_ns - kept.days.ns,
        "messages": now_ns - kept.facts.ns,
    }


def run_rule(
    rule: Rule,
    store: Store,
    stretch: Stretch,
    kept: dict[Kept, int],
    told: Callable[[int], object] = lambda _: None,
) -> Replayed:
    """What a rule would have done; `told` is called with each instant. Raises StoreError."""
    history = History.read(store, stretch.since_ns, stretch.until_ns, kept)
    bare = rule.rule if isinstance(rule, Paced) else rule
    return replay(rule.timing, _looks(bare, history, stretch, told))


def _looks(
    rule: Rule, history: History, stretch: Stretch, told: Callable[[int], object]
) -> Iterator[Looked]:
    for now_ns in stretch.instants:
        told(now_ns)
        try:
            yield Looked(now_ns, rule.look(history.at(now_ns), now_ns))
        except PastError as error:
            yield Looked(now_ns, lost=str(error))
