"""The events of one objective, kept up with a store: hours of old, minutes of late.

Each turn reads the newest minutes again, since evidence comes late, and one more piece of the past,
so that all of it is read again and again; what did not change costs a comparison.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from freshness.counts import Counts
from freshness.objective import Calendar, Occurrences, Rolling
from freshness.series import Place, join
from freshness.track import Track
from freshness.window import Cumulative, Window
from store.objective_feed import Cells, Feed, Width
from store.objective_spec import Spec

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
RECENT_S: Final = 300
"""The newest past, which is read at every turn."""
PIECE_S: Final = 1_800
"""So many minutes of what is older are read with it."""
_LONGEST_S: Final = {Calendar.DAY: DAY_S, Calendar.WEEK: 7 * DAY_S, Calendar.MONTH: 31 * DAY_S}
_MARGIN_S: Final = 2 * DAY_S


class Change(NamedTuple):
    """A cell as a store has it now."""

    place: Place
    start_s: int
    cell: Counts


class Reach(NamedTuple):
    """What is kept: hours that begin in [since, minutes_from), minutes from there on."""

    since_s: int
    minutes_from_s: int


def reach_of(spec: Spec, now_s: int, least_s: int = 0) -> Reach:
    """How far back an objective reads, `least_s` at least, and from where by the minute."""
    window, slice_s = spec.objective.window, spec.objective.slice_s
    length_s = window.length_s if isinstance(window, Rolling) else _LONGEST_S[window]
    step_s = max(DAY_S, slice_s)
    since_s = now_s - max(length_s, least_s) - _MARGIN_S
    since_s -= since_s % step_s
    if slice_s >= HOUR_S:
        return Reach(since_s, now_s - now_s % step_s + 10 * step_s)
    if not isinstance(spec.objective.budgeting, Occurrences):
        return Reach(since_s, since_s)
    return Reach(since_s, max(since_s, now_s - now_s % HOUR_S - spec.minutes_s))


class KeptTrack:
    """A track that follows a store. Reading is apart from changing, so that a lock may be short.

    It begins `least_s` before `now_s`, or further back where its window does.
    """

    def __init__(self, spec: Spec, feed: Feed, now_s: int, least_s: int = 0) -> None:
        self.spec = spec
        self.reach = reach_of(spec, now_s, least_s)
        self.track = self._anew(feed, now_s)
        self._piece_s = self.reach.since_s

    def read(self, feed: Feed, now_s: int) -> tuple[Change, ...]:
        """What has changed in the newest past and in the next piece of what is older."""
        recent = now_s - RECENT_S
        pieces = [self._span(recent, now_s + HOUR_S), self._next_piece(now_s)]
        return tuple(
            change for width, window in pieces for change in self._changes(feed, width, window)
        )

    def moved(self, feed: Feed, now_s: int) -> "tuple[Reach, Track] | None":
        """The track once an hour has become old; None as long as none has."""
        reach = reach_of(self.spec, now_s)
        if reach == self.reach:
            return None
        series: dict[Place, Mapping[int, Counts]] = {}
        aged = Window(max(reach.since_s, self.reach.minutes_from_s), reach.minutes_from_s)
        hours = {} if self._is_hourly else feed.read(self.spec, "hour", *aged)
        for place, cells in self.track.places.items():
            series[place] = {
                start: cells.cell(start)
                for start in cells.starts
                if start >= reach.since_s and not aged.since_s <= start < aged.until_s
            }
        for place, old in hours.items():
            series[place] = {**series.get(place, {}), **old}
        kept = {place: cells for place, cells in series.items() if cells}
        return reach, self._track(kept)

    def apply(self, changes: Sequence[Change]) -> None:
        """Put what has changed."""
        for place, start_s, cell in changes:
            self.track.put(place, start_s, cell)

    def move(self, reach: Reach, track: Track) -> None:
        """Go on with a track that was moved."""
        self.reach, self.track = reach, track

    @property
    def _is_hourly(self) -> bool:
        return self.spec.objective.slice_s >= HOUR_S

    def _anew(self, feed: Feed, now_s: int) -> Track:
        until_s = now_s - now_s % HOUR_S + HOUR_S
        from_s = self.reach.minutes_from_s
        old = feed.read(self.spec, "hour", self.reach.since_s, min(from_s, until_s))
        new = {} if self._is_hourly else feed.read(self.spec, "minute", from_s, until_s)
        return self._track(join(old, new, from_s))

    def _track(self, series: Mapping[Place, Mapping[int, Counts]]) -> Track:
        is_mixed = not self._is_hourly and self.reach.minutes_from_s > self.reach.since_s
        return Track(self.spec.objective, series, HOUR_S if is_mixed else 60)

    def _next_piece(self, now_s: int) -> tuple[Width, Window]:
        """Half an hour of minutes, or a day of hours; from the beginning again after the last."""
        if self._piece_s >= now_s - RECENT_S or self._piece_s < self.reach.since_s:
            self._piece_s = self.reach.since_s
        is_old = self._piece_s < self.reach.minutes_from_s
        slice_s = self.spec.objective.slice_s
        if is_old:
            until_s = min(self._piece_s + max(DAY_S, slice_s), self.reach.minutes_from_s)
        else:
            until_s = self._piece_s + (HOUR_S if PIECE_S % slice_s else PIECE_S)
        piece = Window(self._piece_s, until_s)
        self._piece_s = until_s
        return ("hour" if is_old else "minute"), piece

    def _span(self, since_s: int, until_s: int) -> tuple[Width, Window]:
        """The whole slices and cells that hold a stretch of the newest past."""
        step_s = max(self.spec.objective.slice_s, HOUR_S if self._is_hourly else 60)
        since_s -= since_s % step_s
        until_s += -until_s % step_s
        return ("hour" if self._is_hourly else "minute"), Window(since_s, until_s)

    def _changes(self, feed: Feed, width: Width, window: Window) -> Iterator[Change]:
        found: Cells = feed.read(self.spec, width, *window)
        for place, cells in found.items():
            known = self.track.places.get(place)
            for start_s, cell in cells.items():
                if known is None or not _has(known, start_s) or known.cell(start_s) != cell:
                    yield Change(place, start_s, cell)


def _has(cells: Cumulative, start_s: int) -> bool:
    """Whether there is a cell, be it one of misses alone, in which nothing was judged."""
    at = bisect_left(cells.starts, start_s)
    return at < len(cells.starts) and cells.starts[at] == start_s
