"""Which report: of which week, for whom."""

from dataclasses import dataclass
from datetime import time

from freshness.window import Window
from reports.weeks import HOUR_S, Week, days_of, week_at, window_of

NS_PER_S = 10**9


@dataclass(frozen=True, slots=True)
class Subscription:
    """A report that is made each week. `owner` is whose objectives it tells; all where empty.

    It is due on the Monday after its week, at the local time `at`. `channel` and `to` are by what
    mail it goes out, and to whom; where the channel is empty it is made and shown alone.
    """

    name: str
    time_zone: str = "UTC"
    owner: str = ""
    at: time = time(8)
    channel: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One report to be made: `window` is its week, or what has passed of it in whole hours."""

    subscription: Subscription
    week: Week
    window: Window

    @property
    def is_over(self) -> bool:
        """Whether the week is."""
        return self.window == window_of(self.week, self.subscription.time_zone)

    @property
    def days(self) -> list[Window]:
        """Its local days; those that are to come are empty."""
        days = days_of(self.week, self.subscription.time_zone)
        return [day.within(self.window) for day in days]

    @property
    def before(self) -> Window:
        """The week before."""
        return window_of(self.week.plus(-1), self.subscription.time_zone)

    @property
    def since_ns(self) -> int:
        """Where it begins, Unix nanoseconds."""
        return self.window.since_s * NS_PER_S

    @property
    def until_ns(self) -> int:
        """Where it ends."""
        return self.window.until_s * NS_PER_S


def ask_for(subscription: Subscription, week: Week, now_s: int) -> Ask:
    """A week that is over, or what has passed of the one that runs. A ValueError for one to come.

    The hour that runs is not over, and is left out.
    """
    whole = window_of(week, subscription.time_zone)
    until_s = min(whole.until_s, now_s - now_s % HOUR_S)
    if until_s <= whole.since_s:
        raise ValueError(f"week {week} has not begun, or is younger than an hour")
    return Ask(subscription, week, Window(whole.since_s, until_s))


def running(subscription: Subscription, now_s: int) -> Ask:
    """The week that runs; in its first hour, the one before."""
    week = week_at(now_s - HOUR_S, subscription.time_zone)
    return ask_for(subscription, week, now_s)
