"""Notifications for tests, and an alert book that holds them."""

from collections.abc import Sequence
from dataclasses import replace

from alerts.base import Message, ToldAlert
from alerts.chart import Chart
from alerts.groups import Occasion
from store.alert_book import NotificationRow

S = 1_000_000_000
START = 1_800_000_000 * S
ALERT = ToldAlert(
    id="a1",
    rule="edge-stale",
    status="firing",
    is_news=True,
    summary="edge holds product 42 stale for 4.2 s, over its maximum of 2 s",
    reason="over the limit for 2 min",
    at_ns=START,
    since_ns=START - 120 * S,
    ends_at_ns=None,
    labels={"node": "eu-edge-1", "layer": "edge", "keyspace": "product", "key": "42"},
    figures={"staleness": "4.1 – 4.3 s", "maximum": "2 s", "budget burn": "16.2 times over 1 h"},
    evidence=['{"type":"write","key":"42","version":7}', '{"type":"cache_read","version":6}'],
    cause="lost invalidation: eu-edge-1 never said that it got the message",
    link="key/product/42?from=2027-01-15T07:45:00.000&to=2027-01-15T08:00:00.000",
    finding="f-12ab",
)
CHART = Chart(
    title="Largest proven staleness at edge/eu-edge-1, by minute",
    unit="seconds",
    since_ns=START - 3_600 * S,
    until_ns=START,
    values=[0.0] * 20 + [None] * 4 + [0.0] * 23 + [n / 3 for n in range(1, 13)] + [4.1],
    limit=2.0,
)
"""An hour by minute: 20 and 23 zeros around 4 minutes without data, then up to 4.1 s."""
MESSAGE = Message(
    occasion=Occasion.FIRST.value,
    group={"rule": "edge-stale"},
    alerts=[ALERT],
    at_ns=START,
    link="alerts?silence=rule%3Dedge-stale",
)


def notification(
    id: str = "n1",
    *,
    message: Message = MESSAGE,
    to: Sequence[str] = ("sre@example.com",),
    channel: str = "sre",
    created_at_ns: int = START,
) -> NotificationRow:
    """One that is owed, the first of its thread."""
    return NotificationRow(
        id=id,
        channel=channel,
        alerts=("a1",),
        kind="first",
        thread=id,
        payload=message.to_payload(),
        recipients=tuple(to),
        state="owed",
        attempts=0,
        created_at_ns=created_at_ns,
        next_at_ns=created_at_ns,
    )


def about(*alerts: ToldAlert, occasion: Occasion = Occasion.FIRST, **changed: object) -> Message:
    """A message of these alerts; without any, of the usual one with something else in it."""
    told = list(alerts) or [replace(ALERT, **changed)]  # type: ignore[arg-type]
    return replace(MESSAGE, alerts=told, occasion=occasion.value)


def ended(alert: ToldAlert = ALERT, after_s: int = 300) -> ToldAlert:
    """The same, resolved."""
    at_ns = START + after_s * S
    return replace(
        alert,
        status="resolved",
        at_ns=at_ns,
        ends_at_ns=at_ns,
        reason="clear for its time",
        summary="edge holds product 42 fresh again",
    )
