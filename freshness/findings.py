"""The life of a finding: opened on a proven read, confirmed by a second one, healed by a third.

Rule 10: under stale-while-revalidate, refresh-ahead or read-through the probe itself heals the
copy; such a finding is `healed-on-read`. The first proven read counts in the indicators either way.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from freshness.model import Judgement, Reading, Result, Value, Verdict


class State(StrEnum):
    """Where a finding stands. OPENED and CONFIRMED are open; GONE is a node that left discovery."""

    OPENED = "opened"
    CONFIRMED = "confirmed"
    HEALED_ON_READ = "healed-on-read"
    HEALED = "healed"
    GONE = "gone"


class Step(StrEnum):
    """Why a finding moved, or did not."""

    STILL_STALE = "a second read of the node was proven stale as well"
    REPLACED = "the node returned another value, which is not proven stale"
    EVICTED = "the node no longer holds the key"
    CERTIFIED = "the value that the node returned is certified fresh"
    REVERTED = "the origin went back to the value that the node holds"
    NO_WORD = "the node did not answer with a value"
    UNDECIDED = "the read neither proves nor clears"


@dataclass(frozen=True, slots=True)
class Case:
    """One copy that was proven stale: the value it held, and the longest staleness proven."""

    state: State
    held: Value
    lower: int
    upper: int | None

    @property
    def is_open(self) -> bool:
        """Whether the fault stands as far as anybody knows."""
        return self.state in (State.OPENED, State.CONFIRMED)


def open_case(held: Value, judgement: Judgement) -> Case:
    """The case that a proven read opens."""
    return Case(State.OPENED, held, judgement.bounds.lower, judgement.bounds.upper)


def next_case(
    case: Case, reading: Reading, judgement: Judgement | None, latest: Value | None = None
) -> tuple[Case, Step]:
    """What one more read of the same key at the same node makes of an open case.

    `latest` is the origin's last word: after a restore a copy may equal it, yet not be certified.
    """
    if reading.result is Result.MISS:
        return _healed(case), Step.EVICTED
    if reading.value is None or judgement is None:
        return case, Step.NO_WORD
    if judgement.verdict is Verdict.STALE:
        bounds = judgement.bounds
        longest = max(case.lower, bounds.lower)
        upper = bounds.upper if bounds.lower >= case.lower else case.upper
        return replace(
            case, state=State.CONFIRMED, held=reading.value, lower=longest, upper=upper
        ), Step.STILL_STALE
    if judgement.verdict is Verdict.FRESH:
        return _healed(case), Step.CERTIFIED
    if reading.value != case.held:
        return _healed(case), Step.REPLACED
    if latest is not None and reading.value.agrees_with(latest):
        return _healed(case), Step.REVERTED
    return case, Step.UNDECIDED


def _healed(case: Case) -> Case:
    on_read = case.state is State.OPENED
    return replace(case, state=State.HEALED_ON_READ if on_read else State.HEALED)
