"""Shares of a whole."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from settings.text import TextValue

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


@dataclass(frozen=True, slots=True, order=True)
class Percent(TextValue):
    """A share from 0% to 100%, exact as written: `99.9%` is 999/1000."""

    percent: Decimal

    PATTERN: ClassVar[str] = r"^\d+(\.\d+)?%$"
    EXPECTED: ClassVar[str] = "a share from 0% to 100% such as 70% or 99.9%"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `99.9%`."""
        match = _PERCENT.fullmatch(text)
        if match is None or Decimal(match[1]) > 100:
            raise ValueError(f"expected {cls.EXPECTED}")
        return cls(Decimal(match[1]))

    @property
    def fraction(self) -> float:
        """The same from 0 to 1."""
        return float(self.percent / 100)

    def __str__(self) -> str:
        return f"{self.percent}%"
