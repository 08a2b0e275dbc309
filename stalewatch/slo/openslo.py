"""Objectives as OpenSLO v1 documents, and what of them these cannot say.

What OpenSLO has a field for goes there, and is read back from there. The rest is in annotations,
so that an objective comes back as it was; it is told as not carried, as no other tool reads it.
Source: OpenSLO v1, README of the specification, and the validation of its go-sdk.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from freshness.burn import WindowPair, fit
from freshness.objective import Calendar, Measure, RatioTimeslices, Timeslices
from stalewatch.config.model import Config
from stalewatch.config.objective_specs import spec_of
from stalewatch.config.objectives import ObjectiveSettings
from store.objective_spec import Spec

VERSION: Final = "openslo/v1"
SOURCE: Final = "stalewatch"
PREFIX: Final = "stalewatch.dev/"
OWN: Final = ("keyspace", "layer", "region", "owner", "indicator", "max_staleness", "runbook",
              "slice", "alerting")  # fmt: skip
"""Settings that no field of OpenSLO holds."""
STARTS: Final = {
    Calendar.DAY: ("1d", "2024-01-01 00:00:00"),
    Calendar.WEEK: ("1w", "2024-01-01 00:00:00"),
    Calendar.MONTH: ("1M", "2024-01-01 00:00:00"),
}
"""Length and first instant of a calendar window: that day is a Monday, and begins a month."""
UNITS: Final = ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"))
_LONGEST_NAME, _LONGEST_TEXT = 63, 1050
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NotCarried:
    """What could not be carried of something, and why."""

    about: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.about}: {self.what}: {self.why}"


def export(config: Config, url: str) -> tuple[list[Document], list[NotCarried]]:
    """Every objective of a config; `url` is the Prometheus that has the metrics of `/metrics`."""
    specs = {name: spec_of(config, name) for name in config.objectives}
    names = _labels(config.objectives)
    documents = [_data_source(url), *_services(config, specs), _target()]
    left: list[NotCarried] = []
    for name, spec in specs.items():
        documents += _of_objective(names[name], config.objectives[name], spec)
        left += not_carried(config.objectives[name], spec)
    return documents, left


def not_carried(asked: ObjectiveSettings, spec: Spec) -> Iterator[NotCarried]:
    """What another tool that reads the documents will not do."""
    name = spec.name
    kind = "a query of the ratio stands in for the events"
    yield NotCarried(name, f"indicator {spec.measure}", f"{kind}, which Stalewatch counts")
    if any(pair.short_s < pair.long_s for pair in fit(spec.objective, spec.rules.pairs).pairs):
        why = "a condition has one look-back; a burn that is over goes on to be told"
        yield NotCarried(name, "the short windows", why)
    yield NotCarried(name, "least_bad and the lower bound of a page", "a condition has no samples")
    yield NotCarried(name, "alerts that are frozen without data", "a policy tells it or does not")
    if asked.max_staleness is not None and asked.max_staleness.ns % 60_000_000_000:
        yield NotCarried(name, f"max_staleness {asked.max_staleness}", "durations have no seconds")
    if len(spec.description) > _LONGEST_TEXT:
        yield NotCarried(name, "the end of its description", f"over {_LONGEST_TEXT} characters")


def duration_of(seconds: int) -> str:
    """A length in the largest unit that measures it: `4w`, `36h`; whole minutes."""
    size_s, unit = next(each for each in UNITS if seconds % each[0] == 0)
    return f"{seconds // size_s}{unit}"


def service_of(asked: ObjectiveSettings) -> str:
    """The service that it is of: its owner, its keyspace, or all there is."""
    return label(asked.owner or asked.keyspace or SOURCE)


def label(text: str) -> str:
    """A name as OpenSLO takes it: a label of DNS (RFC 1123)."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "x"


def _labels(names: Sequence[str] | Mapping[str, Any]) -> dict[str, str]:
    """A label for each name; of those that would share one, later ones are numbered."""
    given: dict[str, str] = {}
    for name in names:
        wanted = label(name)
        number, free = 2, wanted
        while free in given.values():
            free = f"{wanted[: _LONGEST_NAME - 4]}-{number}"
            number += 1
        given[name] = free
    return given


