"""Whether a copy is stale alone, or its node is behind in everything that changed since."""

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence

from freshness.causes import Neighbours
from freshness.ledger import Ledger
from freshness.runs import RunBook

BEFORE_ALL = -1


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
        newest_current = max((at for at, is_current in others if is_current), default=BEFORE_ALL)
        first = bisect_right(self._marks, newest_current)
        if mark is not None and first < len(self._marks) and self._marks[first] <= mark:
            outage = _counted(others, self._marks[first])
            if outage.is_outage:
                return outage
        return _counted(others, mark or 0)

    def _others(self, ledger: Ledger, key: str) -> list[tuple[int, bool]]:
        """Of each other key: when its new value was seen, and whether the node has it."""
        found = []
        for other in self._changed():
            origin, copy = ledger.book.get(other), self._runs.get(other)
            if other == key or origin is None or origin.value is None:
                continue
            if copy is None or copy.value is None or copy.last_start < origin.first_end:
                continue
            found.append((origin.first_end, copy.value.agrees_with(origin.value)))
        return found


def _counted(others: Sequence[tuple[int, bool]], since: int) -> Neighbours:
    fates = [is_current for at, is_current in others if at >= since]
    return Neighbours(behind=len(fates) - sum(fates), current=sum(fates))
