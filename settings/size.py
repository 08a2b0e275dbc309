"""Amounts of bytes."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from settings.text import TextValue

_UNITS = {
    "GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(GiB|MiB|KiB|GB|MB|kB|B)")


@dataclass(frozen=True, slots=True, order=True)
class Size(TextValue):
    """An amount of bytes: `64KiB`, `1MB`, `512B`. Never zero."""

    bytes: int

    PATTERN: ClassVar[str] = r"^\d+(\.\d+)?(GiB|MiB|KiB|GB|MB|kB|B)$"
    EXPECTED: ClassVar[str] = "a size above zero such as 512B, 64KiB or 1MB"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `64KiB`; KiB is 1024 bytes, kB is 1000."""
        match = _SIZE.fullmatch(text)
        amount = int(float(match[1]) * _UNITS[match[2]]) if match else 0
        if not amount:
            raise ValueError(f"expected {cls.EXPECTED}")
        return cls(amount)

    def __str__(self) -> str:
        whole = next(unit for unit, size in _UNITS.items() if self.bytes % size == 0)
        return f"{self.bytes // _UNITS[whole]}{whole}"
