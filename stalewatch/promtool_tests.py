"""Unit tests of the rule file of objectives, for `promtool test rules`.

Each alert is made to fire by series that are just bad enough for it, and is shown silent by others:
good events, a recovery, and absence, by which nothing begins to fire and nothing resolves.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, NamedTuple

from freshness.burn import ceiling
from stalewatch.prometheus_rules import (
    BURNS,
    LOST,
    SPENT,
    burn_alert,
    in_promql,
    lost_alert,
    pairs_of,
    spent_alert,
    stale_after_s,
    windows_of,
)
from store.objective_spec import Spec

EVERY_S: Final = 240
"""From one evaluation to the next: shorter than the 5 minutes in which Prometheus looks back."""
_SCRAPE_S: Final = 120
_LATER_S: Final = 20 * 60
"""For how long series are absent: `for` and the look-back have passed."""
_EVENTS: Final = 1_000_000
"""Judged events from scrape to scrape: enough for any low-volume floor."""
Alert = dict[str, Any]
Check = tuple[int, Mapping[str, Sequence[Alert]]]
"""When it is looked, and what fires then under each name."""


def test_file(specs: Sequence[Spec], rules: str) -> dict[str, Any]:
    """The file as plain values; `rules` is the path of the rule file, relative to it.

    All objectives stand in every test, since every rule is evaluated in each of them.
    """
    return {
        "rule_files": [rules],
        "evaluation_interval": in_promql(EVERY_S),
        "tests": list(_tests(specs)) if specs else [],
    }


class Run(NamedTuple):
    """The series of one objective: what is bad of a million events a scrape, and until when.

    `good_for_s` is how long it is good after that, `left` its budget, `watermark` where that begins
    and by how many seconds a scrape it moves.
    """

    bad: Fraction
    until_s: int
    good_for_s: int = 0
    left: int = 1
    watermark: str = "0+120"


def _tests(specs: Sequence[Spec]) -> Iterator[dict[str, Any]]:
    windows = [length_s for spec in specs for length_s in windows_of(spec)]
    full_s = max([*windows, _LATER_S]) + 2 * EVERY_S
    later_s = full_s + _LATER_S
    all_burn = [burn for spec in specs for burn in _burning(spec, ceiling(spec.objective))]
    lost = [lost_alert(spec) for spec in specs]

    quiet = [Run(Fraction(0), full_s) for _ in specs]
    told_later: Check = later_s, {LOST: lost}
    yield _test(
        "good events fire nothing, nor does absence", specs, quiet, (full_s, {}), told_later
    )
    for rates in _rates(specs):
        named = list(zip(specs, rates, strict=True))
        runs = [Run(rate * spec.objective.error_budget, full_s) for spec, rate in named]
        burns = [burn for spec, rate in named for burn in _burning(spec, rate)]
        said = ", ".join(f"{float(rate):g}" for rate in rates)
        words = f"a burn of {said} times what is allowed fires what has less as its threshold"
        yield _test(words, specs, runs, (full_s, {BURNS: burns}))
    worst = [Run(Fraction(1), full_s) for _ in specs]
    firing: Check = full_s, {BURNS: all_burn}
    frozen: Check = later_s, {BURNS: all_burn, LOST: lost}
    yield _test("absence resolves nothing, and is told", specs, worst, firing, frozen)
    short_s = max((pair.short_s for spec in specs for pair in pairs_of(spec)), default=0)
    good_for_s = short_s + 2 * EVERY_S
    healed = [run._replace(good_for_s=good_for_s) for run in worst]
    yield _test("a recovery resolves", specs, healed, (full_s + good_for_s, {}))
    spent = {SPENT: [spent_alert(spec) for spec in specs]}
    overspent = [Run(Fraction(0), _LATER_S, left=-1) for _ in specs]
    still: Check = 2 * _LATER_S, {**spent, LOST: lost}
    yield _test("a budget that is spent is told", specs, overspent, (_LATER_S, spent), still)
    at_s = _LATER_S + max(stale_after_s(spec) for spec in specs)
    stuck = [Run(Fraction(0), at_s, watermark="0+0") for _ in specs]
    yield _test("data that are too old are told", specs, stuck, (at_s, {LOST: lost}))


def _rates(specs: Sequence[Spec]) -> Iterator[list[Fraction]]:
    """Burn rates of all objectives such that each threshold lies between two of them once."""
    each = [_rates_of(spec) for spec in specs]
    for at in range(max(map(len, each), default=0)):
        yield [rates[min(at, len(rates) - 1)] for rates in each]


def _rates_of(spec: Spec) -> list[Fraction]:
    """For each threshold a burn rate between it and the next; nought where there is none."""
    thresholds = sorted({pair.threshold for pair in pairs_of(spec)})
    edges = [*thresholds, ceiling(spec.objective)]
    return [(low + high) / 2 for low, high in pairwise(edges)] or [Fraction(0)]


def _burning(spec: Spec, rate: Fraction) -> list[Alert]:
    return [burn_alert(spec, pair) for pair in pairs_of(spec) if pair.threshold < rate]


def _series(spec: Spec, run: Run) -> Iterator[dict[str, str]]:
    bad, until = float(run.bad * _EVENTS), run.until_s // _SCRAPE_S
    flat = run.good_for_s // _SCRAPE_S
    n = until + flat
    values = {
        "bad_events_total": f"0+{bad!r}x{until}" + (f" {bad * until!r}x{flat - 1}" if flat else ""),
        "events_total": f"0+{_EVENTS}x{n}",
        "has_data": f"1x{n}",
        "budget_remaining": f"{run.left}x{n}",
        "watermark_timestamp_seconds": f"{run.watermark}x{n}",
    }
    yield from (_one(spec, what, "", value) for what, value in values.items())
    yield from (
        _one(spec, "burn_rate", f',window="{length_s}"', f"1x{n}") for length_s in windows_of(spec)
    )


def _test(what: str, specs: Sequence[Spec], runs: Sequence[Run], *checked: Check) -> dict[str, Any]:
    checks = [
        {
            "eval_time": f"{at_s}s",
            "alertname": name,
            "exp_alerts": [_expected(each) for each in fire.get(name, ())],
        }
        for at_s, fire in checked
        for name in (BURNS, SPENT, LOST)
    ]
    series = [one for spec, run in zip(specs, runs, strict=True) for one in _series(spec, run)]
    return {
        "name": what,
        "interval": in_promql(_SCRAPE_S),
        "input_series": series,
        "alert_rule_test": checks,
    }


def _one(spec: Spec, what: str, more: str, values: str) -> dict[str, str]:
    name = f'stalewatch_objective_{what}{{objective="{spec.name}"{more},instance="sw:8080"}}'
    return {"series": name, "values": values}


def _expected(alert: Alert) -> dict[str, Any]:
    told = {name: text.replace('{{ "{{" }}', "{{") for name, text in alert["annotations"].items()}
    return {"exp_labels": alert["labels"], "exp_annotations": told}
