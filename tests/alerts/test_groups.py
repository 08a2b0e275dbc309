"""When a group of alerts is told, as timelines: three clocks, five occasions, three mutes."""

import pytest

from alerts.groups import Muted, Occasion
from tests.alerts.group_timeline import GroupTimeline

FIRST, NEW, REPEAT = Occasion.FIRST, Occasion.NEW_MEMBER, Occasion.REPEAT
SOME, ALL = Occasion.SOME_RESOLVED, Occasion.ALL_RESOLVED
FOUR_H = 14_400


class TestTheFirstTime:
    def test_it_waits_for_company(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").wants_nothing().at(20).fires("b").wants_nothing()
        line.at(29).wants_nothing().at(30).wants(FIRST, "+a", "+b")
        line.until(FOUR_H)

    def test_without_a_wait_it_is_told_at_once(self) -> None:
        GroupTimeline(wait_s=0).at(0).fires("a").wants(FIRST, "+a")

    def test_what_is_over_before_is_never_told(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(10).resolves("a").wants_nothing()
        assert line.is_over
        line.until(1_000)

    def test_company_that_left_meanwhile_is_not_named(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a", "b").at(10).resolves("a").at(30).wants(FIRST, "+b")

    def test_a_measurement_that_comes_and_goes_does_not_put_it_off(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a")
        for second in range(5, 30, 10):
            line.at(second).mutes("a", Muted.FROZEN).at(second + 5).mutes("a", None)
        line.wants(FIRST, "+a")


class TestTheInterval:
    def test_a_new_member_is_told_after_it(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(30).wants(FIRST, "+a")
        line.at(40).fires("b").wants_nothing().until(325)
        line.at(330).wants(NEW, "a", "+b").until(FOUR_H)

    def test_a_member_that_comes_late_is_told_at_once(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(30).at(900).fires("b").wants(NEW, "a", "+b")

    def test_what_is_resolved_is_told_after_it(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a", "b").at(30).at(60).resolves("a").until(325)
        line.at(330).wants(SOME, "-a", "b").until(FOUR_H)
        line.at(FOUR_H + 330).wants(REPEAT, "b")

    def test_new_and_resolved_are_one_message(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(30).at(60).resolves("a").fires("b").at(330).wants(NEW, "-a", "+b")

    def test_all_resolved_ends_the_group(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a", "b").at(30).at(400).resolves("a", "b").wants(ALL, "-a", "-b")
        assert line.is_over
        line.until(5_000)

    def test_a_resolution_is_told_once(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a", "b").at(30).at(400).resolves("a").wants(SOME, "-a", "b")
        line.until(800).at(900).resolves("b").wants(ALL, "-b")

    def test_flapping_is_told_no_more_often(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(30).wants(FIRST, "+a")
        for second in range(40, 320, 20):
            line.at(second).resolves("a").wants_nothing()
            line.at(second + 10).fires("a").wants_nothing()
        line.at(330).wants(NEW, "+a")

    def test_what_fired_and_ended_again_meanwhile_is_told_as_resolved(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(30)
        line.at(60).resolves("a").at(90).fires("a").at(120).resolves("a").wants_nothing()
        line.at(330).wants(ALL, "-a")
        assert line.is_over

    def test_after_its_end_it_begins_anew_with_a_wait(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").at(30).at(400).resolves("a").wants(ALL, "-a")
        line.at(405).fires("a").wants_nothing().at(434).wants_nothing().at(435).wants(FIRST, "+a")


class TestRepeats:
    def test_what_goes_on_is_repeated(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").until(FOUR_H - 5)
        line.at(FOUR_H).wants(REPEAT, "a").until(2 * FOUR_H - 5).at(2 * FOUR_H).wants(REPEAT, "a")

    def test_news_puts_the_repeat_off(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(10_000).fires("b").wants(NEW, "a", "+b")
        line.at(FOUR_H).wants_nothing().at(10_000 + FOUR_H).wants(REPEAT, "a", "b")

    def test_what_is_acknowledged_is_not_repeated(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(60).acknowledges("a").at(10 * FOUR_H).wants_nothing()
        line.at(10 * FOUR_H + 5).resolves("a").wants(ALL, "-a")

    def test_one_of_two_that_is_acknowledged_leaves_the_other(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a", "b").wants(FIRST, "+a", "+b").at(60).acknowledges("a")
        line.at(FOUR_H).wants(REPEAT, "a", "b")

    def test_a_new_firing_is_not_acknowledged(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").acknowledges("a").at(600).resolves("a").at(700).fires("a")
        line.wants(FIRST, "+a").at(700 + FOUR_H).wants(REPEAT, "a")

    def test_an_acknowledgement_before_the_first_time_keeps_nobody_from_knowing(self) -> None:
        GroupTimeline().at(0).fires("a").acknowledges("a").at(30).wants(FIRST, "+a")


class TestASilence:
    def test_keeps_what_it_is_over_from_being_told(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a", "b").mutes("a", Muted.SILENCED).at(30).wants(FIRST, "+b")

    def test_over_all_of_a_group_leaves_nothing_to_tell(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").mutes("a", Muted.SILENCED).until(2 * FOUR_H)

    def test_that_ends_lets_what_still_fires_be_told(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").mutes("a", Muted.SILENCED).at(7_200).mutes("a", None)
        line.wants(FIRST, "+a")

    def test_that_ends_tells_again_what_was_told_before_it(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").wants(FIRST, "+a").at(60).mutes("a", Muted.SILENCED)
        line.until(3_000).at(3_005).mutes("a", None).wants(NEW, "+a")

    def test_makes_what_is_resolved_under_it_never_told(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a", "b").at(400).mutes("a", Muted.SILENCED).resolves("a").wants_nothing()
        line.at(1_000).mutes("a", None).wants_nothing()
        line.at(1_005).resolves("b").wants(ALL, "-b")
        assert line.is_over

    def test_over_the_last_one_ends_a_group_in_silence(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(400).mutes("a", Muted.SILENCED).resolves("a").wants_nothing()
        assert line.is_over

    def test_does_not_hide_that_another_is_resolved(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a", "b").at(60).mutes("a", Muted.SILENCED)
        line.at(400).resolves("b").wants(ALL, "-b")
        assert not line.is_over

    def test_repeats_nothing(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a", "b").at(60).mutes("a", Muted.SILENCED).at(FOUR_H).wants(REPEAT, "b")


class TestInhibition:
    def test_is_not_told_while_something_explains_it(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.members = {}
        line.at(0).fires("b").wants(FIRST, "+b")
        line.at(400).fires("a").wants(NEW, "+a", "b").mutes("a", Muted.INHIBITED)
        line.at(FOUR_H + 400).wants(REPEAT, "b")

    def test_that_ends_does_not_tell_again_what_was_told(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(60).mutes("a", Muted.INHIBITED).at(600).mutes("a", None)
        line.wants_nothing().at(FOUR_H).wants(REPEAT, "a")

    def test_lets_a_resolution_be_told_once_it_is_over(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(400).mutes("a", Muted.INHIBITED).resolves("a").wants_nothing()
        line.at(450).mutes("a", None).wants(ALL, "-a")


class TestWhenMeasurementIsLost:
    def test_nothing_is_told_for_the_first_time(self) -> None:
        line = GroupTimeline()
        line.at(0).fires("a").mutes("a", Muted.FROZEN).until(3_600)
        line.at(3_605).mutes("a", None).wants(FIRST, "+a")

    def test_nothing_is_repeated(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(60).mutes("a", Muted.FROZEN).at(5 * FOUR_H).wants_nothing()
        line.at(5 * FOUR_H + 5).mutes("a", None).wants(REPEAT, "a")

    def test_what_is_frozen_is_not_taken_for_resolved(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a", "b").at(60).mutes("a", Muted.FROZEN)
        line.at(400).resolves("b").wants(SOME, "-b")

    def test_what_was_resolved_before_is_told(self) -> None:
        line = GroupTimeline(wait_s=0)
        line.at(0).fires("a").at(60).resolves("a").at(70).mutes("a", Muted.FROZEN)
        line.at(300).wants(ALL, "-a")


@pytest.mark.parametrize(
    "back_s",
    [pytest.param(1, id="a second"), pytest.param(86_400, id="a day")],
)
def test_a_wall_clock_that_was_set_back_keeps_nobody_waiting(back_s: int) -> None:
    line = GroupTimeline()
    line.at(90_000).fires("a").at(90_030).wants(FIRST, "+a")
    back = 90_030 - back_s
    line.at(back).fires("b").wants_nothing().until(back + 295)
    line.at(back + 300).wants(NEW, "a", "+b")
