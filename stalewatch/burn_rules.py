"""The burn rules of objectives: those that are written, and one for each that has none."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

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


def not_measured(_: str, __: int) -> None:
    """How objectives stand where nobody measures them."""


def burn_rules(declared: Iterable[Declared], standing_of: StandingOf) -> Iterator[BurnRate]:
    """One for each objective, shown and told to nobody; no name in a config holds a colon."""
    for each in declared:
        yield burn_rule(each, standing_of, name=f"burn-rate:{each.name}")


def burn_rule(declared: Declared, standing_of: StandingOf, **more: Any) -> BurnRate:
    """The rule of one; `fit` leaves out pairs of windows that can never fire for its target."""
    return BurnRate(
        objective=declared.name,
        pairs=fit(declared.objective, declared.rules.pairs).pairs,
        spent_limit=declared.rules.spent_limit,
        standing=partial(standing_of, declared.name),
        **more,
    )
