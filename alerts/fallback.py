"""When what one channel owes is told through another as well: pure.

A notification that nobody has taken for so long, or that was refused for good, is told once more
elsewhere, and says so. It stays owed where it was. Its id follows from the first one's, so that it
is told there once, whatever restarts. What is told in place of another is never told a third time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts.base import Message
from store.alert_book import FELL_BACK, NotificationRow

NS_PER_S: Final = 1_000_000_000
OLD_NEWS_NS: Final = 86_400 * NS_PER_S
"""What was refused longer ago is not told now, where a fallback has just been set up."""
_WHY: Final = 160


@dataclass(frozen=True, slots=True)
class Fallback:
    """Where else a channel's notifications are told, and after how long."""

    channel: str
    to: str
    after_ns: int


class Why(StrEnum):
    """The named reason of what becomes of a notification."""

    LATE = "owed for too long"
    REFUSED = "refused for good"
    IN_TIME = "not owed for long enough"
    TOLD = "taken"
    INSTEAD = "told in place of another already"
    OLD = "refused too long ago"


def decide(row: NotificationRow, fallback: Fallback, now_ns: int) -> Why:
    """Whether a notification is told elsewhere, and why (not)."""
    if FELL_BACK in row.id:
        return Why.INSTEAD
    if row.state == "delivered":
        return Why.TOLD
    age_ns = now_ns - row.created_at_ns
    if row.state == "dead":
        return Why.REFUSED if age_ns < OLD_NEWS_NS else Why.OLD
    return Why.LATE if age_ns >= fallback.after_ns else Why.IN_TIME


def instead(
    row: NotificationRow, fallback: Fallback, why: Why, recipients: Sequence[str], now_ns: int
) -> NotificationRow:
    """What the other channel owes in its place.

    Raises ValueError, TypeError or KeyError where the payload is none of ours.
    """
    message = Message.from_payload(row.payload)
    remark = _remark(row, fallback, why, now_ns)
    alerts = [replace(each, summary=f"{remark}: {each.summary}") for each in message.alerts]
    return replace(
        row,
        id=f"{row.id}{FELL_BACK}{fallback.to}",
        channel=fallback.to,
        thread=f"{row.thread}{FELL_BACK}{fallback.to}",
        payload=replace(message, alerts=alerts).to_payload(),
        recipients=tuple(recipients),
        state="owed",
        attempts=0,
        created_at_ns=now_ns,
        next_at_ns=now_ns,
        leased_until_ns=None,
        delivered_at_ns=None,
        why="",
    )


def _remark(row: NotificationRow, fallback: Fallback, why: Why, now_ns: int) -> str:
    minutes = (now_ns - row.created_at_ns) // (60 * NS_PER_S)
    owed = "refused it" if why is Why.REFUSED else f"has not taken it for {minutes} min"
    said = f" ({row.why[:_WHY]})" if row.why else ""
    return f"told here because {fallback.channel} {owed}{said}"
