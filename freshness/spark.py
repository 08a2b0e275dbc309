"""A small series as bars: how high each stands, and as one line of block characters.

None is "nothing is known", and never looks like zero; what is above zero never looks like zero.
"""

from collections.abc import Iterable, Sequence
from typing import Final

UNKNOWN: Final = "·"
"""Stands in a line of characters for what is not known."""
BLOCKS: Final = "▁▂▃▄▅▆▇█"
"""From zero to the top."""


def scale(values: Iterable[float | None], limit: float | None = None) -> float:
    """What the top of a chart stands for: the most that is known or the limit; 1 for nothing."""
    known = [each for each in (*values, limit) if each is not None]
    return max((each for each in known if each > 0), default=1.0)


def heights(values: Iterable[float | None], top: float) -> list[float | None]:
    """Bars as shares of `top` (above 0), from 0 to 1; what is below zero stands at 0."""
    return [None if each is None else min(1.0, max(0.0, each / top)) for each in values]


def pixels(values: Iterable[float | None], top: float, most: int) -> list[int | None]:
    """Bars in whole pixels from 0 to `most`; what is above zero has one at least."""
    return [None if each is None else _step(each, top, most) for each in values]


def text_bars(values: Iterable[float | None], top: float | None = None) -> str:
    """A character a value; `top` is what the highest block stands for, else `scale` says."""
    known = list(values)
    most = scale(known) if top is None else top
    return "".join(
        UNKNOWN if step is None else BLOCKS[step] for step in pixels(known, most, len(BLOCKS) - 1)
    )


def fill_grid(
    cells: Iterable[tuple[int, float]], since: int, width: int, number: int
) -> Sequence[float | None]:
    """Values by the instant at which their bucket begins, as a series without a hole.

    `number` buckets of one `width` from `since` on; None where there is no cell. Cells outside are
    left out.
    """
    grid: list[float | None] = [None] * number
    for start, value in cells:
        if 0 <= (at := (start - since) // width) < number:
            grid[at] = value
    return grid


def _step(value: float, top: float, most: int) -> int:
    return max(1, min(most, round(value / top * most))) if value > 0 else 0
