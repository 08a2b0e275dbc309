"""Weeks of a calendar: ISO 8601 weeks of a time zone, as stretches of time.

A report is made of hours, so a week begins with the whole hour of UTC in which its Monday does: in
a zone that is half an hour off, each hour still is of one week alone.
"""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from freshness.window import Window

HOUR_S = 3_600
DAYS = 7
_WRITTEN = re.compile(r"(\d{4})-W(\d{2})")


class Week(NamedTuple):
    """An ISO week, written 2026-W47."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Week":
        """Read `2026-W47`. A ValueError says what was expected."""
        read = _WRITTEN.fullmatch(text)
        try:
            if read is None:
                raise ValueError
            week = cls(int(read[1]), int(read[2]))
            date.fromisocalendar(*week, 1)
        except ValueError:
            raise ValueError(f"{text[:40]!r}: expected a week of a year, as 2026-W47") from None
        return week

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    def plus(self, weeks: int) -> "Week":
        """So many weeks later."""
        return Week(*(self.monday + timedelta(weeks=weeks)).isocalendar()[:2])


def week_at(at_s: int, time_zone: str) -> Week:
    """The week that holds an instant, and in which each hour is whole."""
    day = datetime.fromtimestamp(at_s, ZoneInfo(time_zone)).date()
    week = Week(*day.isocalendar()[:2])
    following = week.plus(1)
    return following if at_s >= window_of(following, time_zone).since_s else week


def window_of(week: Week, time_zone: str) -> Window:
    """From Monday to Monday: 167, 168 or 169 hours."""
    edges = _midnights(week, time_zone)
    return Window(edges[0], edges[-1])


def days_of(week: Week, time_zone: str) -> list[Window]:
    """Its seven local days; one may have 23 or 25 hours."""
    return [Window(since_s, until_s) for since_s, until_s in pairwise(_midnights(week, time_zone))]


def instant_of(day: date, hour: int, minute: int, time_zone: str) -> int:
    """A local time as Unix seconds; one that a clock change skips is the instant after it."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(time_zone))
    return int(local.astimezone(UTC).timestamp())


def _midnights(week: Week, time_zone: str) -> list[int]:
    days = (week.monday + timedelta(days=number) for number in range(DAYS + 1))
    return [at_s - at_s % HOUR_S for at_s in (instant_of(day, 0, 0, time_zone) for day in days)]
