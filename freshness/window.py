"""Windows over a series of counts: the difference of two cumulative sums, whatever their length.

Plain arrays of doubles, a row of sums an entry: 96 bytes a cell and two look-ups a window.
"""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import sub
from typing import Final, NamedTuple

from freshness.counts import NOTHING, Counts

_WIDTH: Final = len(NOTHING)
_OBSERVED: Final = Counts._fields.index("observed")


class Window(NamedTuple):
    """[since, until) in Unix seconds."""

    since_s: int
    until_s: int

    @property
    def length_s(self) -> int:
        """Its length; 0 where it ends before it begins."""
        return max(0, self.until_s - self.since_s)

    def within(self, other: "Window") -> "Window":
        """What it has in common with another."""
        return Window(max(self.since_s, other.since_s), min(self.until_s, other.until_s))


class Cumulative:
    """One series, as the sums of all its cells up to each bucket.

    A cell counts by the instant at which its bucket begins. Cells are whole: their clusters are
    counted, as `freshness.series` leaves them.
    """

    __slots__ = ("_starts", "_sums")

    def __init__(self, cells: Mapping[int, Counts]) -> None:
        """From cells by the Unix second at which their buckets begin."""
        self._starts = array("q", sorted(cells))
        # Row i holds the cells before _starts[i]; the last row holds them all.
        total = list(NOTHING)
        self._sums = array("d", total)
        for start in self._starts:
            total = [before + here for before, here in zip(total, cells[start], strict=True)]
            self._sums.extend(total)

    @property
    def starts(self) -> Sequence[int]:
        """Where cells begin, in order; not to be written to."""
        return self._starts

    def window(self, window: Window) -> Counts:
        """The sum of the cells whose buckets begin in [since, until)."""
        first, last = self._rows(window)
        if first == last:
            return NOTHING
        first, last, sums = first * _WIDTH, last * _WIDTH, self._sums
        row = map(sub, sums[last : last + _WIDTH], sums[first : first + _WIDTH])
        return _as_counts(*row)

    def observed(self, window: Window) -> int:
        """How many of its slices were measured."""
        first, last = self._rows(window)
        at, sums = _OBSERVED, self._sums
        return int(sums[last * _WIDTH + at] - sums[first * _WIDTH + at])

    def sums(self, field: str) -> Sequence[float]:
        """One field's sums: entry i is of the cells before the i-th start, the last one of all."""
        return self._sums[Counts._fields.index(field) :: _WIDTH]

    def cell(self, start_s: int) -> Counts:
        """The cell that begins at an instant."""
        return self.window(Window(start_s, start_s + 1))

    def put(self, start_s: int, cell: Counts) -> Counts:
        """Replace a cell by what it is now; what it changed by."""
        delta = cell.minus(self.cell(start_s))
        self.add(start_s, delta)
        return delta

    def add(self, start_s: int, delta: Counts) -> None:
        """Add a cell or a late delta: every later sum grows by it."""
        at = bisect_left(self._starts, start_s)
        if at == len(self._starts) or self._starts[at] != start_s:
            self._starts.insert(at, start_s)
            row = at * _WIDTH
            self._sums[row:row] = self._sums[row : row + _WIDTH]
        sums, first = self._sums, (at + 1) * _WIDTH
        for column, amount in enumerate(delta):
            if amount:
                for place in range(first + column, len(sums), _WIDTH):
                    sums[place] += amount

    def _rows(self, window: Window) -> tuple[int, int]:
        first = bisect_left(self._starts, window.since_s)
        return first, max(first, bisect_left(self._starts, window.until_s))


def _as_counts(*sums: float) -> Counts:
    return Counts(*map(int, sums[:5]), *sums[5:-1])._replace(observed=int(sums[-1]))
