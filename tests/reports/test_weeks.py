"""Weeks of a calendar: their edges in every zone, whatever the clocks do."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.ask import Subscription, ask_for, running
from reports.desk import newest_due, next_due_s
from reports.weeks import HOUR_S, Week, days_of, week_at, window_of

ZONES = sorted(available_timezones() - {"localtime"})
WEEKS = st.builds(lambda n: Week(1990, 1).plus(n), st.integers(0, 4_000))


def at(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    "text", ["2026-47", "2026-W54", "2025-W53", "W47", "2026-W00", "", "x" * 99]
)
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a week of a year, as 2026-W47"):
        Week.parse(text)


def test_a_year_of_53_weeks_goes_on() -> None:
    assert str(Week.parse("2026-W53").plus(1)) == "2027-W01"
    assert str(Week(2027, 1).plus(-1)) == "2026-W53"


@pytest.mark.parametrize(
    ("week", "hours"),
    [("2026-W12", 168), ("2026-W13", 167), ("2026-W43", 169), ("2026-W44", 168)],
)
def test_a_week_in_which_clocks_change_is_longer_or_shorter(week: str, hours: int) -> None:
    window = window_of(Week.parse(week), "Europe/Berlin")
    assert window.length_s == hours * HOUR_S
    assert {day.length_s // HOUR_S for day in days_of(Week.parse(week), "Europe/Berlin")} <= {
        23,
        24,
        25,
    }


@given(week=WEEKS, zone=st.sampled_from(ZONES))
def test_weeks_follow_each_other_in_whole_hours(week: Week, zone: str) -> None:
    window, following = window_of(week, zone), window_of(week.plus(1), zone)
    assert window.until_s == following.since_s
    assert window.since_s % HOUR_S == window.until_s % HOUR_S == 0
    days = days_of(week, zone)
    assert (days[0].since_s, days[-1].until_s) == window
    assert week_at(window.since_s, zone) == week_at(window.until_s - 1, zone) == week
    assert week_at(window.until_s, zone) == week.plus(1)


def test_of_a_zone_that_is_half_an_hour_off_each_hour_is_of_one_week() -> None:
    since_s, _ = window_of(Week(2026, 47), "Asia/Kolkata")
    assert datetime.fromtimestamp(since_s, UTC).isoformat() == "2026-11-15T18:00:00+00:00"


def test_a_week_that_runs_is_told_up_to_its_last_whole_hour() -> None:
    now_s = at("2026-11-18T10:20:00", "Europe/Berlin")
    ask = running(Subscription("weekly", "Europe/Berlin"), now_s)
    assert (str(ask.week), ask.is_over) == ("2026-W47", False)
    assert ask.window.until_s == at("2026-11-18T10:00:00", "Europe/Berlin")
    assert [day.length_s // HOUR_S for day in ask.days[:3]] == [24, 24, 10]


def test_in_its_first_hour_the_week_before_is_told() -> None:
    now_s = at("2026-11-16T00:20:00", "Europe/Berlin")
    ask = running(Subscription("weekly", "Europe/Berlin"), now_s)
    assert (str(ask.week), ask.is_over) == ("2026-W46", True)


def test_a_week_to_come_is_refused() -> None:
    with pytest.raises(ValueError, match="week 2027-W01 has not begun"):
        ask_for(Subscription("weekly"), Week(2027, 1), at("2026-11-18T10:00:00", "UTC"))


@pytest.mark.parametrize(
    ("now", "due", "following"),
    [
        ("2026-11-16T07:59:59", "2026-W45", "2026-11-16T08:00:00"),
        ("2026-11-16T08:00:00", "2026-W46", "2026-11-23T08:00:00"),
        ("2026-11-22T23:59:59", "2026-W46", "2026-11-23T08:00:00"),
    ],
)
def test_it_is_due_on_monday_morning_local_time(now: str, due: str, following: str) -> None:
    zone = "America/New_York"
    subscription = Subscription("weekly", zone, at=time(8))
    assert str(newest_due(subscription, at(now, zone))) == due
    assert next_due_s(subscription, at(now, zone)) == at(following, zone)
