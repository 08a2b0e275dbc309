"""What a report is told in: tables of short words, and how its figures are said."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from freshness.words import duration, percent
from reports.ask import NS_PER_S
from reports.document import LagFigure

Tone = Literal["", "good", "warn", "bad", "unknown"]
Clock = Callable[[float], str]
"""Unix seconds as a local day and time."""
UNKNOWN: Final = "–"
_KEYS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """A word of a table, what stands under it in small letters, and what it is."""

    text: str
    under: str = ""
    tone: Tone = ""
    days: tuple[float | None, ...] | None = None
    """A small chart of days instead of text: what each took of the budget, None where unknown."""


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One table under a title; `empty` is what stands there where it has no rows."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: str
    is_empty_good: bool = False
    is_whole: bool = False
    """Whether none of its rows may be left out, however many there are."""


def share(value: float | None, digits: int = 3) -> str:
    """A share of what is good, rounded down."""
    return UNKNOWN if value is None else percent(value, digits)


def budget(value: float | None) -> str:
    """A share of a budget, signed: 12 %, −250 %."""
    if value is None:
        return UNKNOWN
    text = f"{abs(100 * value):,.1f}".removesuffix(".0")
    return f"−{text} %" if value < 0 and text != "0" else f"{text} %"


def clock(time_zone: str) -> Clock:
    """How instants are said in a time zone."""
    zone = ZoneInfo(time_zone)

    def told(at_s: float) -> str:
        return f"{datetime.fromtimestamp(at_s, UTC).astimezone(zone):%a %d %b %H:%M}"

    return told


def lag(figure: LagFigure | None) -> str:
    """Bounds of a lag."""
    if figure is None:
        return UNKNOWN
    low = duration(figure.lower_ns)
    if figure.upper_ns is None:
        return f"≥ {low}"
    high = duration(figure.upper_ns)
    return low if low == high else f"{low} to {high}"


def gap_words(gap: str) -> str:
    """Why there is no figure."""
    return gap.replace("-", " ")


def signed(change: float) -> str:
    """A change of a share of a budget."""
    text = budget(change)
    return text if change < 0 else f"+{text}"


def mean(seconds: float | None) -> str:
    """A mean time."""
    return "not known" if seconds is None else duration(seconds * NS_PER_S)


def counted(nines: int) -> str:
    """So many nines."""
    return "1 nine" if nines == 1 else f"{nines} nines"


def cut(text: str, length: int = _KEYS_SHOWN) -> str:
    """Text of at most so many characters, an ellipsis included."""
    return text if len(text) <= length else text[: length - 1] + "…"
