"""The objectives of a config, kept up with a store: for pages, the API, rules and reports alike."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from freshness.counts import NOTHING, Counts
from freshness.forecast import whole_budget
from freshness.objective import Calendar
from freshness.status import At, BudgetStatus, ErrorBudget
from freshness.tally import Tally
from freshness.window import Window
from store.base import Store
from store.objective_blame import Blame, make_bill, read_blame
from store.objective_feed import NS, Feed
from store.objective_history import Bucket, read_history, read_recent
from store.objective_listing import find_watermark, list_places
from store.objective_spec import Spec
from store.objective_track import RECENT_S, Change, KeptTrack, reach_of
from store.pair_counting import PairCounting
from store.periods import period_at

DAY_S: Final = 86_400
PERIODS: Final[Mapping[str, int]] = {"day": DAY_S, "week": 7 * DAY_S}
"""Stretches before the watermark whose spending every status tells, in seconds."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective as it stands; `status` is None before it was looked at for the first time.

    `tally` is what was counted up to the watermark since then, by this process.
    """

    spec: Spec
    at: At
    status: BudgetStatus | None
    tally: Tally = field(default=Tally(), compare=False)


class _Followed:
    """One objective with what is known of it since the last turn."""

    def __init__(self, spec: Spec, kept: KeptTrack) -> None:
        self.spec, self.kept = spec, kept
        self.budget = ErrorBudget(spec.objective, kept.track, {}, spec.rules)
        self.watermark_s = 0
        self.counted_s: int | None = None
        self.known: dict[tuple[int, bool], BudgetStatus] = {}
        self.blame: Blame | None = None
        self.tally = Tally()

    def counted(self, since_s: int) -> Counts:
        """What the budget is spent on, from an instant to the watermark."""
        return self.kept.track.budgeted.window(Window(since_s, self.watermark_s))

    def settle(self, feed: Feed, now_s: int, counted_s: int | None) -> None:
        """Take the listing and the watermark of this turn."""
        track = self.kept.track
        listing = list_places(self.spec, track, feed)
        self.budget = ErrorBudget(self.spec.objective, track, listing, self.spec.rules)
        self.counted_s = counted_s
        self.watermark_s = find_watermark(self.spec, track, now_s, counted_s)
        self.known, self.blame = {}, None

    def has_leapt(self, counted_s: int | None) -> bool:
        """Whether pairs were counted for more of the past than a turn reads again."""
        return counted_s is not None and counted_s - (self.counted_s or 0) > RECENT_S

    def at(self, now_s: int) -> At:
        """The watermark, and the period that it lies in."""
        window = self.spec.objective.window
        if not isinstance(window, Calendar):
            return At(self.watermark_s, now_s)
        period = period_at(window, self.spec.time_zone, max(0, self.watermark_s - 1))
        return At(self.watermark_s, now_s, period)

    def window_at(self, now_s: int) -> tuple[Window, Fraction]:
        """Its window, and how many events, or slices, the budget of it is a share of."""
        at = self.at(now_s)
        window = self.spec.objective.window_at(at.watermark_s, at.period)
        judged = self.budget.track.budgeted.window(window).judged_weight
        fixed = whole_budget(self.spec.objective, at.period)
        return window, Fraction(judged) if fixed is None else fixed

    def status(self, at: At) -> BudgetStatus:
        """All figures; told again as they are until the next turn, or until they are too old."""
        limit_s = max(self.spec.rules.stale_after_s, 2 * self.spec.objective.slice_s)
        name = at.watermark_s, at.now_s - at.watermark_s > limit_s
        if name not in self.known:
            until_s = at.watermark_s - at.watermark_s % self.spec.objective.slice_s
            periods = {key: Window(until_s - long, until_s) for key, long in PERIODS.items()}
            self.known[name] = self.budget.status(at, periods)
        return self.known[name]


class Objectives:
    """Safe from any thread. Turns, one at a time, read the store; other calls read what they left.

    `attribution` reads the store too.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turning = threading.Lock()
        self._lock = threading.Lock()
        self._specs: dict[str, Spec] = {}
        self._followed: dict[str, _Followed] = {}
        self._pairs = PairCounting(store)
        self._regions: Mapping[tuple[str, str], str] = {}

    def begin(self, specs: Sequence[Spec], now_ns: int) -> None:
        """Go on with these objectives. Raises StoreError."""
        with self._turning:
            self._pairs.begin(specs, now_ns)
            with self._lock:
                self._specs = {spec.name: spec for spec in specs}
                self._followed = {
                    name: followed
                    for name, followed in self._followed.items()
                    if followed.spec == self._specs.get(name)
                }

    def turn(self, now_ns: int) -> None:
        """Take what came to the store, late evidence included. Raises StoreError."""
        with self._turning:
            self._pairs.turn(now_ns)
            feed = Feed(self._store)
            for spec in self._specs.values():
                self._follow(spec, feed, now_ns // NS)
            with self._lock:
                self._regions = feed.regions

    @property
    def specs(self) -> Sequence[Spec]:
        """What is declared, in the order of the config."""
        with self._lock:
            return list(self._specs.values())

    def status(self, name: str, now_ns: int) -> Standing | None:
        """One of them; None where there is no such."""
        with self._lock:
            spec = self._specs.get(name)
            return None if spec is None else self._standing(spec, now_ns // NS)

    def statuses(self, now_ns: int) -> Sequence[Standing]:
        """All of them, in the order of the config."""
        with self._lock:
            return [self._standing(spec, now_ns // NS) for spec in self._specs.values()]

    def history(self, name: str, now_ns: int, buckets: int = 28) -> Sequence[Bucket]:
        """Its window in buckets; none where it is not known, or was not looked at yet."""
        with self._lock:
            followed = self._followed.get(name)
            if followed is None or not followed.watermark_s:
                return []
            window, total = followed.window_at(now_ns // NS)
            return read_history(followed.budget, window, total, buckets)

    def recent(
        self, name: str, now_ns: int, length_s: int | None = None, buckets: int = 60
    ) -> Sequence[Bucket]:
        """The newest `length_s` of its window (None: all of it), as narrow as it is known."""
        with self._lock:
            followed = self._followed.get(name)
            if followed is None or not followed.watermark_s:
                return []
            window, total = followed.window_at(now_ns // NS)
            if length_s is not None:
                window = window.within(Window(window.until_s - length_s, window.until_s))
            from_s = followed.kept.reach.minutes_from_s
            return read_recent(followed.budget, window, total, buckets, from_s)

    def attribution(self, name: str, now_ns: int) -> Blame | None:
        """Who spent its budget; None where it is not known or not measured. Raises StoreError."""
        with self._lock:
            followed, regions = self._followed.get(name), self._regions
            if followed is None or not followed.watermark_s:
                return None
            if followed.blame is not None:
                return followed.blame
            bill = make_bill(followed.budget, followed.at(now_ns // NS))
        # The store is read while others go on; who comes meanwhile reads it, too.
        blame = followed.blame = read_blame(self._store, followed.spec, bill, regions)
        return blame

    def _follow(self, spec: Spec, feed: Feed, now_s: int) -> None:
        followed, counted_s = self._followed.get(spec.name), self._pairs.counted_until(spec)
        known, since_s = followed, _common_past(followed, spec, now_s)
        before = NOTHING if known is None else known.counted(since_s)
        if followed is None or followed.has_leapt(counted_s):
            followed = _Followed(spec, KeptTrack(spec, feed, now_s))
            changes: Sequence[Change] = ()
        else:
            moved = followed.kept.moved(feed, now_s)
            if moved is not None:
                with self._lock:
                    followed.kept.move(*moved)
            changes = followed.kept.read(feed, now_s)
        with self._lock:
            followed.kept.apply(changes)
            followed.settle(feed, now_s, counted_s)
            if known is not None:
                followed.tally = known.tally.plus(followed.counted(since_s).minus(before))
            self._followed[spec.name] = followed

    def _standing(self, spec: Spec, now_s: int) -> Standing:
        followed = self._followed.get(spec.name)
        if followed is None:
            return Standing(spec, At(0, now_s), None)
        at = followed.at(now_s)
        return Standing(spec, at, followed.status(at), followed.tally)


def _common_past(known: _Followed | None, spec: Spec, now_s: int) -> int:
    """From where on what is kept now can be compared with what was kept before."""
    since_s = reach_of(spec, now_s).since_s
    return since_s if known is None else max(since_s, known.kept.reach.since_s)
