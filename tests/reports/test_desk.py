"""Reports are made when they are due, once each, whatever happens meanwhile."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.report_letter import owe_report
from reports.ask import Subscription
from reports.desk import Desk
from reports.document import ReportDocument
from store.alert_book import NotificationRow
from store.base import Store, StoreError
from store.sqlite import SqliteStore
from tests.reports.month import BERLIN, DAY, HOUR, SPECS, UNTIL, S

DUE = UNTIL + 8 * HOUR
"""Monday at eight in Berlin, after the week of the month."""


def owe(to: Subscription, document: ReportDocument, now_ns: int) -> Sequence[NotificationRow]:
    return [owe_report("sre", ["a@example.com"], document, now_ns)]


@pytest.fixture
def store(month: Store) -> Store:
    return month


def desk(store: Store, *subscriptions: Subscription) -> Desk:
    made = Desk(store)
    made.begin(subscriptions or [BERLIN], SPECS)
    return made


def made_weeks(store: Store) -> list[tuple[str, str]]:
    return [(row.report, row.week) for row in store.reports()]


def reports_owed(store: Store) -> list[str]:
    return [row.id for row in store.notifications() if row.kind == "report"]


def test_it_is_made_once_it_is_due_and_once_alone(store: Store) -> None:
    one = desk(store)
    assert [row.week for row in one.make_due((DUE - 1) * S, owe)] == ["2026-W42"]
    assert one.make_due((DUE - 1) * S, owe) == []
    assert [row.week for row in one.make_due(DUE * S, owe)] == ["2026-W43"]
    assert desk(store).make_due((DUE + DAY) * S, owe) == []
    assert reports_owed(store) == ["report:weekly:2026-W43", "report:weekly:2026-W42"]


def test_weeks_in_which_nobody_ran_are_caught_up(store: Store) -> None:
    one = desk(store)
    one.make_due((DUE - 14 * DAY) * S, owe)
    made = one.make_due((DUE + 7 * DAY) * S, owe)
    assert [row.week for row in made] == ["2026-W42", "2026-W43", "2026-W44"]


def test_of_many_weeks_the_last_four_are_made(store: Store) -> None:
    one = desk(store)
    one.make_due((DUE - 21 * DAY) * S, owe)
    made = one.make_due((DUE + 70 * DAY) * S, owe)
    assert [row.week for row in made] == ["2026-W50", "2026-W51", "2026-W52", "2026-W53"]


def test_a_new_report_begins_with_the_last_week(store: Store) -> None:
    one = desk(store, BERLIN, replace(BERLIN, name="orders", owner="team-orders"))
    one.make_due(DUE * S, owe)
    assert made_weeks(store) == [("orders", "2026-W43"), ("weekly", "2026-W43")]


def test_nothing_is_told_of_a_time_before_the_first_data() -> None:
    empty = SqliteStore(":memory:")
    assert desk(empty).make_due(DUE * S, owe) == []
    empty.close()


def test_what_cannot_be_owed_is_not_made(store: Store) -> None:
    def fail(*_: object) -> Sequence[NotificationRow]:
        raise StoreError("the disk is full")

    one = desk(store)
    with pytest.raises(StoreError):
        one.make_due(DUE * S, fail)
    assert made_weeks(store) == []
    assert [row.week for row in one.make_due(DUE * S, owe)] == ["2026-W43"]


def test_two_who_make_it_at_once_make_one(store: Store) -> None:
    first, second = desk(store), desk(store)

    def meanwhile(
        to: Subscription, document: ReportDocument, now_ns: int
    ) -> Sequence[NotificationRow]:
        second.make_due(now_ns, owe)
        return owe(to, document, now_ns)

    assert first.make_due(DUE * S, meanwhile) == []
    assert reports_owed(store) == ["report:weekly:2026-W43"]


def test_a_report_stays_as_it_was_told(store: Store) -> None:
    one = desk(store)
    [row] = one.make_due(DUE * S, owe)
    again = replace(row, document="{}", made_at_ns=1)
    assert not store.write_report(again, [])
    assert store.report("weekly", "2026-W43") == row


def test_the_week_that_runs_is_shown_and_not_kept(store: Store) -> None:
    one = desk(store)
    found = one.so_far("weekly", (UNTIL + 2 * DAY + 60) * S)
    assert found is not None
    assert (found.week, found.is_over, found.hours) == ("2026-W44", False, 48)
    assert one.so_far("weekly", (UNTIL + 2 * DAY + 61) * S) is found
    assert one.so_far("other", UNTIL * S) is None
    assert made_weeks(store) == []
