"""The outbox of a running server: a task of its own that delivers until it is stopped."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from alerts.base import Channel
from alerts.groups import GroupTiming
from alerts.kinds import KINDS
from alerts.notices import Audience
from alerts.outbox import Delivery, Outbox, deliver_until
from stalewatch.clock import wall_ns
from stalewatch.config.model import Config
from store.alert_book import AlertBook, NotificationRow

LOOK_S: Final = 1.0
"""How often it looks for what is owed."""
LAST_DELIVERY_S: Final = 3.0
"""How long a delivery may still take once everything is to end; its lease outlives it."""

log = structlog.get_logger()


class DeliveryTask:
    """Delivers on the event loop that starts it; `observe` is told of every attempt."""

    def __init__(self, book: AlertBook, observe: Callable[[NotificationRow], None]) -> None:
        self._book = book
        self._observe = observe
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, channels: Mapping[str, Channel]) -> None:
        """Begin to deliver, to these channels."""
        self._stopped.clear()
        outbox = Outbox(self._book, channels, wall_ns, random.random, self._note)
        self._task = asyncio.create_task(
            deliver_until(self._stopped, outbox, LOOK_S, _note_failure)
        )

    async def stop(self) -> None:
        """Begin no other delivery; what does not end in time is tried again after its lease."""
        if self._task is None:
            return
        self._stopped.set()
        task, self._task = self._task, None
        await asyncio.wait([task], timeout=LAST_DELIVERY_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def _note(self, delivery: Delivery) -> None:
        row = delivery.notification
        self._observe(row)
        if row.state != "delivered":
            tell = log.error if row.state == "dead" else log.warning
            tell("not delivered", channel=row.channel, state=row.state, why=row.why)


def open_channels(config: Config, base_url: str) -> dict[str, Channel]:
    """The channels of a config; `base_url` is where users see the UI."""
    settings: dict[str, Any] = dict(config.channels)
    return {name: KINDS[one.kind].open(one, base_url) for name, one in settings.items()}


def audiences(config: Config, channels: Mapping[str, Channel]) -> dict[str, Audience]:
    """Whom each channel of a config tells, and how it groups."""
    groups = {name: one.group for name, one in config.channels.items()}
    return {
        name: Audience(
            channel.recipients,
            groups[name].by,
            GroupTiming(groups[name].wait.ns, groups[name].interval.ns, groups[name].repeat.ns),
        )
        for name, channel in channels.items()
        if channel.recipients  # who is told of states, and not of events, is owed nothing
    }


def _note_failure(error: Exception) -> None:
    log.error("the outbox cannot be worked on", why=str(error))
