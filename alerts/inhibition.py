"""Which alerts a greater fault explains, by the kinds of their rules and labels alone: pure.

An alert that is explained so is not told while the other one is. A kind of rule declares what it
explains (`inhibits`); a fault that is known before any alert of it fires is a rule's own to tell
(`Look.is_inhibited`).
Source: Alertmanager, inhibit/inhibit.go, for source, target and equal labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inhibits:
    """A firing alert explains those of these kinds that have the same `equal` labels.

    Both must have each of these labels.
    """

    kinds: Sequence[str]
    equal: Sequence[str]


@dataclass(frozen=True, slots=True)
class Suspect:
    """One alert that is to be told: the kind of its rule, and what that kind explains."""

    alert: str
    rule: str
    kind: str
    labels: Mapping[str, str]
    is_firing: bool
    inhibits: Sequence[Inhibits] = ()


def find_inhibitions(suspects: Iterable[Suspect]) -> dict[str, Suspect]:
    """Alert → the firing alert that explains it, the first by rule and id where several do.

    Pass as firing only what is told itself: what tells nobody must explain nothing away.
    """
    every = list(suspects)
    sources = sorted(
        (each for each in every if each.is_firing and each.inhibits),
        key=lambda each: (each.rule, each.alert),
    )
    found: dict[str, Suspect] = {}
    for target in every:
        source = next((each for each in sources if _explains(each, target)), None)
        if source is not None:
            found[target.alert] = source
    return found


def in_words(source: Suspect) -> str:
    """What explains an alert, in a phrase: `rule edge-down (layer edge, node n1)`."""
    labels = ", ".join(f"{name} {value}" for name, value in source.labels.items())
    return f"rule {source.rule}{f' ({labels})' if labels else ''}"


def _explains(source: Suspect, target: Suspect) -> bool:
    return source.alert != target.alert and any(
        target.kind in each.kinds
        and all(
            name in source.labels and source.labels[name] == target.labels.get(name)
            for name in each.equal
        )
        for each in source.inhibits
    )
