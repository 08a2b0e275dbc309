"""Names, durations, numbers and annotations in OpenSLO's spelling."""

import hashlib
import re
from decimal import Decimal
from math import nextafter
from typing import Final

from settings import Duration, Percent

API: Final = "openslo/v1"
MOST_TEXT: Final = 1_050
"""Characters of a description."""
MOST_NAME: Final = 63
_MOST_SLUG: Final = 44
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DURATION: Final = re.compile(r"(\d+)([mhdwMQY])")
_UNITS_S: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_WRITTEN: Final = (("d", 86_400), ("h", 3_600), ("m", 60))
_NS: Final = 10**9


class Note:
    """Annotations by which what OpenSLO has no place for is read back."""

    INDICATOR = "stalewatch/indicator"
    KEYSPACE = "stalewatch/keyspace"
    LAYER = "stalewatch/layer"
    REGION = "stalewatch/region"
    OWNER = "stalewatch/owner"
    MAX_STALENESS = "stalewatch/max-staleness"
    OBJECTIVE = "stalewatch/objective"
    DESCRIPTION = "stalewatch/description"
    RUNBOOK = "stalewatch/runbook"
    TARGET = "stalewatch/target"
    WINDOW = "stalewatch/window"
    SLICE = "stalewatch/slice"
    SLICE_GOAL = "stalewatch/slice-goal"
    LEAST_BAD = "stalewatch/least-bad"
    CORRELATION = "stalewatch/correlation"
    SPENT = "stalewatch/spent"
    STANDARD_WINDOWS = "stalewatch/standard-windows"
    LONG_WINDOW = "stalewatch/long-window"
    SHORT_WINDOW = "stalewatch/short-window"


def is_name(text: str) -> bool:
    """Whether OpenSLO takes it as a name: a DNS label of RFC 1123."""
    return _NAME.fullmatch(text) is not None


def slug(name: str) -> str:
    """A DNS label for a name of ours: itself where it is one, else with a digest of its own."""
    if len(name) <= _MOST_SLUG and is_name(name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[: _MOST_SLUG - 9].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest


def duration_text(length: Duration) -> str:
    """In OpenSLO's shorthand, rounded up to whole minutes: it has no seconds."""
    length_s = -(-length.ns // (60 * _NS)) * 60
    unit, size_s = next(each for each in _WRITTEN if length_s % each[1] == 0)
    return f"{length_s // size_s}{unit}"


def is_exact(length: Duration) -> bool:
    """Whether nothing of it is lost in the shorthand."""
    return length.ns % (60 * _NS) == 0


def is_duration(text: str) -> bool:
    """Whether OpenSLO takes it as a duration."""
    return _DURATION.fullmatch(text) is not None


def length_of(text: str) -> Duration | None:
    """A shorthand as a duration; None for months, quarters and years, which have no one length."""
    found = _DURATION.fullmatch(text)
    if found is None or found[2] not in _UNITS_S:
        return None
    return Duration(int(found[1]) * _UNITS_S[found[2]] * _NS)


def number_of(share: Percent, whole: int) -> float:
    """A share as a number up to `whole` (1 or 100), and never `whole` by rounding."""
    return min(float(share.percent * whole / 100), nextafter(whole, 0))


def share_of(number: float, whole: int) -> Percent:
    """The same back: the number as it is written, not as a double has it. A ValueError above it."""
    percent = Decimal(repr(number)) * (100 // whole)
    return Percent.parse(f"{percent.normalize():f}%")


def share_text(share: Percent) -> str:
    """As `Percent.parse` takes it, however small."""
    return f"{share.percent:f}%"
