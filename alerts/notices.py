"""What is owed to whom by now: pure, and level-triggered, so that no edge can be missed.

The id of a notification follows from its alert, the firing, the channel and its kind alone: to owe
it twice is to owe it once.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from alerts.base import Message, ToldAlert
from alerts.look import Look
from store.alert_book import AlertRow, NotificationRow

NS_PER_S: Final = 1_000_000_000
REPEAT_NS: Final = 4 * 3_600 * NS_PER_S
"""So often an alert that goes on firing is told again."""
Kind = Literal["firing", "resolved", "repeat"]


@dataclass(frozen=True, slots=True)
class Told:
    """What was owed for an alert before: ids, and the threads that were begun, by channel."""

    ids: frozenset[str] = frozenset()
    threads: frozenset[tuple[str, str]] = frozenset()
    """(channel, id of the first notification)."""

    def with_rows(self, rows: Iterable[NotificationRow]) -> "Told":
        """With more."""
        more = list(rows)
        return Told(
            self.ids | {row.id for row in more},
            self.threads | {(row.channel, row.thread) for row in more},
        )


def owed(
    alert: AlertRow,
    look: Look,
    channels: Sequence[str],
    told: Told,
    recipients: Mapping[str, Sequence[str]],
    now_ns: int,
) -> list[NotificationRow]:
    """The notifications that an alert owes by now, less those that it owed before.

    `channels` are those of its rule, none in mode `observe`. What is inhibited or frozen waits.
    A resolution is told where the firing was, whatever the rule says by now.
    """
    if alert.firing_since_ns is None or look.is_inhibited:
        return []
    rows = []
    for channel in sorted({*channels, *(name for name, _ in told.threads)}):
        first = notification_id(alert, channel, "firing")
        is_told = (channel, first) in told.threads
        kind = _kind(alert, is_told, channel in channels, now_ns)
        if kind is None or not recipients.get(channel):
            continue
        id = notification_id(alert, channel, kind, _repeats(alert, now_ns))
        if id not in told.ids:
            payload = _message(alert, look, kind, now_ns).to_payload()
            rows.append(
                NotificationRow(
                    id=id,
                    channel=channel,
                    alert=alert.id,
                    kind=kind,
                    thread=first,
                    payload=payload,
                    recipients=tuple(recipients[channel]),
                    state="owed",
                    attempts=0,
                    created_at_ns=now_ns,
                    next_at_ns=now_ns,
                )
            )
    return rows


def notification_id(alert: AlertRow, channel: str, kind: Kind, repeat: int = 0) -> str:
    """The id of what one channel is told of one firing; `repeat` counts for repeats alone."""
    parts = [alert.id, str(alert.firing_since_ns), channel, kind]
    if kind == "repeat":
        parts.append(str(repeat))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _kind(alert: AlertRow, is_told: bool, is_wanted: bool, now_ns: int) -> Kind | None:
    if alert.state == "resolved":
        return "resolved" if is_told else None
    if alert.state != "firing" or alert.is_frozen or not is_wanted:
        return None
    if not is_told:
        return "firing"
    return "repeat" if _repeats(alert, now_ns) else None


def _repeats(alert: AlertRow, now_ns: int) -> int:
    return max(0, now_ns - (alert.firing_since_ns or now_ns)) // REPEAT_NS


def _message(alert: AlertRow, look: Look, kind: Kind, now_ns: int) -> Message:
    firing_since_ns = alert.firing_since_ns or now_ns
    at_ns = {
        "firing": firing_since_ns,
        "resolved": alert.resolved_at_ns or now_ns,
        "repeat": now_ns,
    }[kind]
    told = ToldAlert(
        id=alert.id,
        rule=alert.rule,
        status="resolved" if kind == "resolved" else "firing",
        is_news=kind != "repeat",
        summary=alert.summary,
        reason=alert.reason,
        since_ns=min(firing_since_ns, alert.pending_since_ns or firing_since_ns),
        at_ns=at_ns,
        ends_at_ns=alert.resolved_at_ns if kind == "resolved" else None,
        labels=alert.labels,
        figures=look.figures,
        evidence=alert.evidence,
        cause=look.cause,
        link=alert.link,
        finding=look.finding,
    )
    occasion = {"firing": "first", "resolved": "all-resolved", "repeat": "repeat"}[kind]
    return Message(occasion, alert.labels, [told], at_ns, alert.link)
