"""Every declared objective has a burn rule, by its own pairs of windows."""

from dataclasses import dataclass
from fractions import Fraction

from alerts.look import Condition
from freshness.burn import Severity, WindowPair
from freshness.objective import Objective
from freshness.status import BudgetStatus, Rules
from stalewatch.burn_rules import burn_rules
from tests.freshness.budgets import objective


@dataclass(frozen=True)
class Declared:
    """As a config declares it."""

    name: str
    objective: Objective
    rules: Rules


OWN = WindowPair(7_200, 600, Fraction(2), Severity.TICKET)


def test_each_objective_has_one_in_mode_observe() -> None:
    asked: list[tuple[str, int]] = []

    def standing_of(name: str, now_ns: int) -> BudgetStatus | None:
        asked.append((name, now_ns))
        return None

    declared = [
        Declared("fresh", objective("0.99"), Rules()),
        Declared("loose", objective("0.9"), Rules(spent_limit=Fraction(1, 2))),
        Declared("own", objective("0.99"), Rules(pairs=(OWN,))),
    ]
    fresh, loose, own = burn_rules(declared, standing_of)
    assert [(each.name, each.mode) for each in (fresh, loose, own)] == [
        ("burn-rate:fresh", "observe"),
        ("burn-rate:loose", "observe"),
        ("burn-rate:own", "observe"),
    ]
    assert len(fresh.pairs) == 4
    # At 90 % everything being bad burns at 10: 14.4 can never be, and drops out.
    assert [float(pair.threshold) for pair in loose.pairs] == [6, 3, 1]
    assert loose.spent_limit == Fraction(1, 2)
    assert own.pairs == (OWN,)
    looks = own.judge(own.standing(7), 7)
    assert asked == [("own", 7)]
    assert {look.condition for look in looks} == {Condition.UNKNOWN}
