"""Objectives as they stand, for the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dashboard.address import Address
from dashboard.site import Site
from freshness.burn import Decision
from store.objective_blame import Blame
from store.objective_history import Bucket
from store.objectives import Standing

BUCKETS = 28


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective with the buckets of its window, and who spent its budget where asked for."""

    standing: Standing
    history: Sequence[Bucket]
    blame: Blame | None
    now_ns: int

    @property
    def burning(self) -> Decision | None:
        """The pair of windows that burns most of what it may, of those with data."""
        status = self.standing.status
        told = [each for each in (status.burns if status else ()) if each.long.rate is not None]
        told = [each for each in told if not each.is_frozen]
        return max(told, key=_pressure, default=None)


def _pressure(decision: Decision) -> Fraction:
    rates = (decision.long.rate or Fraction(0), decision.short.rate or Fraction(0))
    return min(rates) / decision.pair.threshold


def all_objectives(site: Site, address: Address, now_ns: int) -> list[ObjectiveView]:
    """Those of the keyspace and layer that are asked for, in the order of the config."""
    found = site.objectives.statuses(now_ns)
    wanted = [each for each in found if _is_asked(each, address)]
    return [
        ObjectiveView(each, site.objectives.history(each.spec.name, now_ns, BUCKETS), None, now_ns)
        for each in wanted
    ]


def one_objective(site: Site, name: str, now_ns: int) -> ObjectiveView | None:
    """One of them, whatever the filters. Raises StoreError."""
    standing = site.objectives.status(name, now_ns)
    if standing is None:
        return None
    history = site.objectives.history(name, now_ns, 4 * BUCKETS)
    return ObjectiveView(standing, history, site.objectives.attribution(name, now_ns), now_ns)


def _is_asked(standing: Standing, address: Address) -> bool:
    placement = standing.spec.placement
    if address.only_keyspace is not None and address.only_keyspace not in placement:
        return False
    layers = {layer for placed in placement.values() for layer in placed}
    return address.layer is None or address.layer in layers
