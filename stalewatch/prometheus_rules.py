"""From objectives to a rule file of Prometheus: burn rates of their windows, and alerts on them.

Events come from the counters of `/metrics`, so that Prometheus keeps windows of its own; whether a
window was measured comes from Stalewatch, which knows what was to be read. A window that was not
measured has no burn rate: it fires nothing, and what fires by it goes on firing. Nor has one that
began before Prometheus knew the counter; a gap within it is bridged, as counters are.
Sources: Site Reliability Workbook, ch. 5; Prometheus, "Recording rules" (level:metric:operations).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from freshness.burn import WindowPair, fit
from store.objective_spec import Spec

BURNS, SPENT, LOST = "StalewatchBurnRate", "StalewatchBudgetSpent", "StalewatchMeasurementLost"
"""The alerts, by the names that they have in Prometheus."""
EVERY: Final = "1m"
LOST_FOR: Final = "5m"
_UNITS_S: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
Rule = dict[str, Any]


def rule_file(specs: Iterable[Spec]) -> dict[str, Any]:
    """The file as plain values, a group an objective."""
    return {"groups": [_group(spec) for spec in specs]}


def pairs_of(spec: Spec) -> Sequence[WindowPair]:
    """The pairs of windows that an objective is watched by, each once."""
    return list(dict.fromkeys(fit(spec.objective, spec.rules.pairs).pairs))


def windows_of(spec: Spec) -> Sequence[int]:
    """Their windows in seconds, each once, the shortest first."""
    return sorted({length_s for pair in pairs_of(spec) for length_s in (pair.long_s, pair.short_s)})


def burn_alert(spec: Spec, pair: WindowPair) -> Rule:
    """What a pair fires as: the labels and annotations of its alert."""
    long, short, burn = (
        in_promql(pair.long_s),
        in_promql(pair.short_s),
        f"{float(pair.threshold):g}",
    )
    labels = {"severity": pair.severity.value, "long_window": long, "short_window": short}
    summary = f"{spec.name} burns its error budget more than {burn} times as fast as allowed"
    said = f"Over the last {long}, and over the last {short} still."
    return {
        "labels": {"objective": spec.name, **labels, "burn_rate": burn},
        "annotations": _annotations(spec, summary, said),
    }


def spent_alert(spec: Spec) -> Rule:
    """The same of a budget that is spent."""
    summary = f"{spec.name} has spent {float(spec.rules.spent_limit * 100):g}% of its error budget"
    return {
        "labels": {"objective": spec.name, "severity": "ticket"},
        "annotations": _annotations(spec, summary, "Of its whole window, however slowly."),
    }


def lost_alert(spec: Spec) -> Rule:
    """The same of an objective that is not measured."""
    summary = f"{spec.name} is not measured: its other alerts neither fire nor resolve"
    return {
        "labels": {"objective": spec.name, "severity": "ticket"},
        "annotations": _annotations(spec, summary, "No data, data too old, or nothing scraped."),
    }


def stale_after_s(spec: Spec) -> int:
    """How far the watermark may lie behind before nothing is concluded any more."""
    return max(spec.rules.stale_after_s, 2 * spec.objective.slice_s)


def in_promql(length_s: int) -> str:
    """A length of time in one unit: `90m`, `6h`, `3d`."""
    unit, size_s = next(each for each in _UNITS_S if length_s % each[1] == 0)
    return f"{length_s // size_s}{unit}"


def least_bad(spec: Spec) -> float:
    """Fewer bad events are too few; between two whole numbers, since increases are extrapolated."""
    return spec.rules.low_volume.least_bad - 0.5


def _group(spec: Spec) -> dict[str, Any]:
    records = [rule for length_s in windows_of(spec) for rule in _records(spec, length_s)]
    alerts = [_burns(spec, pair) for pair in pairs_of(spec)]
    name = f"stalewatch:{spec.name}"
    return {
        "name": name,
        "interval": EVERY,
        "rules": [*records, *alerts, _spent(spec), _lost(spec)],
    }


def _records(spec: Spec, length_s: int) -> Sequence[Rule]:
    """The share of bad events in a window, and how fast that burns the budget."""
    of, window = _of(spec), in_promql(length_s)
    events = f"stalewatch_objective_events_total{{{of}}}"
    measured = f'stalewatch_objective_burn_rate{{{of},window="{length_s}"}}'
    ratio = (
        f"{_bad(spec, length_s)}\n"
        f"/ (sum by (objective) (increase({events}[{window}])) > 0)\n"
        f"and on (objective) {measured}\n"
        f"and on (objective) {events} offset {window}\n"
    )
    budget = float(spec.objective.error_budget)
    burn = f"{_ratio_name(length_s)}{{{of}}} / {budget!r}\n"
    labels = {"objective": spec.name}
    return (
        {"record": _ratio_name(length_s), "expr": ratio, "labels": labels},
        {"record": burn_name(length_s), "expr": burn, "labels": labels},
    )


def _burns(spec: Spec, pair: WindowPair) -> Rule:
    of, most = _of(spec), f"{float(pair.threshold)!r}"
    long, short = (f"{burn_name(each)}{{{of}}}" for each in (pair.long_s, pair.short_s))
    told = burn_alert(spec, pair)
    expr = (
        f"(\n  {long} > {most}\n  and on (objective) {short} > {most}\n"
        f"  and on (objective) {_bad(spec, pair.long_s)} > {least_bad(spec):g}\n)\n"
        f"or on (objective) (\n  {_firing(BURNS, told['labels'])}\n"
        f"  unless on (objective) ({long} and on (objective) {short})\n)\n"
    )
    return _alert(BURNS, expr, told)


def _spent(spec: Spec) -> Rule:
    left = f"min by (objective) (stalewatch_objective_budget_remaining{{{_of(spec)}}})"
    told = spent_alert(spec)
    most = float(1 - spec.rules.spent_limit)
    expr = (
        f"{left} <= {most!r}\nor on (objective) (\n  {_firing(SPENT, told['labels'])}\n"
        f"  unless on (objective) {left}\n)\n"
    )
    return _alert(SPENT, expr, told)


def _lost(spec: Spec) -> Rule:
    of = _of(spec)
    newest = f"max by (objective) (stalewatch_objective_watermark_timestamp_seconds{{{of}}})"
    expr = (
        f"absent(stalewatch_objective_has_data{{{of}}})\n"
        f"or on (objective) max by (objective) (stalewatch_objective_has_data{{{of}}}) == 0\n"
        f"or on (objective) time() - {newest} > {stale_after_s(spec)}\n"
    )
    return {**_alert(LOST, expr, lost_alert(spec)), "for": LOST_FOR}


def _alert(name: str, expr: str, told: Rule) -> Rule:
    return {"alert": name, "expr": expr, **told}


def _firing(name: str, labels: dict[str, str]) -> str:
    """The alert itself as it stood at the evaluation before, 1 where it fired."""
    given = {"alertname": name, "alertstate": "firing", **labels}
    chosen = ",".join(f'{label}="{value}"' for label, value in given.items())
    return f"max by (objective) (ALERTS{{{chosen}}})"


def _bad(spec: Spec, length_s: int) -> str:
    counter = f"stalewatch_objective_bad_events_total{{{_of(spec)}}}"
    return f"sum by (objective) (increase({counter}[{in_promql(length_s)}]))"


def _of(spec: Spec) -> str:
    return f'objective="{spec.name}"'


def _ratio_name(length_s: int) -> str:
    return f"objective:stalewatch_bad:ratio_rate{in_promql(length_s)}"


def burn_name(length_s: int) -> str:
    """The recorded series of a window's burn rate."""
    return f"objective:stalewatch_burn:rate{in_promql(length_s)}"


def _annotations(spec: Spec, summary: str, description: str) -> dict[str, str]:
    """Plain text: what a user wrote is never read as a template."""
    said = {"summary": summary, "description": description, "runbook_url": spec.runbook}
    return {name: _untemplated(text) for name, text in said.items() if text}


def _untemplated(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')
