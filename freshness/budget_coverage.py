"""Whether a window was measured at all: observed over expected slices.

What is expected comes from the grid (each listed place, each slice) and never from what was found:
a dead collector finds nothing, and nothing would be missing from it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from freshness.counts import Counts
from freshness.series import Place
from freshness.window import Cumulative, Window

FLOOR: Final = Fraction(9, 10)
"""Below this coverage a window is no data."""

Listing = Mapping[Place, Sequence[Window]]
"""When each place was listed and to be measured; a listing begins when measuring was set up."""


class Gap(StrEnum):
    """Why a window is no data: an alert on it is frozen, and neither fires nor resolves."""

    STALE_WATERMARK = "stale-watermark"
    NOT_LISTED = "nothing-listed"
    LOW_COVERAGE = "low-coverage"
    NO_EVENTS = "no-events"


class Coverage(NamedTuple):
    """Slices (or pairs) that were observed of those expected; `short` are places below the floor.

    One dead node of thirty leaves the whole covered; `short` names it.
    """

    observed: int
    expected: int
    short: tuple[Place, ...] = ()

    @property
    def share(self) -> Fraction | None:
        """None where nothing was expected."""
        return Fraction(self.observed, self.expected) if self.expected else None


class Grid:
    """Where and when slices are expected."""

    __slots__ = ("_common", "listing", "slice_s")

    def __init__(self, listing: Listing, slice_s: int) -> None:
        self.listing, self.slice_s = listing, slice_s
        # In this time every place is listed; empty where some place came back, or none is listed.
        stays = [stay for listed in listing.values() for stay in listed]
        is_simple = bool(stays) and all(len(listed) == 1 for listed in listing.values())
        since_s = max((stay.since_s for stay in stays), default=0)
        until_s = min((stay.until_s for stay in stays), default=0)
        self._common = Window(since_s, until_s) if is_simple else Window(0, 0)

    def cover(self, places: Mapping[Place, Cumulative], whole: Cumulative, at: Window) -> Coverage:
        """Slices of a window in which listed places were measured, over all of their slices.

        A place that holds no copy at all is measured as much as one whose copies are judged: a cold
        cache is no outage of ours.

        `whole` is the sum of `places`. Where it lacks less than what would bring a single place
        below the floor, no place is short and none needs to be looked at by itself.
        """
        if at.length_s and self._common.within(at) == at and places.keys() <= self.listing.keys():
            each = at.length_s // self.slice_s
            expected = each * len(self.listing)
            missing = expected - whole.observed(at)
            if 0 <= missing <= (1 - FLOOR) * each:
                return Coverage(expected - missing, expected)
        return self._cover_each(places, at)

    def _cover_each(self, places: Mapping[Place, Cumulative], at: Window) -> Coverage:
        observed = expected = 0
        short = []
        for place, listed in self.listing.items():
            found = places.get(place)
            seen = wanted = 0
            for stay in listed:
                span = at.within(stay)
                slices = span.length_s // self.slice_s
                if slices:
                    wanted += slices
                    seen += 0 if found is None else min(slices, found.observed(span))
            if seen < FLOOR * wanted:
                short.append(place)
            observed += seen
            expected += wanted
        return Coverage(observed, expected, tuple(short))


def cover_events(series: Mapping[Place, Cumulative], window: Window) -> Coverage:
    """Judged events over all that were expected, for what has no grid: unknown ones are lost.

    Pairs are made for every node that should have heard, so what is expected is no finding either.
    """
    observed = expected = 0
    short = []
    for place, cells in series.items():
        counts = cells.window(window)
        wanted = counts.judged + counts.unknown
        if counts.judged < FLOOR * wanted:
            short.append(place)
        observed += counts.judged
        expected += wanted
    return Coverage(observed, expected, tuple(short))


def find_gap(
    coverage: Coverage, counts: Counts, is_watermark_stale: bool, floor: Fraction = FLOOR
) -> Gap | None:
    """Why a window is no data; None where it is measured."""
    if is_watermark_stale:
        return Gap.STALE_WATERMARK
    if coverage.share is None:
        return Gap.NOT_LISTED if counts.is_judged else Gap.NO_EVENTS
    if coverage.share < floor:
        return Gap.LOW_COVERAGE
    return None if counts.is_judged else Gap.NO_EVENTS
