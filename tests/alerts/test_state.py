"""The state machine of alerts, as timelines."""

import pytest

from alerts.look import Condition
from alerts.state import LONGEST_GAP_NS, NS_PER_S, Why
from tests.alerts.timeline import START_NS, Timeline

GAP_S = LONGEST_GAP_NS // NS_PER_S


def test_a_condition_fires_once_it_held_for_its_time() -> None:
    line = Timeline(for_s=60)
    line.at(0).clears().wants("inactive", Why.QUIET)
    line.at(1).holds().wants("pending", Why.BEGAN)
    line.at(31).holds().wants("pending", Why.WAITING)
    line.at(60).holds().wants("pending", Why.WAITING)
    line.at(61).holds().wants("firing", Why.HELD)
    line.at(65).holds().wants("firing", Why.HOLDS)
    assert line.alert.firing_since_ns == START_NS + 61 * NS_PER_S
    assert line.states == ["pending", "firing"]


def test_without_a_time_it_fires_at_once() -> None:
    line = Timeline()
    line.at(1).holds().wants("firing", Why.HELD)
    assert line.states == ["firing"]


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        pytest.param(Condition.CLEAR, Why.BRIEF, id="clear"),
        pytest.param(Condition.EASED, Why.BRIEF, id="no longer over the limit"),
        pytest.param(Condition.GONE, Why.GONE, id="no longer watched"),
    ],
)
def test_a_condition_that_ends_before_its_time_never_fires(condition: Condition, why: Why) -> None:
    line = Timeline(for_s=60)
    line.at(1).holds().at(50).sees(condition).wants("inactive", why)
    line.at(55).holds().wants("pending", Why.BEGAN)
    line.at(100).holds().wants("pending", Why.WAITING)
    line.at(115).holds().wants("firing", Why.HELD)


def test_what_fires_resolves_once_it_is_clear() -> None:
    line = Timeline()
    line.at(1).holds().at(9).clears().wants("resolved", Why.RECOVERED)
    assert line.alert.resolved_at_ns == START_NS + 9 * NS_PER_S
    line.at(10).clears().wants("resolved", Why.OVER)


def test_it_is_kept_firing_until_it_was_clear_for_its_time() -> None:
    line = Timeline(keep_firing_for_s=30)
    line.at(1).holds()
    line.at(10).clears().wants("firing", Why.KEPT)
    line.at(39).clears().wants("firing", Why.KEPT)
    line.at(40).clears().wants("resolved", Why.RECOVERED)


def test_a_relapse_while_it_is_kept_firing_begins_its_time_anew() -> None:
    line = Timeline(keep_firing_for_s=30)
    line.at(1).holds().at(10).clears()
    line.at(35).holds().wants("firing", Why.HOLDS)
    line.at(41).clears().at(70).clears().wants("firing", Why.KEPT)
    line.at(71).clears().wants("resolved", Why.RECOVERED)
    assert line.states == ["firing", "resolved"]


def test_between_recovery_and_limit_it_neither_fires_nor_resolves() -> None:
    line = Timeline(keep_firing_for_s=10)
    line.at(0).eases().wants("inactive", Why.QUIET)
    line.at(1).holds().wants("firing", Why.HELD)
    line.at(5).clears().at(14).eases().wants("firing", Why.EASED)
    line.at(16).clears().at(25).clears().wants("firing", Why.KEPT)
    line.at(26).clears().wants("resolved", Why.RECOVERED)


def test_what_is_no_longer_watched_resolves_at_once() -> None:
    line = Timeline(keep_firing_for_s=600)
    line.at(1).holds().at(2).is_gone().wants("resolved", Why.GONE)


def test_resolved_fades_to_inactive() -> None:
    line = Timeline()
    line.at(1).holds().at(2).clears().at(901).clears().wants("resolved", Why.OVER)
    line.at(902).clears().wants("inactive", Why.FADED)
    assert line.alert.firing_since_ns is None


def test_what_resolved_may_fire_again() -> None:
    line = Timeline(for_s=10)
    line.at(1).holds().at(11).holds().at(12).clears()
    line.at(20).holds().wants("pending", Why.BEGAN).at(30).holds().wants("firing", Why.HELD)
    assert line.states == ["pending", "firing", "resolved", "pending", "firing"]


