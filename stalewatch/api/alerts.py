"""Alerts, their transitions and what is owed of them, as JSON."""

from collections.abc import Sequence

from stalewatch.api.items import Item, times
from stalewatch.api.silences import ack_item
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Store
from store.matching import ack_of, silences_over
from store.silences import AckRow, SilenceRow


def alerts_of(store: Store, now_ns: int) -> list[Item]:
    """Every alert, and what keeps it from being told."""
    silences, acks = store.silences(now_ns), store.acks()
    return [alert_item(row, silences, acks, now_ns) for row in store.alerts()]


def alert_item(
    row: AlertRow, silences: Sequence[SilenceRow], acks: Sequence[AckRow], now_ns: int
) -> Item:
    """An alert; `link` is below the address of the pages."""
    ack = ack_of(row, acks)
    return {
        "id": row.id,
        "rule": row.rule,
        "labels": dict(row.labels),
        "state": row.state,
        "reason": row.reason,
        "is_frozen": row.is_frozen,
        "inhibited_by": row.inhibited_by or None,
        "silenced_by": [each.id for each in silences_over(row, silences, now_ns)],
        "acknowledged": None if ack is None else ack_item(ack),
        "value": row.value,
        "summary": row.summary,
        "evidence": list(row.evidence),
        "link": row.link,
        **times(
            pending_since=row.pending_since_ns,
            firing_since=row.firing_since_ns,
            clear_since=row.clear_since_ns,
            resolved_at=row.resolved_at_ns,
            seen_at=row.seen_at_ns,
        ),
    }


def transition_item(row: TransitionRow) -> Item:
    """One step of one alert."""
    return {
        "alert": row.alert,
        **times(at=row.at_ns),
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
    }


def notification_item(row: NotificationRow) -> Item:
    """What a channel is owed, and what became of it; `recipients` have not accepted it yet."""
    return {
        "id": row.id,
        "channel": row.channel,
        "alerts": list(row.alerts),
        "kind": row.kind,
        "thread": row.thread,
        "state": row.state,
        "attempts": row.attempts,
        "recipients": list(row.recipients),
        "why": row.why,
        **times(
            created_at=row.created_at_ns,
            next_at=row.next_at_ns,
            delivered_at=row.delivered_at_ns,
        ),
    }
