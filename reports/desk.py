"""The reports of a config: made when they are due, once each, and shown while their week runs."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from reports.ask import NS_PER_S, Ask, Subscription, ask_for, running
from reports.document import ReportDocument
from reports.make import make_report
from reports.weeks import Week, instant_of, week_at
from store.alert_book import NotificationRow
from store.base import Store
from store.objective_spec import Spec
from store.report_runs import ReportRow

MOST_CAUGHT_UP: Final = 4
"""Weeks that are made at most where nobody was there to make them: of older ones hours are gone."""
SHOWN_AGAIN_S: Final = 60
"""A week that runs is read anew so often at most."""
Owe = Callable[[Subscription, ReportDocument, int], Sequence[NotificationRow]]
"""What a report owes to whom, as of an instant (Unix nanoseconds)."""


class Desk:
    """Safe from any thread. It reads no clock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._subscriptions: dict[str, Subscription] = {}
        self._specs: tuple[Spec, ...] = ()
        self._so_far: dict[tuple[str, int], ReportDocument] = {}

    def begin(self, subscriptions: Sequence[Subscription], specs: Sequence[Spec]) -> None:
        """Go on with these."""
        with self._lock:
            self._subscriptions = {each.name: each for each in subscriptions}
            self._specs = tuple(specs)
            self._so_far = {}

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The reports that are made, in the order of the config."""
        with self._lock:
            return list(self._subscriptions.values())

    def make_due(self, now_ns: int, owe: Owe) -> list[ReportRow]:
        """Make and keep what is due and was not made yet; those that are new. Raises StoreError.

        A report and what it owes are one transaction: whatever dies meanwhile, each week is told
        once.
        """
        made = []
        for each in self.subscriptions:
            for week in self._due(each, now_ns // NS_PER_S):
                row, document = self._make(ask_for(each, week, now_ns // NS_PER_S), now_ns)
                if self._store.write_report(row, owe(each, document, now_ns)):
                    made.append(row)
        return made

    def so_far(self, name: str, now_ns: int) -> ReportDocument | None:
        """What the week that runs came to by the last whole hour; None where there is no such.

        Raises StoreError.
        """
        with self._lock:
            subscription = self._subscriptions.get(name)
            asked = name, now_ns // NS_PER_S // SHOWN_AGAIN_S
            found = self._so_far.get(asked)
        if subscription is None or found is not None:
            return found
        made = self.make(running(subscription, now_ns // NS_PER_S))
        with self._lock:
            self._so_far = {each: one for each, one in self._so_far.items() if each[1] == asked[1]}
            self._so_far[asked] = made
        return made

    def make(self, ask: Ask) -> ReportDocument:
        """Any week, made anew; nothing is kept of it. Raises StoreError."""
        with self._lock:
            specs = self._specs
        return make_report(self._store, specs, ask)

    def _make(self, ask: Ask, now_ns: int) -> tuple[ReportRow, ReportDocument]:
        document = self.make(ask)
        edges = ask.window.since_s, ask.window.until_s
        name = ask.subscription.name
        return ReportRow(name, str(ask.week), *edges, now_ns, document.to_json()), document

    def _due(self, subscription: Subscription, now_s: int) -> Iterator[Week]:
        """Weeks that are due and not made, oldest first.

        A report that is new begins with the last week, where there is anything to tell of it.
        """
        newest = newest_due(subscription, now_s)
        made = self._store.reports(subscription.name, 1)
        if made:
            first = max(Week.parse(made[0].week).plus(1), newest.plus(1 - MOST_CAUGHT_UP))
        else:
            first = newest
            ask = ask_for(subscription, newest, now_s)
            if not self._store.rollups("day", ask.since_ns, ask.until_ns):
                return
        while first <= newest:
            yield first
            first = first.plus(1)


def newest_due(subscription: Subscription, now_s: int) -> Week:
    """The newest week whose report is due: since its time on the Monday after."""
    last = week_at(now_s, subscription.time_zone).plus(-1)
    at = subscription.at
    due_s = instant_of(last.plus(1).monday, at.hour, at.minute, subscription.time_zone)
    return last if now_s >= due_s else last.plus(-1)


def next_due_s(subscription: Subscription, now_s: int) -> int:
    """When the next report is made, Unix seconds."""
    at, monday = subscription.at, newest_due(subscription, now_s).plus(2).monday
    return instant_of(monday, at.hour, at.minute, subscription.time_zone)
