"""Keeps one replica of an Alertmanager told of how alerts stand, as they are in the store."""

import asyncio
from collections.abc import Set
from typing import Final

import structlog

from alerts.alertmanager import (
    AT_ONCE,
    Accepted,
    AlertmanagerChannel,
    accepted_of,
    due,
    is_told,
)
from alerts.base import ChannelError
from settings import WebUrl
from stalewatch.clock import wall_ns
from stalewatch.telling_metrics import TellingMetrics
from store.alert_book import AlertBook, AlertRow
from store.base import StoreError

NS_PER_S: Final = 1_000_000_000
LOOK_S: Final = 5.0
"""How often it is looked for news; what is old is told again each `resend`."""

log = structlog.get_logger()


class Replica:
    """One replica: what it took is remembered here alone, so that a restart tells it all anew.

    `rules` are those that notify the channel.
    """

    def __init__(
        self,
        name: str,
        channel: AlertmanagerChannel,
        url: WebUrl,
        rules: Set[str],
        book: AlertBook,
        metrics: TellingMetrics,
    ) -> None:
        self._name = name
        self._channel = channel
        self._url = url
        self._rules = rules
        self._book = book
        self._metrics = metrics
        self._accepted: dict[str, Accepted] = {}
        self._failures = 0

    async def look(self) -> float:
        """Tell what is due; the seconds until the next look, longer while it is down."""
        now_ns = wall_ns()
        try:
            rows = [
                row for row in await asyncio.to_thread(self._book.alerts) if row.rule in self._rules
            ]
        except StoreError as error:
            log.error("alerts cannot be read for an Alertmanager", why=str(error))
            return LOOK_S
        told = {row.id for row in rows if is_told(row, now_ns)}
        self._accepted = {id: one for id, one in self._accepted.items() if id in told}
        try:
            await self._tell(due(rows, self._accepted, now_ns, self._resend_ns), now_ns)
        except ChannelError as error:
            return self._fail(str(error))
        return LOOK_S

    @property
    def _resend_ns(self) -> int:
        return self._channel.options.resend.ns

    async def _tell(self, rows: list[AlertRow], now_ns: int) -> None:
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            await self._channel.post(self._url, some, now_ns)
            self._accepted |= {row.id: accepted_of(row, now_ns) for row in some}
            self._note_up()

    def _note_up(self) -> None:
        self._metrics.note_post(self._name, str(self._url), is_accepted=True)
        if self._failures:
            log.info("an Alertmanager is told again", channel=self._name, replica=str(self._url))
        self._failures = 0

    def _fail(self, why: str) -> float:
        self._metrics.note_post(self._name, str(self._url), is_accepted=False)
        if not self._failures:
            log.error(
                "an Alertmanager is not told", channel=self._name, replica=str(self._url), why=why
            )
        self._failures += 1
        return min(self._resend_ns / NS_PER_S, LOOK_S * 2.0 ** min(self._failures - 1, 10))
