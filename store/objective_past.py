"""One objective as it stood at an instant of the past, read anew: for reports.

It is read by the hour, which is kept for longer than the minute is, so that the same week is read
the same way on its Monday and a fortnight later. Evidence that came late is in it.
"""

from dataclasses import replace

from freshness.objective import Calendar
from freshness.status import At, ErrorBudget
from store.objective_feed import Feed
from store.objective_listing import list_places
from store.objective_spec import Spec
from store.objective_track import KeptTrack
from store.periods import period_at


def read_budget(spec: Spec, feed: Feed, until_s: int, least_s: int = 0) -> ErrorBudget:
    """Its budget with all that began before `until_s`, a whole hour; `least_s` of it at least.

    Raises StoreError.
    """
    track = KeptTrack(replace(spec, minutes_s=0), feed, until_s, least_s).track
    return ErrorBudget(spec.objective, track, list_places(spec, track, feed), spec.rules)


def at_end(spec: Spec, until_s: int) -> At:
    """All is looked at as of then: what is not measured by then is told by the coverage."""
    window = spec.objective.window
    if not isinstance(window, Calendar):
        return At(until_s, until_s)
    return At(until_s, until_s, period_at(window, spec.time_zone, max(0, until_s - 1)))
