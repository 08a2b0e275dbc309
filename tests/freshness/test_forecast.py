"""When a budget will be exhausted, against answers worked out by hand and a plain simulation."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.counts import NOTHING, Counts, count_events
from freshness.forecast import Forecast, Outlook, Recent, forecast
from freshness.objective import Objective, Timeslices
from freshness.window import Cumulative, Window
from tests.freshness.budgets import DAY, HOUR, calendar, objective, steady, weighted

NOW = 28 * DAY
CLEAN, BURNING = count_events(good=1_000), count_events(good=990, bad=10)


def foretell(
    cells: Mapping[int, Counts],
    made: Objective | None = None,
    recent_s: int = DAY,
    period: Window | None = None,
) -> Forecast:
    made = objective() if made is None else made
    series = Cumulative(cells)
    recent = Recent(series.window(Window(NOW - recent_s, NOW)), recent_s)
    return forecast(made, series, made.window_at(NOW, period), recent, period)


def hours(last_day: Counts, before: Counts = CLEAN) -> dict[int, Counts]:
    """27 days of one kind of hours, and a day of another."""
    return {**steady(before, 0, 27 * DAY, HOUR), **steady(last_day, 27 * DAY, NOW, HOUR)}


def test_a_day_at_ten_times_the_budget_leaves_1_8_days() -> None:
    """The budget of 28 days is 672 bad reads; 240 are spent, 10 more each hour: 43.2 hours."""
    assert foretell(hours(BURNING)) == Forecast(Outlook.EXHAUSTS, NOW + 44 * HOUR)


@pytest.mark.parametrize(
    ("burst_day", "after_hours"),
    [
        pytest.param(0, 312, id="the burst ages out: 48 + 2 an hour reach 672"),
        pytest.param(20, 24, id="the burst stays: 624 + 2 an hour reach 672"),
    ],
)
def test_what_ages_out_gives_budget_back(burst_day: int, after_hours: int) -> None:
    """Of 672, 576 went in two days of 12 an hour; 48 yesterday, at 2 an hour."""
    burst_s = burst_day * DAY
    cells = {
        **steady(CLEAN, 0, NOW, HOUR),
        **steady(count_events(good=988, bad=12), burst_s, burst_s + 2 * DAY, HOUR),
        **steady(count_events(good=998, bad=2), 27 * DAY, NOW, HOUR),
    }
    assert foretell(cells) == Forecast(Outlook.EXHAUSTS, NOW + after_hours * HOUR)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param({}, Outlook.NO_DATA, id="nothing known"),
        pytest.param(steady(CLEAN, 0, 26 * DAY, HOUR), Outlook.NO_DATA, id="nothing lately"),
        pytest.param(hours(CLEAN), Outlook.NOT_BURNING, id="clean"),
        pytest.param(hours(CLEAN, BURNING), Outlook.EXHAUSTED, id="spent, though clean lately"),
        pytest.param(
            hours(CLEAN, count_events(good=9_995, bad=5)), Outlook.NOT_BURNING, id="clean by now"
        ),
        pytest.param(
            hours(count_events(good=9_995, bad=5), CLEAN),
            Outlook.NOT_BURNING,
            id="at half the rate",
        ),
        pytest.param(hours(count_events(good=999, bad=1), CLEAN), Outlook.EXHAUSTS, id="at one"),
    ],
)
def test_outlooks(cells: Mapping[int, Counts], expected: Outlook) -> None:
    assert foretell(cells).outlook is expected


def test_at_exactly_the_allowed_rate_it_lasts_until_all_else_has_aged_out() -> None:
    last = foretell(hours(count_events(good=999, bad=1), CLEAN))
    assert last == Forecast(Outlook.EXHAUSTS, NOW + 27 * DAY)


def test_a_period_of_slices_has_the_budget_of_all_its_slices() -> None:
    """A month of 30 days at 99 % may have 432 bad minutes; a minute an hour from day 0 on: 672."""
    made = calendar(Timeslices(Fraction("0.9")), "0.99")
    month = Window(0, 30 * DAY)
    minutes = {
        at: count_events(bad=1) if at % HOUR == 0 else count_events(good=1)
        for at in range(14 * DAY, NOW, 60)
    }
    told = foretell(minutes, made, period=month)
    assert told.outlook is Outlook.NOT_BURNING  # 336 spent, 48 to come
    more = {**minutes, **steady(count_events(bad=1), 14 * DAY, 14 * DAY + 90 * 60, 60)}
    told = foretell(more, made, period=month)
    spent = Cumulative(more).window(Window(0, NOW)).bad
    assert told.outlook is Outlook.EXHAUSTS
    assert told.at_s is not None
    assert 0 <= told.at_s - (NOW + (432 - spent) * HOUR) <= 5 * 60


short = objective("0.9", 20 * 60)
slices = st.dictionaries(st.integers(0, 19).map(lambda at: at * 60), weighted, min_size=1)


@given(cells=slices, recent_s=st.sampled_from([120, 300]))
def test_it_is_what_rolling_on_gives(cells: dict[int, Counts], recent_s: int) -> None:
    """The plain way: each minute ahead, what is left of the window and what has come since."""
    series, now = Cumulative(cells), 20 * 60
    recent = series.window(Window(now - recent_s, now))
    told = forecast(short, series, Window(0, now), Recent(recent, recent_s))

    def is_exhausted(ahead_s: int) -> bool:
        kept = series.window(Window(ahead_s, now))
        bad = Fraction(kept.bad_weight) + Fraction(recent.bad_weight) * ahead_s / recent_s
        n = Fraction(kept.judged_weight) + Fraction(recent.judged_weight) * ahead_s / recent_s
        return bad >= n * Fraction(1, 10)

    if series.window(Window(0, now)).judged == 0:
        assert told.outlook is Outlook.NO_DATA
    elif is_exhausted(0):
        assert told.outlook is Outlook.EXHAUSTED
    elif recent.judged == 0:
        assert told.outlook is Outlook.NO_DATA
    elif recent.bad == 0:
        assert told.outlook is Outlook.NOT_BURNING
    else:
        first = next((at for at in range(60, now + 1, 60) if is_exhausted(at)), None)
        assert told.at_s == (None if first is None else now + first)


def test_nothing_known_of_the_past() -> None:
    assert foretell({0: NOTHING}).outlook is Outlook.NO_DATA
