"""What of documents nobody read: each value is carried, told elsewhere, or told here."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from stalewatch.config.problem import Loc, written
from stalewatch.openslo.carried import NotCarried
from stalewatch.openslo.documents import Documents, Read
from stalewatch.openslo.names import Note
from stalewatch.openslo.parts import Inline, PolicySpec
from stalewatch.openslo.queries import ratio_metric
from stalewatch.openslo.schema import Sli, Slo, SloSpec

_NOTES: Final = {note for name, note in vars(Note).items() if name.isupper()}
_HEAD: Final = r"apiVersion|kind|metadata\.(name|displayName)"
_CONDITION: Final = r"severity|condition\.(kind|op|threshold|lookbackWindow|alertAfter)"
_POLICY: Final = (
    rf"conditions\[0\]\.(conditionRef|kind|metadata\.name|spec\.({_CONDITION}))"
    r"|alertWhen(Breaching|Resolved|NoData)"
)
_GOAL: Final = r"op|value|target|targetPercent|timeSliceTarget|timeSliceWindow"
_WINDOW: Final = r"duration|isRolling|calendar(\.startTime|\.timeZone)?"
_QUERIES: Final = r"ratioMetric\..*|thresholdMetric\..*"
_READ: Final[Mapping[str, str]] = {
    "SLO": (
        rf"description|indicatorRef|budgetingMethod|timeWindow\[0\]\.({_WINDOW})"
        rf"|objectives\[\d+\]\.({_GOAL})|indicator\.(metadata\.name|spec\.({_QUERIES}))"
        rf"|alertPolicies(\[\d+\]\.(alertPolicyRef|kind|metadata\.name|spec\.({_POLICY})))?"
    ),
    "SLI": _QUERIES,
    "AlertPolicy": _POLICY,
    "AlertCondition": _CONDITION,
}
"""What is read of each kind under `spec`; queries and policies are looked at below."""
_WHYS: Final = (
    (r"metadata\.labels.*", "objectives have no labels"),
    (r".*annotations.*", "no annotation that is read"),
    (r"spec\.service", "objectives have no services: keyspace and owner say whose they are"),
    (r".*\.notificationTargets.*", "a rule of kind burn-rate says which channels are told"),
    (r".*\.displayName", "objectives have no other names"),
    (r".*compositeWeight", "composite objectives are not supported"),
    (r".*description", "an objective has the description of its SLO alone"),
)
_KINDS: Final = {
    "DataSource": "Stalewatch measures by itself and asks no data source",
    "Service": "objectives have no services: keyspace and owner say whose they are",
    "AlertNotificationTarget": "a rule of kind burn-rate says which channels are told",
}
_UNUSED: Final = "no SLO that is carried refers to it"


def leftovers(documents: Documents, used: list[Read]) -> Iterator[NotCarried]:
    """Of documents that are not in use a word each, of the others each value that nobody read.

    An SLO that is not carried is told elsewhere.
    """
    for read in documents.reads:
        kind = read.object.kind
        if read in used:
            yield from _unread(read)
            yield from _told(read)
        elif kind != "SLO":
            yield read.lose(("kind",), _KINDS.get(kind, _UNUSED))


def _unread(read: Read) -> Iterator[NotCarried]:
    known = re.compile(rf"{_HEAD}|spec\.({_READ[read.object.kind]})")
    for loc in read.parts():
        path = written(loc)
        if _is_note(loc) or known.fullmatch(path):
            continue
        whys = (why for pattern, why in _WHYS if re.fullmatch(pattern, path))
        yield read.lose(loc, next(whys, "an objective has no such part"))


def _is_note(loc: Loc) -> bool:
    return len(loc) > 1 and loc[-2] == "annotations" and loc[-1] in _NOTES


def _told(read: Read) -> Iterator[NotCarried]:
    """What is read only to be compared with what is done anyhow."""
    spec = getattr(read.object, "spec", None)
    if isinstance(read.object, Sli):
        yield from _queries(read, read.object, ("spec",))
    if isinstance(spec, PolicySpec):
        yield from _promises(read, spec, ("spec",))
    if isinstance(read.object, Slo) and isinstance(spec, SloSpec):
        if spec.indicator is not None:
            yield from _queries(read, spec.indicator, ("spec", "indicator", "spec"))
        for at, use in enumerate(spec.alert_policies):
            if use.spec is not None:
                yield from _promises(read, use.spec, ("spec", "alertPolicies", at, "spec"))


def _queries(read: Read, sli: Inline | Sli, loc: Loc) -> Iterator[NotCarried]:
    is_ratio = sli.spec.ratio_metric is not None
    metric = "ratioMetric" if is_ratio else "thresholdMetric"
    found = sli.spec.ratio_metric or sli.spec.threshold_metric
    assert found is not None
    given = found.model_dump(by_alias=True, exclude_unset=True)
    queries = re.findall(r'objective="([A-Za-z0-9._-]+)"', repr(given))
    if given != ratio_metric(queries[0] if queries else ""):
        why = "queries are not read: the annotations say what Stalewatch measures"
        yield read.lose((*loc, metric), why)


def _promises(read: Read, policy: PolicySpec, loc: Loc) -> Iterator[NotCarried]:
    if policy.alert_when_no_data:
        why = (
            "no data is frozen, neither firing nor resolved; a rule of kind measurement-lost tells"
        )
        yield read.lose((*loc, "alertWhenNoData"), why)
    if not policy.alert_when_breaching:
        why = "a burn is an alert always; its rule tells somebody or nobody"
        yield read.lose((*loc, "alertWhenBreaching"), why)
    if not policy.alert_when_resolved:
        yield read.lose((*loc, "alertWhenResolved"), "what is resolved is always told")
