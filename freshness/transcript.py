"""Evidence as the JSON lines that `judge` reads; nanoseconds are printed as exact seconds."""

import json
from collections.abc import Iterable
from functools import lru_cache

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import Order, Value

NS_DIGITS = 9


def evidence_lines(key: str, evidence: Iterable[Evidence]) -> list[str]:
    """One line for each piece of evidence about a key."""
    return [_evidence_line(key, one) for one in evidence]


def read_line(
    id: str, key: str, node: str, value: Value, start: int, end: int, order: Order
) -> str:
    """The line of one cache read; the order is named where it is not the default."""
    fields = {"type": "cache_read", "id": id, "key": key, "node": node, **_value(value)}
    if order is not Order.COUNTER:
        fields["order"] = order.value
    return _line(fields, start=start, end=end)


# What a key's reads rest on is told with each read that is not fresh, and mostly the same.
@lru_cache(maxsize=16_384, typed=True)
def _evidence_line(key: str, evidence: Evidence) -> str:
    match evidence:
        case OriginRead(value, start, end, linearizable):
            fields = {"type": "origin_read", "key": key, **_value(value)}
            return _line({**fields, "linearizable": linearizable}, start=start, end=end)
        case Invalidation(version, received):
            fields = {"type": "invalidation", "key": key, "version": version}
            return _line(fields, received=received)
        case Write(value, start, end):
            return _line({"type": "write", "key": key, **_value(value)}, start=start, end=end)


def _value(value: Value) -> dict[str, object]:
    fields: dict[str, object] = {}
    if value.version is not None:
        fields["version"] = value.version
    if value.projection is not None:
        fields["projection"] = value.projection
    if value.absent:
        fields["absent"] = True
    return fields


def _line(fields: dict[str, object], **stamps: int | None) -> str:
    # Written by hand after the rest, since a float cannot hold every nanosecond of a long uptime.
    body = json.dumps(fields, separators=(",", ":"))[:-1]
    times = (f'"{name}":{_seconds(ns)}' for name, ns in stamps.items() if ns is not None)
    return ",".join((body, *times)) + "}"


def _seconds(ns: int) -> str:
    sign, whole = ("-", -ns) if ns < 0 else ("", ns)
    return f"{sign}{whole // 10**NS_DIGITS}.{whole % 10**NS_DIGITS:0{NS_DIGITS}d}"
