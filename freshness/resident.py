"""Resident entries (E): of what caches hold, the share that a sweep found right.

A sweep reads every entry once, so nothing is left to the draw; the interval says what as many
entries drawn by chance would say, for comparing sweeps that were cut short.
"""

from typing import NamedTuple

from freshness.intervals import Interval, wilson


class Resident(NamedTuple):
    """`good` is 1 less the share proven wrong, and `sampling` its Wilson interval.

    The pair has indeterminate entries as wrong (`at_least`) and as right (`at_most`).
    """

    good: float
    at_least: float
    at_most: float
    sampling: Interval


def resident(
    right: int, wrong: int, indeterminate: int, confidence: float = 0.95
) -> Resident | None:
    """The indicator of entries that answered; None where none did: unknown is no share."""
    n = right + wrong + indeterminate
    if n == 0:
        return None
    bad = wilson(wrong, n, confidence)
    return Resident(
        good=1 - wrong / n,
        at_least=right / n,
        at_most=1 - wrong / n,
        sampling=Interval(1.0 - bad.high, 1.0 - bad.low),
    )
