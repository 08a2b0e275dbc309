"""Pairs of windows as AlertPolicy and AlertCondition: each has one look-back, the long window."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from settings import Duration
from stalewatch.openslo.names import API, Note, duration_text, is_exact, slug


class Condition(NamedTuple):
    """A pair of windows with its burn rate."""

    long: Duration
    short: Duration
    burn: float
    severity: str
    number: int = 0
    """Which one of its objective, from 1."""

    def name_for(self, objective: str) -> str:
        """The name of its documents."""
        return f"{slug(objective)}-burn-{self.number}"

    @property
    def in_words(self) -> str:
        """All of it in one word, to be compared: an edited one is not the standard any more."""
        return f"{duration_text(self.long)}/{self.short}>{self.burn!r}:{self.severity}"


def conditions_of(pairs: Iterable[Condition]) -> list[Condition]:
    """Numbered, in their order."""
    return [pair._replace(number=at) for at, pair in enumerate(pairs, 1)]


def policy_documents(
    objective: str, conditions: Sequence[Condition], targets: Sequence[str]
) -> list[dict[str, Any]]:
    """Their documents: each condition before its policy."""
    return [
        document
        for each in conditions
        for document in (_condition(objective, each), _policy(objective, each, targets))
    ]


def _condition(objective: str, pair: Condition) -> dict[str, Any]:
    notes = {Note.SHORT_WINDOW: str(pair.short)}
    if not is_exact(pair.long):
        notes[Note.LONG_WINDOW] = str(pair.long)
    return {
        "apiVersion": API,
        "kind": "AlertCondition",
        "metadata": {"name": pair.name_for(objective), "annotations": notes},
        "spec": {
            "severity": pair.severity,
            "condition": {
                "kind": "burnrate",
                "op": "gt",
                "threshold": pair.burn,
                "lookbackWindow": duration_text(pair.long),
            },
        },
    }


def _policy(objective: str, pair: Condition, targets: Sequence[str]) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "AlertPolicy",
        "metadata": {"name": pair.name_for(objective)},
        "spec": {
            "alertWhenNoData": False,
            "alertWhenBreaching": True,
            "alertWhenResolved": True,
            "conditions": [{"conditionRef": pair.name_for(objective)}],
            "notificationTargets": [{"targetRef": each} for each in targets],
        },
    }
