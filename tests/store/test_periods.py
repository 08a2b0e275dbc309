"""Calendar periods, where clocks change and where months and years end."""

from datetime import UTC, datetime

import pytest

from freshness.objective import Calendar
from store.periods import period_at


def s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("calendar", "zone", "at", "since", "until"),
    [
        pytest.param("day", "UTC", "2026-01-31T12:00", "2026-01-31", "2026-02-01", id="day"),
        pytest.param("week", "UTC", "2026-01-01T12:00", "2025-12-29", "2026-01-05", id="week"),
        pytest.param("month", "UTC", "2025-12-31T23:59", "2025-12-01", "2026-01-01", id="month"),
        pytest.param(
            "day", "Europe/Berlin", "2026-03-29T10:00", "2026-03-28T23:00", "2026-03-29T22:00",
            id="a day of 23 hours",
        ),
        pytest.param(
            "week", "Europe/Berlin", "2026-10-25T22:59", "2026-10-18T22:00", "2026-10-25T23:00",
            id="a week of 169 hours",
        ),
        pytest.param(
            "day", "Asia/Kolkata", "2026-05-01T18:29", "2026-04-30T18:30", "2026-05-01T18:30",
            id="half an hour off",
        ),
    ],
)  # fmt: skip
def test_period(calendar: str, zone: str, at: str, since: str, until: str) -> None:
    found = period_at(Calendar(calendar), zone, s(at))
    assert found == (s(since), s(until))
