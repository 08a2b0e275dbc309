"""The outbox of a running server: it delivers by itself, counts, and ends in good order."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from alerts.base import Channel
from alerts.mail import MailChannel, MailOptions
from stalewatch.delivery import DeliveryTask
from stalewatch.metrics import Metrics
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.letters import notification
from tests.servers import eventually
from tests.servers.smtp import HOST, MailServer, SilentServer


@pytest.fixture
def book() -> Iterator[Store]:
    store = SqliteStore(":memory:")
    store.write_alerts([], [], [notification(created_at_ns=1)])
    yield store
    store.close()


def channels(port: int) -> Mapping[str, Channel]:
    given: dict[str, Any] = {"smtp": f"{HOST}:{port}", "tls": "none", "from": "sw@example.com"}
    options = MailOptions.model_validate({**given, "to": ["sre@example.com"]})
    return {"sre": MailChannel(options, "https://ops.example.com/")}


async def test_what_is_owed_is_delivered_and_counted(book: Store) -> None:
    metrics = Metrics()
    task = DeliveryTask(book, metrics.delivery.observe)
    async with MailServer() as server:
        task.start(channels(server.port))
        await eventually(lambda: book.notifications(state="delivered"), "the delivery")
        await task.stop()
    labels = {"channel": "sre", "outcome": "delivered"}
    assert metrics.registry.get_sample_value("stalewatch_deliveries_total", labels) == 1
    assert len(server.mails) == 1


async def test_a_reload_goes_on_with_other_channels(book: Store) -> None:
    task = DeliveryTask(book, lambda _: None)
    async with MailServer() as server:
        task.start({})
        await eventually(lambda: book.notifications()[0].attempts, "an attempt without a channel")
        await task.stop()
        task.start(channels(server.port))
        book.write_alerts([], [], [notification("n2", created_at_ns=2)])
        await eventually(lambda: server.mails, "a mail")
        await task.stop()


async def test_it_stops_while_a_server_hangs_and_keeps_what_it_owes(book: Store) -> None:
    task = DeliveryTask(book, lambda _: None)
    async with SilentServer() as server:
        task.start(channels(server.port))
        await eventually(lambda: server.connections, "a connection")
        await task.stop()
    assert [row.state for row in book.notifications()] == ["leased"]


async def test_it_may_be_stopped_before_it_was_started(book: Store) -> None:
    await DeliveryTask(book, lambda _: None).stop()
