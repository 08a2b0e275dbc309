"""Charts for what is owed: read when something is told, and for so much of it alone."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from alerts.base import Message, ToldAlert
from alerts.chart import Chart
from store.alert_book import NotificationRow

MOST_IN_A_MESSAGE: Final = 3
"""Charts of one message, of its first alerts: who shows a mail cuts one that is too long."""
MOST_AT_ONCE: Final = 24
"""Charts that one turn reads; a storm goes out without the others."""
ChartOf = Callable[[ToldAlert], Chart | None]


def illustrate(rows: Iterable[NotificationRow], chart_of: ChartOf) -> list[NotificationRow]:
    """The same notifications, with the charts of their alerts.

    An alert that several of them tell of is read once.
    """
    drawn: dict[str, Chart | None] = {}
    return [_illustrated(row, chart_of, drawn) for row in rows]


def _illustrated(
    row: NotificationRow, chart_of: ChartOf, drawn: dict[str, Chart | None]
) -> NotificationRow:
    message = Message.from_payload(row.payload)
    first = message.alerts[:MOST_IN_A_MESSAGE]
    for each in first:
        if each.id not in drawn and len(drawn) < MOST_AT_ONCE:
            drawn[each.id] = chart_of(each)
    if not any(drawn.get(each.id) for each in first):
        return row
    alerts = [*(replace(each, chart=drawn.get(each.id)) for each in first)]
    alerts += message.alerts[MOST_IN_A_MESSAGE:]
    return replace(row, payload=replace(message, alerts=alerts).to_payload())
