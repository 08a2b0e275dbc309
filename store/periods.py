"""Calendar periods: where days, weeks and months of a time zone begin and end."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from freshness.objective import Calendar
from freshness.window import Window


def period_at(calendar: Calendar, time_zone: str, at_s: int) -> Window:
    """The period that holds an instant; a day may have 23 or 25 hours, weeks begin on Monday."""
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(at_s, zone).date()
    first, last = _edges(calendar, today)
    return Window(_midnight(first, zone), _midnight(last, zone))


def _edges(calendar: Calendar, today: date) -> tuple[date, date]:
    if calendar is Calendar.DAY:
        return today, today + timedelta(days=1)
    if calendar is Calendar.WEEK:
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    first = today.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
