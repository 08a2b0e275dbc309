"""How a version is written: whole numbers, instants and text → what orders, or what is equal."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, ClassVar, Final, Literal, Self

from collectors.base import VersionType
from settings.text import TextValue

LARGEST: Final = 2**63 - 1
"""The largest version: what an integer column of the store holds."""
LONGEST_TEXT: Final = 64
"""Characters of an opaque version that are kept as they are; a longer one becomes its digest."""

Unit = Literal["s", "ms", "us", "ns"]
_UNIT_NS: Final[dict[str, int]] = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^'\\]*)'\]|\[(0|[1-9]\d{0,8})\]")


class UnreadableError(ValueError):
    """Something is there that cannot be read as declared; the message names what, without it."""


@dataclass(frozen=True, slots=True)
class JsonPath(TextValue):
    """One place in a JSON document: `$.a.b`, `$['a b']`, `$[0].id` (RFC 9535, singular queries)."""

    text: str
    steps: tuple[str | int, ...]

    PATTERN: ClassVar[str] = r"^\$"
    EXPECTED: ClassVar[str] = "a path to one place in a JSON document such as $.version or $[0].id"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `$.a[0]`. Raises ValueError for all that may match several places."""
        found = list(_STEP.finditer(text))
        if not text.startswith("$") or "".join(step[0] for step in found) != text[1:]:
            raise ValueError(f"expected {cls.EXPECTED}")
        return cls(text, tuple(_step(match) for match in found))

    def __str__(self) -> str:
        return self.text

    def find(self, document: Any) -> Any:
        """What stands there. Raises UnreadableError where nothing does."""
        place = document
        for step in self.steps:
            if not _holds(place, step):
                raise UnreadableError(f"nothing at {self.text}")
            place = place[step]
        return place


def _holds(place: Any, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(place, dict) and step in place
    return isinstance(place, list) and step < len(place)


def _step(match: re.Match[str]) -> str | int:
    name, quoted, index = match.groups()
    if index is not None:
        return int(index)
    return name if name is not None else quoted


def integer(given: object) -> int:
    """A version that counts or grows. Raises UnreadableError, with what it is instead."""
    if isinstance(given, bool):
        raise UnreadableError("version is a boolean")
    if isinstance(given, str):
        if not _DIGITS.fullmatch(given):
            raise UnreadableError("version is not a whole number")
        given = int(given)
    if isinstance(given, Decimal) and given.is_finite() and given == given.to_integral_value():
        given = int(given)
    if not isinstance(given, int):
        raise UnreadableError(f"version is {_article(given)}, not a whole number")
    if given < 0:
        raise UnreadableError("version is negative")
    if given > LARGEST:
        raise UnreadableError("version is above 2^63 - 1")
    return given


def instant_ns(given: object, unit: Unit | None) -> int:
    """A timestamp as nanoseconds since the Unix epoch. Raises UnreadableError.

    Text is RFC 3339, with its offset from UTC; a number needs a declared unit: neither is guessed.
    """
    if isinstance(given, bool):
        raise UnreadableError("version is a boolean")
    if isinstance(given, datetime):
        given = given.isoformat()
    if isinstance(given, str):
        match = _INSTANT.fullmatch(given)
        return _from_text(match) if match else _from_number(_decimal(given), unit)
    if isinstance(given, int | float | Decimal):
        return _from_number(_decimal(str(given)), unit)
    raise UnreadableError(f"version is {_article(given)}, not a timestamp")


def _from_text(match: re.Match[str]) -> int:
    day, clock, fraction, offset = match.groups()
    if offset is None:
        raise UnreadableError("timestamp without an offset from UTC")
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{_full_offset(offset)}")
    except ValueError:
        raise UnreadableError("version is not a timestamp") from None
    seconds = (whole - datetime(1970, 1, 1, tzinfo=UTC)) // _SECOND
    return _bounded(seconds * 10**9 + int((fraction or "0")[:9].ljust(9, "0")))


_SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)


def _full_offset(offset: str) -> str:
    if offset in "Zz":
        return "+00:00"
    return f"{offset[:3]}:{offset[-2:] if len(offset) > 3 else '00'}"


def _decimal(text: str) -> Decimal:
    if len(text) > 40 or not re.fullmatch(r"[0-9]+(\.[0-9]+)?(e[+-]?\d{1,2})?", text, re.ASCII):
        raise UnreadableError("version is not a timestamp")
    return Decimal(text)


def _from_number(number: Decimal, unit: Unit | None) -> int:
    if unit is None:
        raise UnreadableError("a number as timestamp needs `unit: s`, ms, us or ns")
    return _bounded(int(number * _UNIT_NS[unit]))


def _bounded(ns: int) -> int:
    if not 0 <= ns <= LARGEST:
        raise UnreadableError("timestamp before 1970 or after 2262")
    return ns


def text(given: object) -> str:
    """An opaque version. Raises UnreadableError for what has no one spelling."""
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise UnreadableError(f"version is {_article(given)}, not text")
    spelling = str(given)
    if len(spelling) <= LONGEST_TEXT and _is_unicode(spelling):
        return spelling
    return blake2b(spelling.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _is_unicode(spelling: str) -> bool:
    """Whether it has no lone surrogate, which JSON may spell and nothing can keep as text."""
    return not any("\ud800" <= letter <= "\udfff" for letter in spelling)


def ordered(given: object, written_as: VersionType, unit: Unit | None = None) -> int:
    """An integer or timestamp version. Raises UnreadableError."""
    if given is None:
        raise UnreadableError("version is null")
    return integer(given) if written_as is VersionType.INTEGER else instant_ns(given, unit)


def _article(given: object) -> str:
    names = {float: "a fraction", Decimal: "a fraction", dict: "an object", list: "an array"}
    if given is None:
        return "null"
    return names.get(type(given), f"of type {type(given).__name__}")
