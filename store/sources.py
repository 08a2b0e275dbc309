"""How what a copy may have been filled from stood at the time of the fill."""

from collections.abc import Sequence

from freshness.causes import Standing
from freshness.fill import Fill
from freshness.model import Result
from freshness.propagation import Sight


def standing_of(copies: Sequence[Sequence[Sight]], held: int, fill: Fill) -> Standing:
    """Of all nodes that may have served it: known only where each of them says the same.

    `copies` are the sights of each of these nodes. One run must hold from a read that was over
    before the bounds of the fill to one that began after them: a read shows what was there at some
    instant of it, not throughout, and between two runs anything may have been there.
    """
    standings = {_standing(sights, held, fill) for sights in copies}
    return standings.pop() if len(standings) == 1 else Standing.UNKNOWN


def _standing(sights: Sequence[Sight], held: int, fill: Fill) -> Standing:
    for sight in sights:
        if sight.first_end <= fill.lower and fill.upper <= sight.last_start:
            if sight.result is Result.MISS:
                return Standing.ABSENT
            if sight.version is not None and sight.version > held:
                return Standing.CURRENT
            # Of something older still this copy was not filled.
            return Standing.BEHIND if sight.version == held else Standing.UNKNOWN
    return Standing.UNKNOWN
