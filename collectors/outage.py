"""Whether a copy is stale alone, or its node is behind in everything that changed since."""

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from typing import NamedTuple

from freshness.causes import Neighbours
from freshness.ledger import Ledger
from freshness.runs import RunBook

BEFORE_ALL = -1


class _Fate(NamedTuple):
    """One other key: between which instants it took its new value, and whether the node has it.

    It changed after `after` for certain, and was seen to have by `seen`.
    """

    after: int
    seen: int
    is_current: bool


class Surroundings:
    """How the other keys of a node fare. `changed` names the keys that changed of late.

    `marks` are the instants by which the copies of open findings had been superseded, in order.
    """

    def __init__(self, runs: RunBook, changed: Callable[[], Sequence[str]]) -> None:
        self._runs = runs
        self._changed = changed
        self._marks: list[int] = []

    def note(self, mark: int | None) -> None:
        """A finding is open on a copy that had been superseded by then."""
        if mark is not None:
            insort(self._marks, mark)

    def forget(self, mark: int | None) -> None:
        """It is open no more."""
        at = bisect_right(self._marks, mark) - 1 if mark is not None else -1
        if at >= 0 and self._marks[at] == mark:
            del self._marks[at]

    def clear(self) -> None:
        """The clock began anew."""
        self._marks.clear()

    def neighbours(self, ledger: Ledger, key: str, mark: int | None) -> Neighbours:
        """The keys that changed since this one did, as far as the node was read after.

        A node may have been cut off before this key changed: where all that changed since an
        earlier open finding is behind, that is one outage.
        """
        others = self._others(ledger, key)
        newest_current = max((one.seen for one in others if one.is_current), default=BEFORE_ALL)
        first = bisect_right(self._marks, newest_current)
        if mark is not None and first < len(self._marks) and self._marks[first] <= mark:
            outage = _counted(others, self._marks[first])
            if outage.is_outage:
                return outage
        return _counted(others, mark or 0)

    def _others(self, ledger: Ledger, key: str) -> list[_Fate]:
        """Of each other key that the node was read for since its new value was seen."""
        found = []
        for other in self._changed():
            origin, copy = ledger.book.get(other), self._runs.get(other)
            if other == key or origin is None or origin.value is None:
                continue
            if copy is None or copy.value is None or copy.last_start < origin.first_end:
                continue
            after, is_current = ledger.changed_after(other), copy.value.agrees_with(origin.value)
            bound = BEFORE_ALL if after is None else after
            found.append(_Fate(bound, origin.first_end, is_current))
        return found


def _counted(others: Sequence[_Fate], since: int) -> Neighbours:
    """Those that were seen to change since then: behind, and current if they did so for certain.

    What the node took up before it was cut off may be seen at the origin only after that.
    """
    seen = [one for one in others if one.seen >= since]
    has = sum(one.is_current for one in seen)
    current = sum(one.is_current and one.after >= since for one in seen)
    return Neighbours(behind=len(seen) - has, current=current, unsure=has - current)
