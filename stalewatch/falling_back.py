"""Looks for what a channel does not get rid of, and owes it to another channel as well."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from alerts.base import Channel
from alerts.fallback import OLD_NEWS_NS, Fallback, Why, decide, instead
from stalewatch.clock import wall_ns
from stalewatch.config.model import Config
from stalewatch.telling_metrics import TellingMetrics
from store.alert_book import AlertBook, NotificationRow
from store.base import StoreError

LOOK_S: Final = 5.0
_TOLD: Final = (Why.LATE, Why.REFUSED)

log = structlog.get_logger()


class FallingBack:
    """The fallbacks of one config over an alert book."""

    def __init__(
        self,
        fallbacks: Sequence[Fallback],
        channels: Mapping[str, Channel],
        book: AlertBook,
        metrics: TellingMetrics,
    ) -> None:
        self._fallbacks = fallbacks
        self._channels = channels
        self._book = book
        self._metrics = metrics

    async def look(self) -> float:
        """Owe elsewhere what is due; the seconds until the next look."""
        try:
            for fallback in self._fallbacks:
                count = await asyncio.to_thread(self.fall_back, fallback, wall_ns())
                if count:
                    self._metrics.note_fallbacks(fallback.channel, fallback.to, count)
                    log.warning(
                        "told elsewhere as well", channel=fallback.channel, to=fallback.to, n=count
                    )
        except StoreError as error:
            log.error("fallbacks cannot be looked for", why=str(error))
        return LOOK_S

    def fall_back(self, fallback: Fallback, now_ns: int) -> int:
        """One look for one channel; how many notifications are told elsewhere by it."""
        rows = self._book.overdue(
            fallback.channel, fallback.to, now_ns - fallback.after_ns, now_ns - OLD_NEWS_NS
        )
        copies = list(self._copies(rows, fallback, now_ns))
        return self._book.fall_back(copies) if copies else 0

    def _copies(
        self, rows: Sequence[NotificationRow], fallback: Fallback, now_ns: int
    ) -> Iterator[NotificationRow]:
        recipients = self._channels[fallback.to].recipients
        for row in rows:
            why = decide(row, fallback, now_ns)
            if why in _TOLD:
                try:
                    yield instead(row, fallback, why, recipients, now_ns)
                except (ValueError, TypeError, KeyError):
                    log.error("a notification cannot be read", id=row.id)


def fallbacks_of(config: Config) -> list[Fallback]:
    """Those that a config declares."""
    settings: Mapping[str, Any] = config.channels
    return [
        Fallback(name, one.fallback.channel, one.fallback.after.ns)
        for name, one in settings.items()
        if one.fallback is not None
    ]
