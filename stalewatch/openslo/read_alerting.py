"""From the alert policies of an SLO to `alerting` of its objective."""

from typing import Any, Final, NamedTuple

from settings import Duration
from stalewatch.config.problem import Loc
from stalewatch.openslo.alerting import Condition
from stalewatch.openslo.carried import NotCarried
from stalewatch.openslo.documents import Documents, Read
from stalewatch.openslo.names import Note, duration_text, length_of
from stalewatch.openslo.parts import ConditionSpec, PolicySpec
from stalewatch.openslo.schema import AlertCondition, AlertPolicy, SloSpec

SHORT_PART: Final = 12
"""Without a short window of its own a pair has this part of its long one."""
_NS: Final = 10**9


class Alerts(NamedTuple):
    """`settings` for an objective, the documents that they are of, and what is lost."""

    settings: dict[str, Any]
    used: list[Read]
    lost: list[NotCarried]


class _Found(NamedTuple):
    """A part of a document, and where it is."""

    read: Read
    loc: Loc
    spec: Any
    notes: dict[str, str]


def read_alerting(documents: Documents, slo: Read, spec: SloSpec, notes: dict[str, str]) -> Alerts:
    """All of its policies; the standard pairs of windows are not written out."""
    reader = _Reader(documents)
    pairs = [
        pair
        for at, use in enumerate(spec.alert_policies)
        for policy in reader.policy(slo, ("spec", "alertPolicies", at), use)
        for condition in reader.condition(policy)
        for pair in reader.pair(condition)
    ]
    values: dict[str, Any] = {}
    said = ", ".join(each.in_words for each in pairs)
    standard = notes.get(Note.STANDARD_WINDOWS)
    if pairs and said != standard:
        values["windows"] = [_window(each) for each in pairs]
    elif not pairs and standard not in (None, "none"):
        why = "without a condition the standard pairs of windows of an objective stand"
        reader.lost.append(slo.lose(("spec", "alertPolicies"), why))
    for note, option, kind in (
        (Note.LEAST_BAD, "least_bad", int),
        (Note.CORRELATION, "correlation", float),
        (Note.SPENT, "spent", str),
    ):
        if note in notes:
            try:
                values[option] = kind(notes[note])
            except ValueError:
                reader.lost.append(slo.lose(("metadata", "annotations", note), "expected a number"))
    return Alerts({"alerting": values} if values else {}, reader.used, reader.lost)


class _Reader:
    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.used: list[Read] = []
        self.lost: list[NotCarried] = []

    def policy(self, slo: Read, loc: Loc, use: Any) -> list[_Found]:
        """The policy of an SLO, by name or in place."""
        if use.spec is not None:
            return [_Found(slo, (*loc, "spec"), use.spec, {})]
        return self._named("AlertPolicy", use.alert_policy_ref, slo, (*loc, "alertPolicyRef"))

    def condition(self, policy: _Found) -> list[_Found]:
        """Its condition."""
        assert isinstance(policy.spec, PolicySpec)
        (use,) = policy.spec.conditions
        loc = (*policy.loc, "conditions", 0)
        if use.spec is not None:
            notes = {} if use.metadata is None else use.metadata.annotations
            return [_Found(policy.read, (*loc, "spec"), use.spec, notes)]
        name = use.condition_ref
        return self._named("AlertCondition", name, policy.read, (*loc, "conditionRef"))

    def _named(self, kind: str, name: str | None, read: Read, loc: Loc) -> list[_Found]:
        found = self.documents.find(kind, name)
        if found is None:
            self.lost.append(read.lose(loc, f"the file has no {kind} {name}"))
            return []
        if found not in self.used:
            self.used.append(found)
        assert isinstance(found.object, AlertPolicy | AlertCondition)
        return [_Found(found, ("spec",), found.object.spec, found.object.metadata.annotations)]

    def pair(self, of: _Found) -> list[Condition]:
        """The pair of windows of a condition; none where it cannot be one."""
        assert isinstance(of.spec, ConditionSpec)
        asked, loc = of.spec.condition, (*of.loc, "condition")
        if asked.op in ("lt", "lte"):
            return self._lose(of, (*loc, "op"), "an alert is of a budget that burns too fast")
        if asked.threshold <= 0:
            return self._lose(of, (*loc, "threshold"), "expected a burn rate above 0")
        long = self._length(of, Note.LONG_WINDOW, asked.lookback_window)
        if long is None or not long.ns:
            why = "months, quarters and years have no one length; take days"
            return self._lose(of, (*loc, "lookbackWindow"), why)
        if asked.op == "gte":
            self._lose(of, (*loc, "op"), "taken as gt: a burn rate must exceed its threshold")
        if asked.alert_after is not None and length_of(asked.alert_after) != Duration(0):
            why = "the short window says whether it still burns; `for` of a rule can wait"
            self._lose(of, (*loc, "alertAfter"), why)
        short = self._short(of, long, loc)
        return [Condition(long, short, asked.threshold, self._severity(of))]

    def _length(self, of: _Found, note: str, text: str) -> Duration | None:
        noted = self._noted(of, note)
        return noted if noted is not None and duration_text(noted) == text else length_of(text)

    def _short(self, of: _Found, long: Duration, loc: Loc) -> Duration:
        noted = self._noted(of, Note.SHORT_WINDOW)
        if noted is not None:
            return noted
        minutes = max(1, long.ns // SHORT_PART // (60 * _NS))
        short = Duration(minutes * 60 * _NS)
        self._lose(
            of, (*loc, "lookbackWindow"), f"a condition has no short window: {short} is taken"
        )
        return short

    def _noted(self, of: _Found, note: str) -> Duration | None:
        if note not in of.notes:
            return None
        try:
            return Duration.parse(of.notes[note])
        except ValueError as error:
            self._lose(of, ("metadata", "annotations", note), str(error))
            return None

    def _severity(self, of: _Found) -> str:
        severity: str = of.spec.severity
        if severity in ("page", "ticket"):
            return severity
        self._lose(of, (*of.loc, "severity"), "there are page and ticket: taken as ticket")
        return "ticket"

    def _lose(self, of: _Found, loc: Loc, why: str) -> list[Condition]:
        self.lost.append(of.read.lose(loc, why))
        return []


def _window(pair: Condition) -> dict[str, Any]:
    return {
        "long": str(pair.long),
        "short": str(pair.short),
        "burn": pair.burn,
        "severity": pair.severity,
    }
