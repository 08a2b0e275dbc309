"""Recording rules: the share of bad events and the burn rate of each window, from counters.

For dashboards, and for windows that outlive a Stalewatch: Prometheus keeps them itself. Where
Stalewatch did not measure the window, or Prometheus did not know the counter when it began, there
is no figure. Names are level:metric:operations, as the documentation of Prometheus has them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from freshness.burn import fit
from store.objective_spec import Spec

EVENTS, EVENTS_BAD = "stalewatch_objective_events_total", "stalewatch_objective_events_bad_total"
MEASURED: Final = "stalewatch_objective_burn_rate"
_UNITS_S: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def recordings_of(spec: Spec) -> Iterator[dict[str, Any]]:
    """Those of an objective, the shortest window first."""
    of, budget = f'{{objective="{spec.name}"}}', float(spec.objective.error_budget)
    for length_s in windows_of(spec):
        window = in_promql(length_s)
        ratio = (
            f"sum by (objective) (increase({EVENTS_BAD}{of}[{window}]))\n"
            f"/ (sum by (objective) (increase({EVENTS}{of}[{window}])) > 0)\n"
            f'and on (objective) {MEASURED}{{objective="{spec.name}", window="{length_s}"}}\n'
            f"and on (objective) {EVENTS}{of} offset {window}\n"
        )
        labels = {"objective": spec.name}
        yield {"record": ratio_name(length_s), "expr": ratio, "labels": labels}
        burn = f"{ratio_name(length_s)}{of} / {budget!r}"
        yield {"record": burn_name(length_s), "expr": burn, "labels": labels}


def windows_of(spec: Spec) -> Sequence[int]:
    """The windows of all pairs in seconds, each once."""
    pairs = fit(spec.objective, spec.rules.pairs).pairs
    return sorted({length_s for pair in pairs for length_s in (pair.long_s, pair.short_s)})


def ratio_name(length_s: int) -> str:
    """The share of bad events in a window: `objective:stalewatch_bad:ratio_rate1h`."""
    return f"objective:stalewatch_bad:ratio_rate{in_promql(length_s)}"


def burn_name(length_s: int) -> str:
    """Its burn rate: `objective:stalewatch_burn:rate1h`."""
    return f"objective:stalewatch_burn:rate{in_promql(length_s)}"


def in_promql(length_s: int) -> str:
    """A length of time in one unit: `90m`, `6h`, `3d`."""
    unit, size_s = next(each for each in _UNITS_S if length_s % each[1] == 0)
    return f"{length_s // size_s}{unit}"
