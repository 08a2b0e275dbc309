"""Rows of the store as JSON. Times are RFC 3339 in UTC, beside exact nanoseconds (`*_ns`)."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from fastapi import Response

from freshness.model import Bounds, Value
from store.base import ORIGIN, FindingRow, NodeRow, ReadRow, Span

NS_PER_S: Final = 1_000_000_000
_EXACT_BITS: Final = 63
Item = dict[str, Any]


def json_answer(body: Mapping[str, Any]) -> Response:
    """A response that no cache on the way may keep: freshness of all things."""
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")


def listing(items: Iterable[Item], next_cursor: str | None = None, **more: Any) -> Response:
    """A list, and the cursor of its next page."""
    return json_answer({**more, "items": list(items), "next": next_cursor})


def time_text(at_ns: int) -> str:
    """Unix nanoseconds as `2026-01-31T12:00:00.000000001Z`."""
    seconds, rest = divmod(at_ns, NS_PER_S)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def times(**instants_ns: int | None) -> Item:
    """Each instant twice: `name` as text, `name_ns` as a number; null where there is none."""
    item: Item = {}
    for name, at_ns in instants_ns.items():
        item[name] = None if at_ns is None else time_text(at_ns)
        item[f"{name}_ns"] = at_ns
    return item


def node_item(row: NodeRow) -> Item:
    """A node of the catalogue, or an origin, which has no layer and no maximum staleness."""
    is_origin = row.layer == ORIGIN
    return {
        "role": "origin" if is_origin else "cache",
        "layer": None if is_origin else row.layer,
        "node": row.node,
        "region": row.region,
        "kind": row.kind,
        "address": row.address,
        "mechanism": None if is_origin else row.mechanism,
        "max_staleness_ns": None if is_origin else row.max_staleness_ns,
        "state": row.state,
        "why": row.why,
        "identity": row.identity,
        **times(since=row.since_at_ns, answered_at=row.answered_at_ns),
    }


def finding_item(row: FindingRow) -> Item:
    """A finding without its evidence, which is a document of its own."""
    return {
        "id": row.id,
        "keyspace": row.keyspace,
        "key": row.key,
        "layer": row.layer,
        "node": row.node,
        "region": row.region,
        "state": row.state,
        "held": value_item(row.held),
        "latest": value_item(row.latest),
        "max_staleness_ns": row.max_staleness_ns,
        "staleness_ns": [row.lower_ns, row.upper_ns],
        **times(
            opened_at=row.opened_at_ns,
            confirmed_at=row.confirmed_at_ns,
            healed_at=row.healed_at_ns,
        ),
        "cause": row.cause,
        "because": row.because,
        "ruled_out": list(row.ruled_out),
    }


def read_item(row: ReadRow, started_at_ns: int) -> Item:
    """A read that was not fresh; `evidence` is what `stalewatch judge` reads, line by line."""
    return {
        "id": row.id,
        "layer": row.layer,
        "node": row.node,
        **times(started_at=started_at_ns),
        "took_ns": row.end_ns - row.start_ns,
        "result": row.result,
        "value": value_item(row.value),
        "why": row.why,
        "stratum": row.stratum,
        "verdict": row.verdict,
        "reason": row.reason,
        "max_staleness_ns": row.max_staleness_ns,
        **_bounds(row.bounds),
        "ttl_s": None if row.ttl_s is None or math.isinf(row.ttl_s) else row.ttl_s,
        "never_expires": row.ttl_s is not None and math.isinf(row.ttl_s),
        "age_s": row.age_s,
        "filled": row.filled,
        "finding": row.finding,
        "evidence": row.evidence,
    }


def span_item(span: Span) -> Item:
    """Consecutive equal readings at one place, from the first to the last of them."""
    return {
        **times(first_at=span.first_at_ns, last_at=span.last_at_ns),
        "result": span.result,
        "value": value_item(span.value),
        "count": span.count,
        "ended_by": span.ended_by or None,
    }


def value_item(value: Value | None) -> Item | None:
    """What stands for a value: its version, its digest, and whether it says "no such row"."""
    if value is None:
        return None
    return {
        "version": whole(value.version),
        "projection": value.projection,
        "absent": value.absent,
    }


def _bounds(bounds: Bounds) -> Item:
    return {
        "staleness_ns": [bounds.lower, bounds.upper],
        "versions_behind": [whole(bounds.behind_lower), whole(bounds.behind_upper)],
    }


def whole(number: int | None) -> int | orjson.Fragment | None:
    """Versions know no largest integer, and neither does JSON; the encoder does."""
    if number is None or number.bit_length() <= _EXACT_BITS:
        return number
    return orjson.Fragment(str(number))
