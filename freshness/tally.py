"""What an objective counted since its measuring began here, as totals that never fall.

For whoever keeps counters and takes their increase: a verdict that is taken back cannot lower a
counter, so as many of the next ones are left out of it.
"""

from operator import add
from typing import Final, NamedTuple

from freshness.counts import Counts


class Total(NamedTuple):
    """Weights of what a budget is spent on: events, or slices. `judged` is n, with open ones."""

    good: float = 0.0
    bad: float = 0.0
    judged: float = 0.0


NONE: Final = Total()


class Tally(NamedTuple):
    """`net` is what holds now; `told` the most that it ever was, each by itself."""

    net: Total = NONE
    told: Total = NONE

    def plus(self, delta: Counts) -> "Tally":
        """With what came, or was taken back, since."""
        grown = delta.good_weight, delta.bad_weight, delta.judged_weight
        net = Total(*map(add, self.net, grown))
        return Tally(net, Total(*map(max, self.told, net)))
