"""The evidence of one read as intervals on one clock, relative to the start of that read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from dashboard.wording import SECOND_NS
from store.base import ReadRow

MARKS_SHOWN: Final = 12
MarkKind = Literal["superseded", "origin", "write", "invalidation", "cache"]


@dataclass(frozen=True, slots=True)
class Mark:
    """An interval in seconds from the start of the read; None is open to that side."""

    kind: MarkKind
    label: str
    from_s: float | None
    to_s: float | None


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """The read, its marks from the earliest on, and the lines that `judge` reads."""

    row: ReadRow
    marks: Sequence[Mark]
    lines: str


def evidence_of(row: ReadRow) -> EvidenceView:
    """What can be drawn of a read's evidence; lines that cannot be understood are only shown."""
    records = [record for record in _records(row.evidence) if record.get("key", row.key) == row.key]
    start_s = _own_start_s(row, records)
    marks = [mark for record in records if (mark := _mark(record, start_s))]
    marks.sort(key=lambda mark: mark.to_s if mark.to_s is not None else float("inf"))
    length_s = (row.end_ns - row.start_ns) / SECOND_NS
    read = Mark("cache", "cache read", 0.0, length_s)
    return EvidenceView(row, [*marks[-MARKS_SHOWN:], *_superseded(row), read], row.evidence)


def _superseded(row: ReadRow) -> Iterator[Mark]:
    """Superseded after L = qe − upper and, where that is proven, by U = qs − lower."""
    bounds = row.bounds
    if bounds.lower == 0 and bounds.upper is None:
        return
    length_s = (row.end_ns - row.start_ns) / SECOND_NS
    from_s = None if bounds.upper is None else length_s - bounds.upper / SECOND_NS
    to_s = -bounds.lower / SECOND_NS if bounds.lower > 0 else None
    yield Mark("superseded", "superseded in here", from_s, to_s)


def _records(lines: str) -> Iterator[Mapping[str, Any]]:
    for line in lines.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def _own_start_s(row: ReadRow, records: Sequence[Mapping[str, Any]]) -> float:
    """The read's own record gives the zero of its clock; the stored stamp where it has none."""
    for record in records:
        is_read = record.get("type") == "cache_read" and record.get("node", row.node) == row.node
        if is_read and str(record.get("id", row.id)) in {str(row.id), f"r{row.id}"}:
            start = record.get("start")
            if isinstance(start, int | float):
                return float(start)
    return row.start_ns / SECOND_NS


def _mark(record: Mapping[str, Any], zero_s: float) -> Mark | None:
    named = record.get("version", record.get("projection", "absent"))
    name = f"v{named}" if isinstance(named, int) else str(named)[:10]
    start, end = _relative(record.get("start"), zero_s), _relative(record.get("end"), zero_s)
    match record.get("type"):
        case "origin_read" if start is not None and end is not None:
            return Mark("origin", f"origin read {name}", start, end)
        case "write" if start is not None:
            return Mark("write", f"write of {name}", start, end)
        case "invalidation":
            received = _relative(record.get("received"), zero_s)
            if received is not None:
                return Mark("invalidation", f"told of {name}", received, received)
    return None


def _relative(stamp: object, zero_s: float) -> float | None:
    return float(stamp) - zero_s if isinstance(stamp, int | float) else None
