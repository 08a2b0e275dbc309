"""What a group's message says of each of its alerts: pure."""

import json
from collections.abc import Iterator, Sequence

from alerts.base import Message, ToldAlert
from alerts.groups import Member
from alerts.look import Look
from store.alert_book import AlertRow, ToldRow
from store.matching import RULE, write_matcher
from store.silences import Matcher


def news_first(alert: ToldAlert) -> tuple[bool, bool, int, str]:
    """The order of alerts in a message: news, what fires, the oldest."""
    return not alert.is_news, alert.status == "resolved", alert.since_ns, alert.id


def shared_matchers(alerts: Sequence[ToldAlert]) -> Sequence[str]:
    """Matchers of what all of these have in common: a silence over them."""
    every = [{RULE: each.rule, **each.labels} for each in alerts]
    common = set.intersection(*(set(each.items()) for each in every))
    return [
        write_matcher(Matcher(name, "=", value))
        for name, value in every[0].items()
        if (name, value) in common
    ]


def tell(alert: AlertRow, look: Look, member: Member, now_ns: int, *, is_news: bool) -> ToldAlert:
    """What is told of an alert after a look at it."""
    ended_at_ns = (alert.resolved_at_ns or now_ns) if member.fate == "resolved" else None
    going_on_ns = member.firing_since_ns if is_news else now_ns
    return ToldAlert(
        id=alert.id,
        rule=alert.rule,
        status=member.fate,
        is_news=is_news,
        summary=alert.summary,
        reason=alert.reason,
        since_ns=min(member.firing_since_ns, alert.pending_since_ns or member.firing_since_ns),
        at_ns=going_on_ns if ended_at_ns is None else ended_at_ns,
        ends_at_ns=ended_at_ns,
        labels=alert.labels,
        figures=look.figures,
        evidence=alert.evidence,
        cause=look.cause,
        link=alert.link,
        finding=look.finding,
    )


def tell_end(row: ToldRow, alert: str, now_ns: int) -> ToldAlert:
    """An alert that nobody keeps any more, from what was told of it last."""
    (last,) = _read(row.payload)
    return ToldAlert(
        id=alert,
        rule=last.rule,
        status="resolved",
        is_news=True,
        summary=last.summary,
        reason="no longer watched",
        since_ns=last.since_ns,
        at_ns=now_ns,
        ends_at_ns=now_ns,
        labels=last.labels,
        link=last.link,
    )


def _read(payload: str) -> Iterator[ToldAlert]:
    """What a group was told, also by a version that told of one alert at a time."""
    read = json.loads(payload)
    if "id" in read:
        yield ToldAlert.read(read)
    else:
        yield from Message.from_payload(payload).alerts
