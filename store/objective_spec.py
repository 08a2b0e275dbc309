"""What an objective is measured of, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshness.objective import Measure, Objective
from freshness.rollup import SAMPLED, SWEPT
from freshness.series import Place
from freshness.status import Rules


@dataclass(frozen=True, slots=True)
class Spec:
    """One objective. `placement` has the layers of each keyspace that it is of.

    `max_staleness_ns` is None where each layer's own counts; `settles_s` is how long an event may
    stay undecided by its nature (the limit of a message). The newest `minutes_s` are read by the
    minute, what is older by the hour.
    """

    name: str
    objective: Objective
    placement: Mapping[str, frozenset[str]]
    region: str | None = None
    owners: Mapping[str, str] = field(default_factory=dict)
    max_staleness_ns: int | None = None
    settles_s: int = 0
    time_zone: str = "UTC"
    minutes_s: int = 2 * 86_400
    description: str = ""
    runbook: str = ""
    rules: Rules = field(default_factory=Rules)

    @property
    def measure(self) -> Measure:
        """Its indicator."""
        return self.objective.measure

    @property
    def stratum(self) -> str:
        """Which reads of the roll-ups it counts, where it counts reads."""
        return SWEPT if self.measure is Measure.RESIDENT else SAMPLED

    @property
    def layers(self) -> frozenset[str]:
        """Those of all of its keyspaces."""
        return frozenset().union(*self.placement.values())

    @property
    def owner(self) -> str:
        """Who answers for it, where that is one."""
        named = {owner for owner in self.owners.values() if owner}
        return named.pop() if len(named) == 1 else ""

    def covers(self, place: Place, regions: Mapping[tuple[str, str], str]) -> bool:
        """Whether a place is one of its own; a node of an unknown region is of none."""
        if place.layer not in self.placement.get(place.keyspace, ()):
            return False
        return self.region is None or regions.get((place.layer, place.node)) == self.region
