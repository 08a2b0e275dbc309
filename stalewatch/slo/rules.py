"""Objectives as Prometheus alerting rules over the metrics of `/metrics`.

They decide as Stalewatch's own burn rules do, from the same figures: both windows of a pair exceed,
bad events enough, and for a page the lower confidence bound too. Where a window is no data its
series is not there: an alert that fires then is held by its own `ALERTS` series until there are
data again, so that it neither fires nor resolves.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from freshness.burn import Severity, WindowPair, fit
from settings import Duration
from stalewatch.slo.recordings import recordings_of
from store.objective_spec import Spec

BURNS: Final = "StalewatchBudgetBurns"
SPENT: Final = "StalewatchBudgetSpent"
UNMEASURED: Final = "StalewatchNotMeasured"
UNMEASURED_FOR: Final = "15m"
EVERY: Final = "1m"
"""Shorter than the five minutes for which Prometheus looks back: an alert holds itself."""
RATE, FLOOR = "stalewatch_objective_burn_rate", "stalewatch_objective_burn_rate_floor"
BAD, LEFT = "stalewatch_objective_bad_events", "stalewatch_objective_budget_remaining"
HAS_DATA: Final = "stalewatch_objective_has_data"
WATERMARK: Final = "stalewatch_objective_watermark_timestamp_seconds"
Rule = dict[str, Any]


def rule_groups(specs: Sequence[Spec]) -> dict[str, Any]:
    """The rule file, a group an objective."""
    return {
        "groups": [
            {
                "name": f"stalewatch-{spec.name}",
                "interval": EVERY,
                "rules": [*recordings_of(spec), *rules_of(spec)],
            }
            for spec in specs
        ]
    }


def rules_of(spec: Spec) -> Iterator[Rule]:
    """Its burn by severity, its budget as a whole, and that it is not measured."""
    for severity in Severity:
        pairs = pairs_of(spec, severity)
        if pairs:
            yield _rule(
                spec, BURNS, _burning(spec, pairs), severity.value, _burn_words(spec, pairs)
            )
    yield _rule(spec, SPENT, _spent(spec), Severity.TICKET.value, spent_words(spec))
    yield {
        **_rule(spec, UNMEASURED, _unmeasured(spec), Severity.TICKET.value, unmeasured_words(spec)),
        "for": UNMEASURED_FOR,
    }


def pairs_of(spec: Spec, severity: Severity) -> list[WindowPair]:
    """The pairs of windows of one severity that can fire."""
    fitted = fit(spec.objective, spec.rules.pairs)
    return [pair for pair in fitted.pairs if pair.severity is severity]


def stale_after_s(spec: Spec) -> int:
    """How far the watermark may lie behind now, seconds."""
    return max(spec.rules.stale_after_s, 2 * spec.objective.slice_s)


def labels_of(spec: Spec, severity: str) -> dict[str, str]:
    """What each of its alerts carries."""
    owner = {"owner": spec.owner} if spec.owner else {}
    return {"objective": spec.name, **owner, "severity": severity}


def annotations_of(spec: Spec, summary: str) -> dict[str, str]:
    """What each of its alerts says."""
    more = {"description": spec.description, "runbook_url": spec.runbook}
    return {"summary": summary, **{name: text for name, text in more.items() if text}}


def burn_words(spec: Spec, severity: Severity) -> str:
    """What a fast burn is told as."""
    return _burn_words(spec, pairs_of(spec, severity))


def spent_words(spec: Spec) -> str:
    """What a slow failure is told as."""
    share = float(100 * spec.rules.spent_limit)
    return f"{spec.name} has spent {share:g} % of its error budget or more"


def unmeasured_words(spec: Spec) -> str:
    """What silence is told as."""
    return f"{spec.name} is not measured: nothing can be said of it"


def _rule(spec: Spec, name: str, expression: str, severity: str, summary: str) -> Rule:
    return {
        "alert": name,
        "expr": expression,
        "labels": labels_of(spec, severity),
        "annotations": annotations_of(spec, summary),
    }


def _burning(spec: Spec, pairs: Sequence[WindowPair]) -> str:
    """Any of the pairs, or what fires while any of their windows is no data."""
    exceeding = "\n  or\n".join(f"  {_exceeds(spec, pair)}" for pair in pairs)
    windows = sorted({length for pair in pairs for length in (pair.long_s, pair.short_s)})
    told = f'{RATE}{{objective="{spec.name}", window=~"{"|".join(map(str, windows))}"}}'
    known = f"count by (objective) ({told}) == {len(windows)}"
    severity = pairs[0].severity.value
    return _held(spec, f"max by (objective) (\n{exceeding}\n)", BURNS, severity, known)


def _exceeds(spec: Spec, pair: WindowPair) -> str:
    """One pair: its figures carry the same labels but for the window."""
    above = f"> {float(pair.threshold):.10g}"
    long = f'{{objective="{spec.name}", window="{pair.long_s}"}}'
    short = f'{{objective="{spec.name}", window="{pair.short_s}"}}'
    both = f"{RATE}{long} {above} and on (objective) {RATE}{short} {above}"
    least = f" and on (objective) {BAD}{long} >= {spec.rules.low_volume.least_bad}"
    floor = f" and on (objective) {FLOOR}{long} {above}"
    return f"({both}{least}{floor if pair.severity is Severity.PAGE else ''})"


def _spent(spec: Spec) -> str:
    left = f'{LEFT}{{objective="{spec.name}"}}'
    limit = float(1 - spec.rules.spent_limit)
    known = f"count by (objective) ({left}) == 1"
    return _held(
        spec, f"max by (objective) ({left} <= {limit:.10g})", SPENT, Severity.TICKET.value, known
    )


def _held(spec: Spec, expression: str, name: str, severity: str, known: str) -> str:
    """What holds, or what fires already and is not known to have ended."""
    fires = (
        f'ALERTS{{alertname="{name}", alertstate="firing", objective="{spec.name}", '
        f'severity="{severity}"}}'
    )
    return f"{expression}\nor\nmax by (objective) ({fires}) unless on (objective) ({known})"


def _unmeasured(spec: Spec) -> str:
    """Told as no data, not told at all, or told as ever: one that hangs stands where it was."""
    of = f'{{objective="{spec.name}"}}'
    behind = f"time() - max by (objective) ({WATERMARK}{of}) > {stale_after_s(spec)}"
    return f"max by (objective) ({HAS_DATA}{of}) == 0\nor\nabsent({HAS_DATA}{of})\nor\n{behind}"


def _burn_words(spec: Spec, pairs: Sequence[WindowPair]) -> str:
    told = ", ".join(f"{_length(pair.long_s)} and {_length(pair.short_s)}" for pair in pairs)
    return f"{spec.name} burns its error budget too fast, over {told}"


def _length(seconds: int) -> str:
    return str(Duration.of_seconds(seconds))
