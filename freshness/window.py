"""Windows over a series of cells: the difference of two cumulative sums, whatever their length."""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

from freshness.rollup import Rollup


class Cumulative:
    """One series, as the sums of all its cells up to each bucket.

    Cells are as `rollup.fold` leaves them (to Grain.MINUTE too): it counts their clusters.
    """

    def __init__(self, cells: Mapping[int, Rollup]) -> None:
        """From cells by the Unix second at which their buckets begin."""
        self._starts = sorted(cells)
        ordered = (cells[start] for start in self._starts)
        # _sums[i] holds the cells before _starts[i]; the last entry holds them all.
        self._sums = list(accumulate(ordered, initial=Rollup()))

    def window(self, since_s: int, until_s: int) -> Rollup:
        """The sum of the cells whose buckets begin in [since, until)."""
        return self._before(max(since_s, until_s)) - self._before(since_s)

    def add(self, start_s: int, delta: Rollup) -> None:
        """Add a cell or a late delta: every later sum grows by it."""
        at = bisect_left(self._starts, start_s)
        if at == len(self._starts) or self._starts[at] != start_s:
            self._starts.insert(at, start_s)
            self._sums.insert(at, self._sums[at])
        self._sums[at + 1 :] = [total + delta for total in self._sums[at + 1 :]]

    def _before(self, instant_s: int) -> Rollup:
        return self._sums[bisect_left(self._starts, instant_s)]
