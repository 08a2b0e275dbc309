"""What a random history may contain: each ingredient has a switch, and a strength once it is on."""

from dataclasses import dataclass
from random import Random

from freshness.model import Order

SWITCHES = {
    "lost": 0.5,
    "late": 0.35,
    "duplicate": 0.25,
    "own-write": 0.6,
    "time-out": 0.35,
    "never-committed": 0.2,
    "retry": 0.3,
    "replica": 0.35,
    "delete": 0.2,
    "incoherent": 0.7,
    "ahead": 0.2,
    "phantom": 0.1,
    "zero-length": 0.4,
    "long": 0.3,
    "second-clock": 0.2,
    "suspend": 0.15,
    "new-epoch": 0.1,
    "projections": 0.12,
    "restore": 0.12,
    "recreation": 0.12,
}
"""The probability that an ingredient is part of a history."""


@dataclass(frozen=True)
class Dials:
    """The ingredients of one history; a strength of 0 is an ingredient that is switched off."""

    order: Order
    digests: bool
    """Values carry no version, only a projection."""
    recurs: bool
    """Digests may come back; False promises the judge that they do not."""
    strength: dict[str, float]
    horizon: int
    """Ticks from the first read to the last; a short one makes ties and overlaps common."""

    def names(self) -> list[str]:
        """The ingredients that are switched on, the kind of value first."""
        kind = ("digests" if self.recurs else "digests-unique") if self.digests else self.order
        return [str(kind), *(name for name, p in self.strength.items() if p)]


def draw_dials(rng: Random, focus: frozenset[str] = frozenset()) -> Dials:
    """The ingredients of one history, drawn at random; those in `focus` are always among them."""
    on = {name: rng.random() < p or name in focus for name, p in SWITCHES.items()}
    digests = "digests" in focus or (not focus and rng.random() < 0.15)
    monotone = "monotone" in focus or (not focus and not digests and rng.random() < 0.2)
    if digests or monotone:
        on["restore"] = on["recreation"] = on["phantom"] = on["never-committed"] = False
    if digests:
        on["projections"] = False
    return Dials(
        order=Order.MONOTONE if monotone else Order.COUNTER,
        digests=digests,
        recurs=not digests or rng.random() < 0.7,
        strength={
            name: rng.choice((0.1, 0.3, 0.6, 1.0)) if is_on else 0.0 for name, is_on in on.items()
        },
        horizon=rng.choice((12, 30, 100, 1000)),
    )
