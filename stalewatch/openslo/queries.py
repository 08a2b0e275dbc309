"""What an SLI of ours asks a Prometheus for."""

from typing import Any, Final

SOURCE: Final = "stalewatch-prometheus"
"""The name of the DataSource."""


def ratio_metric(objective: str) -> dict[str, Any]:
    """Bad over judged events: 1 − bad/total is the SLI, so open ones are not taken as good."""
    return {
        "counter": True,
        "bad": _metric(f'sum(stalewatch_objective_events_bad_total{{objective="{objective}"}})'),
        "total": _metric(f'sum(stalewatch_objective_events_total{{objective="{objective}"}})'),
    }


def _metric(query: str) -> dict[str, Any]:
    spec = {"query": query}
    return {"metricSource": {"metricSourceRef": SOURCE, "type": "Prometheus", "spec": spec}}
