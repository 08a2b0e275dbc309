"""How often something may be done."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from settings.text import TextValue

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_RATE = re.compile(r"(\d+(?:\.\d+)?)/([smh])")


@dataclass(frozen=True, slots=True)
class Rate(TextValue):
    """So many in a second, a minute or an hour: `50/s`, `20/m`. Never zero."""

    count: float
    unit: str = "s"

    PATTERN: ClassVar[str] = r"^\d+(\.\d+)?/[smh]$"
    EXPECTED: ClassVar[str] = "a rate above zero such as 50/s, 20/m or 5/h"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `50/s`."""
        match = _RATE.fullmatch(text)
        if match is None or float(match[1]) == 0:
            raise ValueError(f"expected {cls.EXPECTED}")
        return cls(float(match[1]), match[2])

    @property
    def per_second(self) -> float:
        """The same, a second."""
        return self.count / _SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.count:.15g}/{self.unit}"
