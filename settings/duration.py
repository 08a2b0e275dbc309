"""Lengths of time."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Self

from settings.text import TextValue

_UNITS_NS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|d|h|m|s)")
_LONGEST_NS = 2**63 - 1  # what an integer column of the store holds


@dataclass(frozen=True, slots=True, order=True)
class Duration(TextValue):
    """A length of time, whole nanoseconds: `300ms`, `2s`, `1m30s`, `28d`."""

    ns: int

    PATTERN: ClassVar[str] = r"^(\d+(\.\d+)?(ms|us|ns|d|h|m|s))+$"
    EXPECTED: ClassVar[str] = "a duration such as 300ms, 2s, 1m30s or 28d"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1m30s`: numbers, each with its unit (d h m s ms us ns), largest unit first."""
        parts = _PART.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise ValueError(f"expected {cls.EXPECTED}")
        sizes = [_UNITS_NS[unit] for _, unit in parts]
        if any(later >= earlier for earlier, later in pairwise(sizes)):
            raise ValueError(f"expected {cls.EXPECTED}, with the largest unit first")
        ns = sum(_whole_ns(number, unit) for number, unit in parts)
        if ns > _LONGEST_NS:
            raise ValueError("expected a duration of less than 292 years")
        return cls(ns)

    @classmethod
    def of_seconds(cls, seconds: float) -> Self:
        """A duration from seconds, rounded to whole nanoseconds."""
        return cls(round(seconds * 1e9))

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.ns / 1e9

    def __str__(self) -> str:
        rest, text = self.ns, ""
        for unit, size_ns in _UNITS_NS.items():
            count, rest = divmod(rest, size_ns)
            text += f"{count}{unit}" if count else ""
        return text or "0s"


def _whole_ns(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    scale: int = 10 ** len(fraction)
    return int(whole + fraction) * _UNITS_NS[unit] // scale
