"""Alerts, their transitions and what is owed of them, as JSON."""

from stalewatch.api.items import Item, times
from store.alert_book import AlertRow, NotificationRow, TransitionRow


def alert_item(row: AlertRow) -> Item:
    """An alert; `link` is below the address of the pages."""
    return {
        "id": row.id,
        "rule": row.rule,
        "labels": dict(row.labels),
        "state": row.state,
        "reason": row.reason,
        "is_frozen": row.is_frozen,
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
