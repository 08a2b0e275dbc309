"""How much a read of each key weighs, from the traffic of the key and how it is drawn.

Sources: Horvitz and Thompson (1952) for weights of inverse inclusion probability; Hajek (1971) for
their ratio; Veach and Guibas (1995) for pooling several ways of drawing by the sum of their
probabilities, which bounds every weight by what the way that suits a key best would give it.
"""

from collections.abc import Mapping, Sequence
from math import expm1, log1p
from typing import NamedTuple


class Traffic(NamedTuple):
    """Traffic of keys in any unit, zero or above.

    `other` is what a key that is not among them has; None is the least that any of them has above
    zero: a list of the busiest keys says of all others that they are no busier.
    """

    weights: Mapping[str, float]
    other: float | None = None


class Drawing(NamedTuple):
    """How a round draws keys: `share` of them all alike, and `draws` in proportion to traffic.

    The draws are with replacement; a key that is drawn twice is read once.
    """

    share: float
    draws: int


class Weighing(NamedTuple):
    """What a read of each key weighs; the weights of the reads of a round are 1 on average."""

    by_key: Mapping[str, float]
    other: float

    def of(self, keys: Sequence[str]) -> list[float]:
        """The weights of some keys, in their order."""
        get, other = self.by_key.get, self.other
        return [get(key, other) for key in keys]


def known_traffic(traffic: Traffic, keys: Sequence[str]) -> Mapping[str, float]:
    """The traffic of those of the keys that have any; empty where nothing is known of them."""
    get = traffic.weights.get
    known = {key: weight for key in keys if (weight := get(key)) is not None}
    return known if any(weight > 0 for weight in known.values()) else {}


def weigh(traffic: Traffic, keys: Sequence[str], drawing: Drawing) -> Weighing | None:
    """What a read of each of the listed keys weighs; None where no traffic of theirs is known."""
    known = known_traffic(traffic, keys)
    if not known:
        return None
    in_known = sum(known.values())
    others = len(keys) - len(known)
    other = traffic.other
    if other is None:
        other = min(weight for weight in known.values() if weight > 0)
    probabilities = {
        key: either(drawing.share, drawn_at_all(weight / in_known, drawing.draws))
        for key, weight in known.items()
    }
    reads = sum(probabilities.values()) + others * drawing.share
    whole = in_known + others * other
    by_key = {key: known[key] / whole * reads / probabilities[key] for key in known}
    return Weighing(by_key, other / whole * reads / drawing.share)


def drawn_at_all(probability: float, draws: int) -> float:
    """The probability that one of several independent draws is of a key."""
    if draws == 0:
        return 0.0
    return 1.0 if probability >= 1.0 else -expm1(draws * log1p(-probability))


def either(one: float, other: float) -> float:
    """The probability of one or both of two independent events."""
    return one + other - one * other