class TestWhenMeasurementIsLost:
    def test_nothing_begins(self) -> None:
        line = Timeline()
        line.at(1).is_lost().wants("inactive", Why.LOST, is_frozen=True)
        line.at(9).clears().wants("inactive", Why.QUIET)

    def test_a_pending_alert_does_not_fire_and_its_time_stands_still(self) -> None:
        line = Timeline(for_s=20)
        line.at(0).holds().at(10).holds()
        line.at(15).is_lost().wants("pending", Why.LOST, is_frozen=True)
        line.at(40).is_lost().wants("pending", Why.LOST, is_frozen=True)
        line.at(45).holds().wants("pending", Why.WAITING)  # 10 s were seen, and 35 s were not
        line.at(54).holds().wants("pending", Why.WAITING)
        line.at(55).holds().wants("firing", Why.HELD)

    def test_a_firing_alert_does_not_resolve_and_keeps_what_made_it_fire(self) -> None:
        line = Timeline()
        line.at(1).holds().at(9).is_lost().wants("firing", Why.LOST, is_frozen=True)
        assert line.alert.evidence == ("seen: holds",)
        assert line.alert.summary == "it unknown"
        line.at(12).clears().wants("resolved", Why.RECOVERED)

    def test_the_time_that_an_alert_is_kept_firing_stands_still(self) -> None:
        line = Timeline(keep_firing_for_s=20)
        line.at(1).holds().at(10).clears().at(15).clears()
        line.at(20).is_lost().at(50).is_lost().at(55).clears().wants("firing", Why.KEPT)
        line.at(69).clears().wants("firing", Why.KEPT)
        line.at(70).clears().wants("resolved", Why.RECOVERED)

    def test_a_resolved_alert_stays_so(self) -> None:
        line = Timeline()
        line.at(1).holds().at(2).clears()
        line.at(5000).is_lost().wants("resolved", Why.LOST, is_frozen=True)


class TestARestart:
    def test_while_inactive(self) -> None:
        line = Timeline(for_s=10)
        line.at(1).clears().restarts()
        line.at(5).holds().wants("pending", Why.BEGAN)

    def test_while_pending_goes_on_with_the_time_that_was_seen(self) -> None:
        line = Timeline(for_s=60)
        line.at(0).holds().at(40).holds().restarts()
        line.at(59).holds().wants("pending", Why.WAITING)
        line.at(60).holds().wants("firing", Why.HELD)

    def test_while_pending_counts_no_time_that_nobody_saw(self) -> None:
        line = Timeline(for_s=60)
        line.at(0).holds().at(40).holds().restarts()
        line.at(40 + GAP_S + 100).holds().wants("pending", Why.WAITING)
        line.every(5, 40 + GAP_S + 115).wants("pending", Why.WAITING)
        line.every(5, 40 + GAP_S + 120).wants("firing", Why.HELD)

    def test_while_firing_fires_no_second_time(self) -> None:
        line = Timeline()
        line.at(1).holds().restarts().at(20_000).holds().wants("firing", Why.HOLDS)
        assert line.states == ["firing"]
        assert line.alert.firing_since_ns == START_NS + NS_PER_S

    def test_while_kept_firing(self) -> None:
        line = Timeline(keep_firing_for_s=30)
        line.at(1).holds().at(10).clears().restarts()
        line.at(39).clears().wants("firing", Why.KEPT)
        line.restarts().at(40).clears().wants("resolved", Why.RECOVERED)

    def test_while_frozen(self) -> None:
        line = Timeline()
        line.at(1).holds().at(5).is_lost().restarts()
        line.at(9).is_lost().wants("firing", Why.LOST, is_frozen=True)
        line.at(12).clears().wants("resolved", Why.RECOVERED)

    def test_while_resolved(self) -> None:
        line = Timeline()
        line.at(1).holds().at(2).clears().restarts()
        line.at(901).clears().wants("resolved", Why.OVER)
        line.restarts().at(902).clears().wants("inactive", Why.FADED)


def test_a_wall_clock_that_steps_back_costs_no_alert_its_time() -> None:
    line = Timeline(for_s=60)
    line.at(5000).holds().at(5030).holds()
    line.at(1000).holds().wants("pending", Why.WAITING)
    line.at(1029).holds().wants("pending", Why.WAITING)
    line.at(1030).holds().wants("firing", Why.HELD)
