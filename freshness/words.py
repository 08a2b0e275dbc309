"""Figures as short words, alike on pages, in mails and in reports.

Shares round down, so that nothing is called whole that is not; what is wrong rounds up.
"""

from math import floor, isinf
from typing import Final

SECOND_NS: Final = 1_000_000_000
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(ns: float | None) -> str:
    """Nanoseconds as "120 ms", "36.4 s", "2 min 16 s", "3 h"; None and infinity are "unbounded"."""
    if ns is None or isinf(ns):
        return "unbounded"
    seconds = ns / SECOND_NS
    if seconds < 0.9995:
        return "0 s" if seconds <= 0 else f"{max(seconds * 1_000, 0.1):.3g} ms"
    if seconds < 119.5:
        return f"{seconds:.0f} s" if seconds >= 99.5 else f"{seconds:.3g} s"
    return _in_two_units(round(seconds))


def _in_two_units(seconds: int) -> str:
    at = next(at for at, (size, _) in enumerate(_UNITS) if seconds >= 2 * size)
    (size, unit), (lesser, lesser_unit) = _UNITS[at], _UNITS[at + 1]
    rest = seconds % size // lesser
    return f"{seconds // size} {unit}" + (f" {rest} {lesser_unit}" if rest else "")


def interval(lower_ns: int, upper_ns: int | None) -> str:
    """Bounds of a staleness: "1.8 s to 2.1 s", "at least 1.8 s" where nothing bounds it above."""
    if upper_ns is None:
        return f"at least {duration(lower_ns)}"
    low, high = duration(lower_ns), duration(upper_ns)
    return low if low == high else f"{low} to {high}"


def percent(share: float, digits: int = 2) -> str:
    """A share as a percentage, rounded down: 0.99999 is "99.99 %", never "100 %"."""
    scale = 10.0**digits
    # A billionth absorbs what binary floats lose of decimal shares (0.07 is 7 %, not 6.99 %).
    shown = floor(share * 100.0 * scale + 1e-9) / scale
    return f"{shown:.{digits}f}".rstrip("0").rstrip(".") + " %" if digits else f"{shown:.0f} %"


def small_percent(share: float) -> str:
    """A share of what is wrong: rounded up, so that something is never called nothing."""
    if share <= 0.0:
        return "0 %"
    return "< 0.01 %" if share < 0.0001 else f"{share * 100:.3g} %"
