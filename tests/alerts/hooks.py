"""Groups of alerts to tell over HTTP, and a desk that tells them through a real outbox."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerts.base import Channel, Message, ToldAlert
from alerts.outbox import Outbox
from store.alert_book import NotificationRow
from store.base import Store
from tests.store import rows

S = 1_000_000_000
START = 1_800_000_000 * S
UI = "https://ops.example.com/stalewatch/"
R1 = ToldAlert(
    id="a1",
    rule="edge-stale",
    status="firing",
    is_news=True,
    summary="edge holds product 42 stale for 4.2 s, over its maximum of 2 s",
    reason="the condition held for its time",
    since_ns=START - 120 * S,
    at_ns=START,
    ends_at_ns=None,
    labels={"layer": "edge", "node": "r1", "key": "42"},
    figures={"staleness": "4.1 – 4.3 s", "maximum": "2 s"},
    evidence=['{"type":"write","version":7}', '{"type":"cache_read","version":6}'],
    cause="lost invalidation",
    link="key/product/42?from=2027-01-15T07:45:00.000&to=2027-01-15T08:00:00.000",
    finding="f-12ab",
)
R2 = replace(
    R1,
    id="a2",
    status="resolved",
    labels={"layer": "edge", "node": "r2"},
    ends_at_ns=START,
    reason="clear for its time",
)


def group(*alerts: ToldAlert, occasion: str = "first") -> Message:
    """Alerts of one rule on one layer."""
    return Message(occasion, {"rule": "edge-stale", "layer": "edge"}, alerts or (R1,), START, "")


def owed(
    message: Message, to: Sequence[str], id: str = "n1", at_ns: int = START
) -> NotificationRow:
    """What the channel `sre` owes."""
    payload = message.to_payload()
    return rows.notification(
        id, thread=id, payload=payload, recipients=tuple(to), created_at_ns=at_ns, next_at_ns=at_ns
    )


@dataclass
class Desk:
    """An outbox over a real store, under a clock of its own."""

    book: Store
    channel: Channel
    now_ns: int = START

    def owe(self, id: str = "n1", message: Message | None = None) -> None:
        row = owed(message or group(), self.channel.recipients, id, self.now_ns)
        self.book.write_alerts([], [], [row])

    async def work(self) -> int:
        outbox = Outbox(self.book, {"sre": self.channel}, lambda: self.now_ns, lambda: 0.9)
        return await outbox.deliver_due()

    async def work_until(self, until_ns: int) -> None:
        while self.now_ns < until_ns:
            await self.work()
            self.now_ns += S

    @property
    def row(self) -> NotificationRow:
        (row,) = self.book.notifications()
        return row
