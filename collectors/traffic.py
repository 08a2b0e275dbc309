"""The traffic of keys as somebody tells it: lines of a file, or rows of an origin."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from collectors.base import SourceError
from collectors.options import shown

LARGEST: Final = 1e30


def read_traffic_file(file: Path) -> Mapping[str, float]:
    """Lines `key<TAB>weight`; empty lines are passed over. Raises SourceError or OSError."""
    traffic: dict[str, float] = {}
    with file.open(encoding="utf-8", newline="\n") as lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    _put(traffic, *_parts(line.rstrip("\r\n")), f"{file}:{number}")
        except UnicodeDecodeError:
            raise SourceError(f"{file}: not UTF-8") from None
    return traffic


def traffic_of_rows(rows: Iterable[Sequence[Any]]) -> Mapping[str, float]:
    """Rows of key and weight. Raises SourceError."""
    traffic: dict[str, float] = {}
    for row in rows:
        if len(row) < 2:
            raise SourceError("traffic_query returns one column alone; expected key and weight")
        _put(traffic, str(row[0]), row[1], "traffic_query")
    return traffic


def _parts(line: str) -> tuple[str, str]:
    key, _, weight = line.rpartition("\t")
    return key, weight.strip()


def _put(traffic: dict[str, float], key: str, given: object, place: str) -> None:
    weight = _number(given)
    if not key or weight is None:
        raise SourceError(f"{place}: expected a key and a number from 0 to 1e30")
    if key in traffic:
        raise SourceError(f"{place}: {shown(key, 80)} is there twice")
    traffic[key] = weight


def _number(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        return None
    try:
        weight = float(given)
    except (ValueError, OverflowError):
        return None
    return weight if 0 <= weight <= LARGEST else None  # which no NaN is
