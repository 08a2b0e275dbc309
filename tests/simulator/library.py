"""Drives the judge of the library."""

from collections.abc import Sequence

from freshness.epochs import Epochs
from freshness.evidence import Evidence
from freshness.model import Judgement, Order
from tests.simulator.check import Tally, check_world
from tests.simulator.world import Read, build_world


class LibraryJudge:
    """`freshness.epochs` as the simulator sees it."""

    def __init__(self, order: Order, evidence: Sequence[Evidence], recurs: bool) -> None:
        self._epochs = Epochs(order, evidence, recurs)

    def judge(self, read: Read, max_staleness: int) -> Judgement:
        """The verdict on one cache read."""
        return self._epochs.judge(read.value, read.start, read.end, max_staleness)


def run_seeds(seeds: range, focus: frozenset[str] = frozenset()) -> Tally:
    """Draw the history of every seed and try the library's judge on it."""
    tally = Tally()
    for seed in seeds:
        check_world(build_world(seed, focus), LibraryJudge, tally)
    return tally
