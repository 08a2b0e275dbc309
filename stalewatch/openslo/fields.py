"""The fields of OpenSLO v1 documents, each with what is expected of it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from stalewatch.openslo.names import MOST_NAME, MOST_TEXT, is_duration, is_name

_LABEL: Final = re.compile(r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")
_PART: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_PREFIX: Final = re.compile(rf"{_PART}(\.{_PART})*")
_START: Final = "%Y-%m-%d %H:%M:%S"


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError("expected a name of a-z, 0-9 and dashes, 63 at most (RFC 1123)")
    return text


def _duration(text: str) -> str:
    if not is_duration(text):
        raise ValueError("expected a duration such as 5m, 12h, 28d, 4w, 1M, 1Q or 1Y")
    return text


def _start(text: str) -> str:
    try:
        datetime.strptime(text, _START)  # noqa: DTZ007  # the zone stands beside it
    except ValueError:
        raise ValueError("expected a date with time such as 2024-01-01 00:00:00") from None
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone such as Europe/Berlin") from None
    return name


def _labels(found: Mapping[str, Any]) -> Mapping[str, Any]:
    if not all(_LABEL.fullmatch(key) for key in found):
        raise ValueError("expected keys of letters, digits, dots, dashes or underscores")
    return found


def _annotations(found: Mapping[str, str]) -> Mapping[str, str]:
    for key in found:
        prefix, _, name = key.rpartition("/")
        if not _LABEL.fullmatch(name) or ("/" in key and not _PREFIX.fullmatch(prefix)):
            raise ValueError("expected keys such as my-domain.org/my-key")
    return found


Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
Shorthand = Annotated[str, AfterValidator(_duration)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Operator = Literal["gt", "lt", "gte", "lte"]
Start = Annotated[str, BeforeValidator(str), AfterValidator(_start)]
Zone = Annotated[str, AfterValidator(_zone)]
Title = Annotated[str, Field(max_length=MOST_NAME)]
Labels = Annotated[dict[str, str | list[str]], AfterValidator(_labels)]
Annotations = Annotated[dict[str, str], AfterValidator(_annotations)]
