"""What an objective's windows say becomes alerts: a severity each, and a budget that is spent."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from alerts.look import Condition, Look
from alerts.rules import BurnRate
from freshness.burn import Decision, Severity, fit
from freshness.counts import Counts, count_events
from freshness.series import Place
from freshness.status import At, BudgetStatus, ErrorBudget
from freshness.track import Track
from freshness.window import Window
from store.sqlite import SqliteStore
from tests.freshness.budgets import DAY, HOUR, N1, always, objective, steady
from tests.store.rows import S

NOW = 28 * DAY
OBJECTIVE = objective("0.99")
CLEAN = count_events(good=100)
RULE = BurnRate(name="burn", objective="fresh", pairs=fit(OBJECTIVE).pairs, standing=lambda _: None)
PAGE = {"objective": "fresh", "severity": "page", "condition": "burning"}
TICKET = {"objective": "fresh", "severity": "ticket", "condition": "burning"}
SPENT = {"objective": "fresh", "severity": "ticket", "condition": "spent"}


def status(
    bad: Counts | None = None, for_s: int = 0, ago_s: int = 0, late_s: int = 0
) -> BudgetStatus:
    """28 clean days, but for `for_s` seconds of `bad` that ended `ago_s` ago."""
    cells = dict(steady(CLEAN, NOW - 28 * DAY, NOW))
    if bad is not None:
        cells |= steady(bad, NOW - ago_s - for_s, NOW - ago_s)
    series: dict[Place, dict[int, Counts]] = {N1: cells}
    budget = ErrorBudget(OBJECTIVE, Track(OBJECTIVE, series), always(N1))
    return budget.status(At(NOW, NOW + late_s))


def judged(found: BudgetStatus | None) -> dict[str, Look]:
    looks = RULE.judge(found, NOW * S)
    return {f"{each.labels['severity']} {each.labels['condition']}": each for each in looks}


BURNING = count_events(good=20, bad=80)


@pytest.mark.parametrize(
    ("found", "page", "ticket", "spent"),
    [
        pytest.param(status, "clear", "clear", "clear", id="clean"),
        pytest.param(lambda: None, "unknown", "unknown", "unknown", id="not measured yet"),
        pytest.param(
            lambda: status(BURNING, 1_800), "holds", "clear", "clear", id="a burn that goes on"
        ),
        pytest.param(
            lambda: status(BURNING, 1_800, 7 * HOUR), "clear", "clear", "clear", id="over for hours"
        ),
        pytest.param(
            lambda: status(count_events(good=95, bad=5), DAY),
            "clear",
            "holds",
            "clear",
            id="a slow burn",
        ),
        pytest.param(
            lambda: status(BURNING, 9 * HOUR, 4 * DAY),
            "clear",
            "clear",
            "holds",
            id="a spent budget",
        ),
        pytest.param(
            lambda: status(BURNING, 1_800, late_s=301),
            "unknown",
            "unknown",
            "unknown",
            id="stale data",
        ),
    ],
)
def test_the_conditions(
    found: Callable[[], BudgetStatus | None], page: str, ticket: str, spent: str
) -> None:
    looks = judged(found())
    got = [looks[each].condition for each in ("page burning", "ticket burning", "ticket spent")]
    assert got == [page, ticket, spent]


def test_too_few_samples_are_told_and_do_not_fire() -> None:
    few = count_events(good=0, bad=1)
    cells = {NOW - 60: few, NOW - 120: few}
    listing = {N1: [Window(NOW - 120, NOW + DAY)]}
    budget = ErrorBudget(OBJECTIVE, Track(OBJECTIVE, {N1: cells}), listing)
    look = judged(budget.status(At(NOW, NOW)))["page burning"]
    assert look.condition is Condition.EASED
    assert "insufficient-samples" in look.summary


def test_a_firing_window_outweighs_one_without_data() -> None:
    found = status(BURNING, 1_800)
    lost = replace(found, burns=(found.burns[0], *_frozen(found)))
    assert judged(lost)["page burning"].condition is Condition.HOLDS
    assert judged(replace(found, burns=_frozen(found)))["page burning"].condition is (
        Condition.UNKNOWN
    )


def _frozen(found: BudgetStatus) -> tuple[Decision, ...]:
    stale = status(BURNING, 1_800, late_s=301)
    assert len(stale.burns) == len(found.burns)
    return stale.burns[1:]


def test_labels_value_and_evidence() -> None:
    look = judged(status(BURNING, 1_800))["page burning"]
    assert look.labels == PAGE
    assert look.value == pytest.approx(40, abs=1)
    assert look.summary.startswith("fresh: burn rates over 1 h and 5 min are 40 and 80, 14.4 is")
    assert look.figures["target"] == "99%"
    assert [each.labels for each in RULE.judge(None, NOW * S)] == [PAGE, TICKET, SPENT]


def test_severities_that_are_left_out_have_no_look() -> None:
    rule = replace(RULE, severities=(Severity.PAGE,), tells_spent=False)
    assert [each.labels for each in rule.judge(None, NOW * S)] == [PAGE]
    tickets = [each for each in RULE.pairs if each.severity is Severity.TICKET]
    assert len(replace(RULE, pairs=tickets).judge(None, NOW * S)) == 2


def test_it_asks_how_the_objective_stands_at_the_instant() -> None:
    asked: list[int] = []

    def standing(now_ns: int) -> BudgetStatus | None:
        asked.append(now_ns)
        return status(BURNING, 1_800)

    store = SqliteStore(":memory:")
    looks = replace(RULE, standing=standing).look(store, NOW * S)
    store.close()
    assert (asked, looks[0].condition) == ([NOW * S], Condition.HOLDS)


def test_it_says_when_it_fires() -> None:
    rule = replace(RULE, severities=(Severity.PAGE,), spent_limit=Fraction(1, 2))
    assert rule.in_words() == (
        "Fires when the error budget of fresh is spent 14.4 times as fast as it may over 1 h and"
        " 5 min, or 6 times as fast as it may over 6 h and 30 min or 50% of it is spent."
    )
