"""An alert as Prometheus and Alertmanager write one: its identity as labels, its words beside it.

Labels are what an alert is and hold no value, or each new value would be a new alert. What is
measured, why and with what evidence stands in the annotations.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from alerts.base import ToldAlert
from alerts.link import view_url
from alerts.shown import shown

NS_PER_S: Final = 1_000_000_000
NAME_LABEL: Final = "alertname"
NEVER: Final = "0001-01-01T00:00:00Z"
"""What stands for the end of an alert that goes on (Go's zero time)."""
LONGEST_LABEL: Final = 1_024
_EVIDENCE_LINES: Final = 20
_LINE: Final = 500
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_]")
_FNV_OFFSET, _FNV_PRIME, _SEPARATOR = 0xCBF29CE484222325, 0x100000001B3, b"\xff"


def labels_of(rule: str, labels: Mapping[str, str]) -> dict[str, str]:
    """The identity of an alert: the rule as `alertname`, and what it is about, by name.

    What Alertmanager takes no difference in (an empty value) is left out.
    """
    named = {_name(name): _identity(value) for name, value in labels.items() if value}
    return dict(sorted({**named, NAME_LABEL: _identity(rule)}.items()))


def group_labels_of(group: Mapping[str, str]) -> dict[str, str]:
    """The labels of a group; that of the rule is called as in its alerts."""
    named = {NAME_LABEL if name == "rule" else _name(name): value for name, value in group.items()}
    return {name: _identity(value) for name, value in sorted(named.items())}


def annotations_of(alert: ToldAlert) -> dict[str, str]:
    """What is told of it: for people, so made harmless; empty ones are left out."""
    told = {
        "summary": shown(alert.summary, _LINE),
        "reason": shown(alert.reason),
        "cause": shown(alert.cause, _LINE),
        "figures": "; ".join(f"{shown(k)}: {shown(v)}" for k, v in alert.figures.items()),
        "evidence": "\n".join(shown(line, _LINE) for line in alert.evidence[:_EVIDENCE_LINES]),
        "finding": shown(alert.finding),
    }
    return {name: text for name, text in told.items() if text}


def written(alert: ToldAlert, base_url: str) -> dict[str, Any]:
    """One alert of a webhook's payload. `base_url` is the address of the UI."""
    labels = labels_of(alert.rule, alert.labels)
    return {
        "status": alert.status,
        "labels": labels,
        "annotations": annotations_of(alert),
        "startsAt": instant(alert.since_ns),
        "endsAt": NEVER if alert.ends_at_ns is None else instant(alert.ends_at_ns),
        "generatorURL": view_url(alert.link, base_url),
        "fingerprint": fingerprint(labels),
    }


def fingerprint(labels: Mapping[str, str]) -> str:
    """16 hexadecimal digits that follow from the labels alone, as Alertmanager makes them.

    FNV-1a of 64 bits over names and values in order of names, 0xFF after each. Source:
    prometheus/common, model/signature.go (labelSetToFingerprint).
    """
    digest = _FNV_OFFSET
    for name, value in sorted(labels.items()):
        for byte in _bytes(name) + _SEPARATOR + _bytes(value) + _SEPARATOR:
            digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def in_common(mappings: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    first, *others = mappings
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


def instant(at_ns: int) -> str:
    """RFC 3339 in UTC, to the nanosecond."""
    seconds, rest = divmod(at_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _name(name: str) -> str:
    """A name as labels allow."""
    plain = _NOT_IN_A_NAME.sub("_", name)
    return f"_{plain}" if plain[:1].isdigit() or not plain else plain


def _identity(value: str) -> str:
    """The value in valid UTF-8 and of bounded length; what is cut still tells two apart."""
    text = value.encode(errors="backslashreplace").decode()
    if len(text) <= LONGEST_LABEL:
        return text
    return f"{text[: LONGEST_LABEL - 17]}…{sha256(text.encode()).hexdigest()[:16]}"


def _bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")
