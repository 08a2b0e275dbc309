"""How long each kind of row is kept."""

from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """Ages in seconds of wall time after which rows are dropped.

    `facts_s` is for runs and reads. The newest origin run of a key, and everything that is kept of
    a key with an open finding, outlive it.
    """

    facts_s: int = 14 * DAY_S
    minutes_s: int = 3 * DAY_S
    hours_s: int = 35 * DAY_S
    days_s: int = 400 * DAY_S
    findings_s: int = 400 * DAY_S
