"""What a rule watched just before it told of it, as a small series that is told with it.

It is frozen when a notification is owed, so that a mail shows what was known then, however often
and however late it is sent. None is "nothing is known": never zero, and never made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

NS_PER_S: Final = 1_000_000_000
MINUTE_NS: Final = 60 * NS_PER_S
BARS: Final = 60
"""As many as a mail has room for on a telephone."""
Unit = Literal["seconds", "share", "times"]
"""Of values: seconds, a share of 1, or multiples (of the rate at which a budget just lasts)."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Values of one width, from the first one's beginning to where the last one ends.

    Instants are nanoseconds of Unix time. The last value may be of a stretch that had not ended.
    `limit` is the line that is not to be crossed: upwards, or downwards where it `is_floor`.
    """

    title: str
    unit: Unit
    since_ns: int
    until_ns: int
    values: Sequence[float | None]
    limit: float | None = None
    is_floor: bool = False

    @classmethod
    def read(cls, told: Mapping[str, Any] | None) -> Self | None:
        """From JSON again; None where there was none. Raises TypeError where it is none of ours."""
        return None if told is None else cls(**told)


def freeze(
    title: str,
    unit: Unit,
    window_ns: tuple[int, int],
    values: Sequence[float | None],
    limit: float | None = None,
    *,
    is_floor: bool = False,
) -> Chart | None:
    """A chart, its values to six digits; None where nothing of its window is known."""
    if all(value is None for value in values):
        return None
    kept = [None if value is None else float(f"{value:.6g}") for value in values]
    return Chart(title, unit, *window_ns, kept, limit, is_floor)


def last_minutes(now_ns: int, number: int = BARS) -> int:
    """Where so many minutes begin, of which the last is that of `now_ns`."""
    return (now_ns // MINUTE_NS - number + 1) * MINUTE_NS
