"""The burn rules of objectives: those that are written, and one for each that has none."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from alerts.rules import BurnRate
from freshness.burn import fit
from freshness.objective import Objective
from freshness.status import BudgetStatus, Rules
from store.objective_history import Bucket

StandingOf = Callable[[str, int], BudgetStatus | None]
"""(name of an objective, now) → how it stands; None where it was not looked at yet."""

RecentOf = Callable[[str, int, int | None, int], Sequence[Bucket]]
"""(name, now, seconds or None, most buckets) → the newest past of an objective."""


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


def nothing_kept(_: str, __: int, ___: int | None, ____: int) -> Sequence[Bucket]:
    """The past of an objective where nobody measures any."""
    return ()


def burn_rules(
    declared: Iterable[Declared], standing_of: StandingOf, recent_of: RecentOf = nothing_kept
) -> Iterator[BurnRate]:
    """One for each objective, shown and told to nobody; no name in a config holds a colon."""
    for each in declared:
        yield burn_rule(each, standing_of, recent_of, name=f"burn-rate:{each.name}")


def burn_rule(
    declared: Declared, standing_of: StandingOf, recent_of: RecentOf, **more: Any
) -> BurnRate:
    """The rule of one; `fit` leaves out pairs of windows that can never fire for its target."""
    return BurnRate(
        objective=declared.name,
        pairs=fit(declared.objective, declared.rules.pairs).pairs,
        spent_limit=declared.rules.spent_limit,
        standing=partial(standing_of, declared.name),
        recent=partial(recent_of, declared.name),
        **more,
    )
