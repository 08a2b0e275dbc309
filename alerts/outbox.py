"""Delivers what is owed: leases it, hands it to its channel, writes what came of it.

At least once: what was delivered and not yet written when a process died is delivered again, with
the same Message-ID. A lease keeps two deliveries of one notification apart, and runs out.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from alerts.base import Channel, Outcome
from store.alert_book import AlertBook, NotificationRow

NS_PER_S: Final = 1_000_000_000
DELIVERY_S: Final = 90.0
"""A delivery that takes longer is given up for this time."""
LEASE_NS: Final = 120 * NS_PER_S
"""Longer than a delivery, so that none runs out in the middle of one."""
AT_ONCE: Final = 4
"""Deliveries side by side: what one mail server bears from one client."""
FIRST_WAIT_NS, LONGEST_WAIT_NS = 5 * NS_PER_S, 900 * NS_PER_S
GIVE_UP_NS: Final = 5 * 86_400 * NS_PER_S
"""A notification that nobody took for so long is dead (RFC 5321, 4.5.4.1: four to five days)."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt, as it ended: the row as it was written."""

    notification: NotificationRow
    accepted: int
    """How many recipients took it in this attempt."""


class Outbox:
    """The worker over an alert book.

    `now_ns` is wall time; `jitter` gives a number in [0, 1) for each wait; `delivered` is called
    with each attempt once it is written. The book is called in threads.
    """

    def __init__(
        self,
        book: AlertBook,
        channels: Mapping[str, Channel],
        now_ns: Callable[[], int],
        jitter: Callable[[], float],
        delivered: Callable[[Delivery], None] = lambda _: None,
    ) -> None:
        self._book = book
        self._channels = channels
        self._now_ns = now_ns
        self._jitter = jitter
        self._delivered = delivered

    async def deliver_due(self) -> int:
        """Try a few that are due now, once each; how many they were. Raises StoreError."""
        now_ns = self._now_ns()
        leased = await asyncio.to_thread(self._book.lease, now_ns, now_ns + LEASE_NS, AT_ONCE)
        # All come to their end before an error of the store is raised: each has a lease.
        done = await asyncio.gather(*map(self._attempt, leased), return_exceptions=True)
        for error in done:
            if error is not None:
                raise error
        return len(leased)

    async def _attempt(self, notification: NotificationRow) -> None:
        outcome = await self._outcome(notification)
        settled = settle(notification, outcome, self._now_ns(), self._jitter())
        await asyncio.to_thread(self._book.settle, settled)
        self._delivered(Delivery(settled, len(notification.recipients) - len(settled.recipients)))

    async def _outcome(self, notification: NotificationRow) -> Outcome:
        """What the channel says. A fault of ours is no reason to drop what is owed."""
        to = notification.recipients
        channel = self._channels.get(notification.channel)
        if channel is None:
            return Outcome.failed(to, f"no channel {notification.channel} in the config")
        try:
            async with asyncio.timeout(DELIVERY_S):
                return await channel.deliver(notification)
        except TimeoutError:
            return Outcome.failed(to, f"not done within {DELIVERY_S:g} s")
        except Exception as error:
            log.exception("a channel failed", channel=notification.channel, id=notification.id)
            return Outcome.failed(to, f"{type(error).__name__}: {error}"[:300])


def settle(
    notification: NotificationRow, outcome: Outcome, now_ns: int, jitter: float
) -> NotificationRow:
    """What becomes of a notification: delivered, owed to those left after a wait, or dead.

    It stays owed while there is hope for anybody; then it is dead for those who refused for good.
    A server that asks for a longer wait gets it, up to the longest of ours.
    It keeps the end of its lease, by which the book knows whose word this is.
    """
    row = replace(
        notification,
        attempts=notification.attempts + 1,
        recipients=tuple(refusal.recipient for refusal in outcome.refused),
        why="; ".join(f"{refusal.recipient}: {refusal.why}" for refusal in outcome.refused),
    )
    if not outcome.refused:
        return replace(row, state="delivered", delivered_at_ns=now_ns)
    is_hopeless = all(refusal.is_final for refusal in outcome.refused)
    if is_hopeless or now_ns - notification.created_at_ns >= GIVE_UP_NS:
        return replace(row, state="dead")
    asked_ns = min(LONGEST_WAIT_NS, round(outcome.retry_after_s * NS_PER_S))
    wait = max(wait_ns(row.attempts, jitter), asked_ns)
    return replace(row, state="owed", next_at_ns=now_ns + wait)


def wait_ns(attempts: int, jitter: float) -> int:
    """How long to wait after so many attempts: full jitter over a doubling bound.

    The bound is 5 s after the first and 15 min at most; `jitter` is in [0, 1).
    """
    bound_ns = min(LONGEST_WAIT_NS, FIRST_WAIT_NS << min(attempts - 1, 16))
    return round(bound_ns * jitter)


async def deliver_until(
    stopped: asyncio.Event, outbox: Outbox, every_s: float, failed: Callable[[Exception], None]
) -> None:
    """Deliver what is due, and look again every so many seconds, until told to stop."""
    while not stopped.is_set():
        try:
            has_more = await outbox.deliver_due() == AT_ONCE
        except Exception as error:
            has_more = False
            failed(error)
        if not has_more:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), every_s)
