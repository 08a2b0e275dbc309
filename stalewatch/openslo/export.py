"""From the objectives of a config to OpenSLO v1 documents, and what of them these cannot say."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from freshness.burn import WindowPair, fit
from freshness.objective import Calendar, Occurrences, Timeslices
from settings import Duration
from stalewatch.config.model import Config
from stalewatch.config.objective_specs import slice_of, spec_of
from stalewatch.config.objectives import Alerting, ObjectiveSettings, fraction_of, percent_of
from stalewatch.config.rules import BurnRateRule
from stalewatch.openslo.alerting import Condition, conditions_of, policy_documents
from stalewatch.openslo.carried import NotCarried
from stalewatch.openslo.losses import losses_of
from stalewatch.openslo.names import (
    API,
    MOST_NAME,
    MOST_TEXT,
    Note,
    duration_text,
    is_exact,
    number_of,
    share_of,
    share_text,
    slug,
)
from stalewatch.openslo.queries import SOURCE, ratio_metric

NOBODY: Final = "stalewatch"
"""The target of what no rule tells to a channel: it is on the page of alerts."""
STARTS: Final = "2024-01-01 00:00:00"
"""A Monday that begins a year: days, weeks and months of any calendar begin there."""
PERIODS: Final = {Calendar.DAY: "1d", Calendar.WEEK: "1w", Calendar.MONTH: "1M"}
_NS: Final = 10**9
Document = dict[str, Any]


class Exported(NamedTuple):
    """Documents in an order in which whatever is referred to comes first."""

    documents: list[Document]
    lost: list[NotCarried]


def export(config: Config, prometheus: str) -> Exported:
    """All objectives of a config that was checked; `prometheus` is the URL of who scrapes it."""
    documents, lost = [_source(prometheus)], list[NotCarried]()
    services: dict[str, Document] = {}
    targets: dict[str, Document] = {}
    rest: list[Document] = []
    for name, asked in config.objectives.items():
        service = _service_of(config, name)
        services.setdefault(service, _service(service))
        told = {slug(each): _target(config, each) for each in _channels_of(config, name)}
        targets.update(told)
        conditions = conditions_of(_pairs(config, name))
        rest.append(_sli(name, asked))
        rest += policy_documents(name, conditions, list(told))
        rest.append(_slo(config, name, asked, slug(service), conditions))
        lost += losses_of(name, asked)
    documents += [*services.values(), *targets.values(), *rest]
    return Exported(documents, lost)


def _document(kind: str, name: str, spec: Document, notes: Mapping[str, str]) -> Document:
    metadata: Document = {"name": slug(name)}
    if slug(name) != name and len(name) <= MOST_NAME:
        metadata["displayName"] = name
    if notes:
        metadata["annotations"] = dict(notes)
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def _source(prometheus: str) -> Document:
    said = "A Prometheus that scrapes /metrics of Stalewatch."
    spec = {
        "description": said,
        "type": "Prometheus",
        "connectionDetails": {"url": prometheus},
    }
    return _document("DataSource", SOURCE, spec, {})


def _service_of(config: Config, name: str) -> str:
    return spec_of(config, name).owner or config.objectives[name].keyspace or NOBODY


def _service(name: str) -> Document:
    return _document("Service", name, {"description": f"Caches of {name}."}, {})


def _channels_of(config: Config, name: str) -> list[str]:
    """Whom burn rules of an objective tell."""
    burns = [
        rule
        for rule in config.rules.values()
        if isinstance(rule, BurnRateRule) and rule.objective == name and rule.mode == "notify"
    ]
    return list(dict.fromkeys(each for rule in burns for each in rule.channels)) or [NOBODY]


def _target(config: Config, channel: str) -> Document:
    known = config.channels.get(channel)
    kind = NOBODY if known is None else str(known.kind)
    said = "Shown by Stalewatch, told to nobody." if known is None else f"The channel {channel}."
    spec = {"description": said, "target": kind}
    return _document("AlertNotificationTarget", channel, spec, {})


def _sli(name: str, asked: ObjectiveSettings) -> Document:
    limit = asked.max_staleness
    notes = {
        Note.INDICATOR: asked.indicator.value,
        Note.KEYSPACE: asked.keyspace,
        Note.LAYER: asked.layer,
        Note.REGION: asked.region,
        Note.OWNER: asked.owner,
        Note.MAX_STALENESS: None if limit is None else str(limit),
    }
    given = {note: text for note, text in notes.items() if text is not None}
    return _document("SLI", name, {"ratioMetric": ratio_metric(name)}, given)


def _slo(
    config: Config,
    name: str,
    asked: ObjectiveSettings,
    service: str,
    conditions: Iterable[Condition],
) -> Document:
    spec: Document = {"description": asked.description[:MOST_TEXT]} if asked.description else {}
    spec |= {
        "service": service,
        "indicatorRef": slug(name),
        "timeWindow": [_window(asked)],
        "budgetingMethod": type(asked.budgeting).__name__,
        "objectives": [_goal(config, asked)],
    }
    policies = [{"alertPolicyRef": each.name_for(name)} for each in conditions]
    spec |= {"alertPolicies": policies} if policies else {}
    return _document("SLO", name, spec, _slo_notes(name, asked, conditions))


def _window(asked: ObjectiveSettings) -> Document:
    if isinstance(asked.window, Calendar):
        calendar = {"startTime": STARTS, "timeZone": asked.time_zone}
        return {"duration": PERIODS[asked.window], "isRolling": False, "calendar": calendar}
    return {"duration": duration_text(asked.window), "isRolling": True}


def _goal(config: Config, asked: ObjectiveSettings) -> Document:
    goal: Document = {"targetPercent": number_of(asked.target, 100)}
    if isinstance(asked.budgeting, Timeslices):
        goal["timeSliceTarget"] = number_of(percent_of(asked.budgeting.goal), 1)
    if not isinstance(asked.budgeting, Occurrences):
        goal["timeSliceWindow"] = slice_text(config, asked)
    return goal


def slice_text(config: Config, asked: ObjectiveSettings) -> str:
    """The slice of a budget of slices."""
    return duration_text(Duration(slice_of(config, asked) * _NS))


def _slo_notes(
    name: str, asked: ObjectiveSettings, conditions: Iterable[Condition]
) -> dict[str, str]:
    """What is read back from annotations, where it is not as it would be without them."""
    usual, alerting = Alerting(), asked.alerting
    notes: dict[str, str | None] = {Note.OBJECTIVE: name if slug(name) != name else None}
    if len(asked.description) > MOST_TEXT:
        notes[Note.DESCRIPTION] = asked.description
    notes[Note.RUNBOOK] = asked.runbook or None
    if share_of(number_of(asked.target, 100), 100) != asked.target:
        notes[Note.TARGET] = share_text(asked.target)
    if isinstance(asked.window, Duration) and not is_exact(asked.window):
        notes[Note.WINDOW] = str(asked.window)
    notes[Note.SLICE] = None if asked.slice is None else str(asked.slice)
    if isinstance(asked.budgeting, Timeslices):
        goal = percent_of(asked.budgeting.goal)
        is_told = fraction_of(share_of(number_of(goal, 1), 1)) == asked.budgeting.goal
        notes[Note.SLICE_GOAL] = None if is_told else share_text(goal)
    if alerting.least_bad != usual.least_bad:
        notes[Note.LEAST_BAD] = str(alerting.least_bad)
    if alerting.correlation is not None:
        notes[Note.CORRELATION] = repr(alerting.correlation)
    if alerting.spent != usual.spent:
        notes[Note.SPENT] = share_text(alerting.spent)
    if alerting.windows is None:
        notes[Note.STANDARD_WINDOWS] = ", ".join(each.in_words for each in conditions) or "none"
    return {note: text for note, text in notes.items() if text is not None}


def _pairs(config: Config, name: str) -> list[Condition]:
    """The pairs as they were written, else those that are the standard for its window."""
    written = config.objectives[name].alerting.windows
    if written is not None:
        return [Condition(each.long, each.short, each.burn, each.severity) for each in written]
    spec = spec_of(config, name)
    return [_fitted(pair) for pair in fit(spec.objective, spec.rules.pairs).pairs]


def _fitted(pair: WindowPair) -> Condition:
    long, short = Duration(pair.long_s * _NS), Duration(pair.short_s * _NS)
    return Condition(long, short, float(pair.threshold), pair.severity.value)
