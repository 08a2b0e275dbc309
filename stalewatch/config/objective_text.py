"""Objectives as the plain values of a config file: what is not as it is by default."""

from collections.abc import Mapping
from typing import Any

from freshness.objective import Budgeting, Calendar, Occurrences, Timeslices
from stalewatch.config.objectives import Alerting, BurnWindows, ObjectiveSettings, percent_of

_SAME = ("keyspace", "layer", "region", "owner", "description", "runbook")


def section_of(objectives: Mapping[str, ObjectiveSettings]) -> dict[str, Any]:
    """The section `objectives`; reading it gives the same again."""
    return {"objectives": {name: plain(asked) for name, asked in objectives.items()}}


def plain(asked: ObjectiveSettings) -> dict[str, Any]:
    """One of them."""
    usual = ObjectiveSettings.model_fields
    values: dict[str, Any] = {
        name: getattr(asked, name) for name in _SAME if getattr(asked, name) != usual[name].default
    }
    values["indicator"] = asked.indicator.value
    if asked.max_staleness is not None:
        values["max_staleness"] = str(asked.max_staleness)
    values["target"] = f"{asked.target.percent:f}%"
    values["window"] = (
        asked.window.value if isinstance(asked.window, Calendar) else str(asked.window)
    )
    if isinstance(asked.window, Calendar) and asked.time_zone != "UTC":
        values["time_zone"] = asked.time_zone
    if not isinstance(asked.budgeting, Occurrences):
        values["budgeting"] = _budgeting(asked.budgeting)
    if asked.slice is not None:
        values["slice"] = str(asked.slice)
    alerting = _alerting(asked.alerting)
    return values | ({"alerting": alerting} if alerting else {})


def _budgeting(budgeting: Budgeting) -> Any:
    if isinstance(budgeting, Timeslices):
        return {"timeslices": f"{percent_of(budgeting.goal).percent:f}%"}
    return "ratio-timeslices"


def _alerting(alerting: Alerting) -> dict[str, Any]:
    usual = Alerting()
    values: dict[str, Any] = {}
    if alerting.windows is not None:
        values["windows"] = [_pair(each) for each in alerting.windows]
    for name in ("least_bad", "correlation"):
        if getattr(alerting, name) != getattr(usual, name):
            values[name] = getattr(alerting, name)
    if alerting.spent != usual.spent:
        values["spent"] = f"{alerting.spent.percent:f}%"
    return values


def _pair(each: BurnWindows) -> dict[str, Any]:
    return {
        "long": str(each.long),
        "short": str(each.short),
        "burn": each.burn,
        "severity": each.severity,
    }
