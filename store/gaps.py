"""When a source of invalidations could not be heard, and where each left off.

Instants are wall time of the observer, Unix nanoseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GapRow:
    """What `source` said in [since, until) may have been lost; it goes on where until is None.

    A gap is known by its source and `since_ns`: writing it again replaces it.
    """

    source: str
    since_ns: int
    until_ns: int | None
    why: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where a source was left: all that it said before `sure_until_ns` has been heard.

    `about` is what it was, since a name may stand for another source later; `position` is where
    it goes on, in the source's own words. Writing a source again replaces it.
    """

    source: str
    about: str
    position: str
    sure_until_ns: int


class Gaps(Protocol):
    """What could not be heard."""

    def write_gaps(
        self,
        gaps: Sequence[GapRow] = (),
        withdrawn: Sequence[GapRow] = (),
        places: Sequence[PlaceRow] = (),
    ) -> None:
        """Write gaps and places, and take back gaps that proved to be none, in one transaction.

        Raises StoreError, and then nothing is written.
        """
        ...

    def gaps(
        self, since_ns: int, until_ns: int, source: str | None = None, limit: int = 1000
    ) -> Sequence[GapRow]:
        """Those that overlap [since, until), newest first; an open one has no end yet."""
        ...

    def place(self, source: str) -> PlaceRow | None:
        """Where a source was left, None where it never was."""
        ...
