"""Who spent the budget: shares of what was bad, by key, node, layer or publisher.

Shares add up to the whole, exactly: what no part explains is a part of its own, with a name. It is
signed. More bad parts than bad events (evidence that took some back has not reached all) shows as a
negative remainder, and is not hidden by scaling.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Generic, NamedTuple, TypeVar

Name = TypeVar("Name", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)


ROUNDING: Final = Fraction(1, 10**9)


class Amount(NamedTuple):
    """How much was bad, as a share of all that was, and of the window's budget."""

    bad: Fraction
    share: Fraction
    spent: Fraction


@dataclass(frozen=True, slots=True)
class Attribution(Generic[Name]):
    """The worst parts, worst first; the `others` named, together; what nobody is named for."""

    whole: Amount
    worst: tuple[tuple[Name, Amount], ...]
    others: Amount
    unattributed: Amount

    @property
    def is_whole(self) -> bool:
        """Whether somebody is named for all of it, but for what sums of doubles round off."""
        return abs(self.unattributed.share) < ROUNDING


def attribute(
    spent: Fraction, bad: float, parts: Mapping[Name, float], most: int = 10
) -> Attribution[Name]:
    """Shares of `bad` by what each part had of it; `spent` is the budget that all of it took.

    Parts that nothing was bad of are left out. Ties are in order of their names as text.
    """
    whole = Fraction(bad)
    exact = {name: Fraction(part) for name, part in parts.items() if part}
    ordered = sorted(exact, key=lambda name: (-exact[name], str(name)))

    def amount(part: Fraction) -> Amount:
        share = part / whole if whole else Fraction(0)
        return Amount(part, share, share * spent)

    return Attribution(
        amount(whole),
        tuple((name, amount(exact[name])) for name in ordered[:most]),
        amount(sum((exact[name] for name in ordered[most:]), Fraction(0))),
        amount(whole - sum(exact.values(), Fraction(0))),
    )


def regroup(parts: Mapping[Name, float], name: Callable[[Name], Other]) -> dict[Other, float]:
    """Parts put together under coarser names: places by layer, say."""
    groups: defaultdict[Other, float] = defaultdict(float)
    for part, bad in parts.items():
        groups[name(part)] += bad
    return dict(groups)