def _of_objective(name: str, asked: ObjectiveSettings, spec: Spec) -> Iterator[Document]:
    pairs = fit(spec.objective, spec.rules.pairs).pairs
    policies = {f"{name[:50]}-{_pair_name(pair)}": pair for pair in pairs}
    yield _document("SLI", name, _sli(spec))
    yield _document("SLO", name, _slo(name, asked, spec, list(policies)), _annotations(asked, spec))
    for policy, pair in policies.items():
        yield _document("AlertCondition", policy, _condition(pair))
        yield _document("AlertPolicy", policy, _policy(policy))


def _slo(name: str, asked: ObjectiveSettings, spec: Spec, policies: Sequence[str]) -> Document:
    described = {"description": spec.description[:_LONGEST_TEXT]} if spec.description else {}
    budgeting = spec.objective.budgeting
    target: Document = {"target": float(spec.objective.target)}
    if isinstance(budgeting, Timeslices):
        target["timeSliceTarget"] = float(budgeting.goal)
    if isinstance(budgeting, Timeslices | RatioTimeslices):
        target["timeSliceWindow"] = duration_of(spec.objective.slice_s)
    return {
        **described,
        "service": service_of(asked),
        "indicatorRef": name,
        "timeWindow": [_window(spec)],
        "budgetingMethod": type(budgeting).__name__,
        "objectives": [{"displayName": spec.name[:_LONGEST_NAME], **target}],
        "alertPolicies": [{"alertPolicyRef": policy} for policy in policies],
    }


def _window(spec: Spec) -> Document:
    window = spec.objective.window
    if not isinstance(window, Calendar):
        return {"duration": duration_of(window.length_s), "isRolling": True}
    length, start = STARTS[window]
    calendar = {"startTime": start, "timeZone": spec.time_zone}
    return {"duration": length, "isRolling": False, "calendar": calendar}


def _sli(spec: Spec) -> Document:
    """The ratio that Stalewatch tells: its events are weighed and settled late."""
    query = f'stalewatch_objective_sli{{objective="{spec.name}"}}'
    metric = {"metricSourceRef": SOURCE, "type": "Prometheus", "spec": {"query": query}}
    return {
        "description": _SAID[spec.measure],
        "ratioMetric": {"counter": False, "rawType": "success", "raw": {"metricSource": metric}},
    }


def _condition(pair: WindowPair) -> Document:
    condition = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": float(pair.threshold),
        "lookbackWindow": duration_of(pair.long_s),
    }
    return {"severity": pair.severity.value, "condition": condition}


def _policy(name: str) -> Document:
    return {
        "alertWhenBreaching": True,
        "alertWhenResolved": True,
        "conditions": [{"conditionRef": name}],
        "notificationTargets": [{"targetRef": SOURCE}],
    }


def _annotations(asked: ObjectiveSettings, spec: Spec) -> dict[str, str]:
    """What is to be read back, as JSON; its name too, since a label may not be it."""
    written = asked.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    own = {name: value for name, value in written.items() if name in OWN}
    return {f"{PREFIX}name": spec.name, f"{PREFIX}settings": json.dumps(own, sort_keys=True)}


def _services(config: Config, specs: Mapping[str, Spec]) -> Iterator[Document]:
    for name in sorted({service_of(config.objectives[each]) for each in specs}):
        yield _document("Service", name, {"description": "Caches that Stalewatch watches"})


def _data_source(url: str) -> Document:
    spec = {"type": "Prometheus", "connectionDetails": {"url": url}}
    return _document("DataSource", SOURCE, spec)


def _target() -> Document:
    return _document("AlertNotificationTarget", SOURCE, {"target": "stalewatch"})


def _document(
    kind: str, name: str, spec: Document, annotations: Mapping[str, str] | None = None
) -> Document:
    metadata: Document = {"name": name}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _pair_name(pair: WindowPair) -> str:
    return f"{duration_of(pair.long_s)}-{pair.severity.value}"


_SAID: Final[Mapping[Measure, str]] = {
    Measure.READS: "Sampled reads that are fresh",
    Measure.RESIDENT: "Entries that a sweep finds right",
    Measure.CLAIMED: "Invalidations that a node acknowledges in time",
    Measure.OBSERVED: "Invalidations that probes see at a node in time",
    Measure.STALE_TIME: "Seconds of copies that are not proven stale",
}
