"""The rules that every declared objective has without being asked for: its burns, observed."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

from alerts.rules import BurnRate
from freshness.burn import fit
from freshness.objective import Objective
from freshness.status import BudgetStatus, Rules

StandingOf = Callable[[str, int], BudgetStatus | None]
"""(name of an objective, now) → how it stands; None where it was not looked at yet."""


class Declared(Protocol):
    """An objective of a config."""

    @property
    def name(self) -> str:
        """As it is called in the config file."""
        ...

    @property
    def objective(self) -> Objective:
        """What is promised."""
        ...

    @property
    def rules(self) -> Rules:
        """By which windows it is watched, and on what they are believed."""
        ...


def burn_rules(declared: Iterable[Declared], standing_of: StandingOf) -> Iterator[BurnRate]:
    """One for each objective, shown and told to nobody; no name in a config holds a colon.

    Pairs of windows that can never fire for its target are left out by `fit`.
    """
    for each in declared:
        yield BurnRate(
            name=f"burn-rate:{each.name}",
            objective=each.name,
            pairs=fit(each.objective, each.rules.pairs).pairs,
            spent_limit=each.rules.spent_limit,
            standing=partial(standing_of, each.name),
        )
