"""What is owed to whom by now: pure, and level-triggered, so that no edge can be missed.

The id of a notification follows from its channel, its group, when that began and how often it was
told: to owe it twice is to owe it once.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from alerts.base import Message, ToldAlert
from alerts.groups import (
    Fate,
    Group,
    GroupTiming,
    Member,
    Muted,
    Occasion,
    is_news,
    next_group,
    told_now,
)
from alerts.link import alerts_link
from alerts.look import Look
from alerts.telling import news_first, shared_matchers, tell, tell_end
from store.alert_book import AlertRow, GroupRow, NotificationRow, ToldRow
from store.matching import RULE, labels_of

DEFAULT_TIMING: Final = GroupTiming()


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a channel tells, and how it groups: by the labels `by`, the name of the rule as one."""

    recipients: Sequence[str]
    by: Sequence[str] = (RULE,)
    timing: GroupTiming = DEFAULT_TIMING


@dataclass(frozen=True, slots=True)
class Tellable:
    """One alert after a look at it: the channels that its rule tells, and what keeps it quiet."""

    alert: AlertRow
    look: Look
    channels: Sequence[str] = ()
    muted: Muted | None = None
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be written: notifications, groups that changed, and ids of those that are over."""

    notifications: Sequence[NotificationRow] = ()
    changed: Sequence[GroupRow] = ()
    over: Sequence[str] = ()


@dataclass(slots=True)
class _Company:
    """A group with those that belong to it now."""

    id: str
    channel: str
    labels: Mapping[str, str]
    row: GroupRow | None = None
    members: dict[str, Member] = field(default_factory=dict)


def owed(
    tellables: Iterable[Tellable],
    audiences: Mapping[str, Audience],
    groups: Iterable[GroupRow],
    now_ns: int,
) -> Owed:
    """What every channel is owed by now, and the groups as they then are.

    An alert stays in the group that was told of it until that was told that it is over, whatever
    the channel groups by since; and what was told is told as resolved, whatever the rule tells
    by now. Groups of channels that are there no more are over.
    """
    by_id = {each.alert.id: each for each in tellables}
    rows = list(groups)
    over = [row.id for row in rows if row.channel not in audiences]
    notifications: list[NotificationRow] = []
    changed: list[GroupRow] = []
    for channel, audience in audiences.items():
        own = [row for row in rows if row.channel == channel]
        for company in _companies(channel, audience, own, by_id):
            after, owes = _step(company, audience, by_id, now_ns)
            notifications += [owes] if owes else []
            if after is None:
                over += [company.id] if company.row else []
            elif after != company.row:
                changed.append(after)
    return Owed(notifications, changed, over)


def group_id(channel: str, labels: Mapping[str, str]) -> str:
    """The id of a group: the same for the same channel and labels, for ever."""
    said = [channel, labels]
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def notification_id(group: str, began_at_ns: int, times: int) -> str:
    """The id of what a group, begun then, is told for the `times`-th time."""
    said = "\0".join((group, str(began_at_ns), str(times)))
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _companies(
    channel: str, audience: Audience, rows: Iterable[GroupRow], by_id: Mapping[str, Tellable]
) -> Sequence[_Company]:
    found = {row.id: _Company(row.id, channel, row.labels, row) for row in rows}
    told_in = {alert: company for company in found.values() for alert in _told(company)}
    for id, each in by_id.items():
        company = told_in.get(id)
        is_wanted = channel in each.channels
        if company is None and is_wanted and each.alert.state == "firing":
            labels = _group_labels(each.alert, audience.by)
            key = group_id(channel, labels)
            company = found.setdefault(key, _Company(key, channel, labels))
        if company is not None:
            told = _told(company).get(id)
            company.members[id] = _member(each, told, is_wanted=is_wanted)
    for alert, company in told_in.items():
        # Who was told must hear that it is over, though nobody keeps the alert any more.
        firing_since_ns = _told(company)[alert].firing_since_ns
        company.members.setdefault(alert, Member(alert, "resolved", firing_since_ns))
    return list(found.values())


def _told(company: _Company) -> Mapping[str, ToldRow]:
    return company.row.told if company.row else {}


def _group_labels(alert: AlertRow, by: Sequence[str]) -> dict[str, str]:
    labels = labels_of(alert)
    return {name: labels[name] for name in by if name in labels}


def _member(each: Tellable, told: ToldRow | None, *, is_wanted: bool) -> Member:
    """What a rule tells a channel no more is not repeated there, and told as resolved."""
    alert = each.alert
    fate: Fate = "firing" if alert.state == "firing" else "resolved"
    since_ns = alert.firing_since_ns
    if told is not None and (since_ns is None or not is_wanted):
        since_ns = told.firing_since_ns
    is_known = each.is_acknowledged or not is_wanted
    return Member(alert.id, fate, since_ns or 0, each.muted, is_known)


def _step(
    company: _Company, audience: Audience, by_id: Mapping[str, Tellable], now_ns: int
) -> tuple[GroupRow | None, NotificationRow | None]:
    before, members = _group(company.row), list(company.members.values())
    after, occasion = next_group(before, members, audience.timing, now_ns)
    told: dict[str, ToldAlert] = {}
    notification = None
    if occasion is not None:
        named = [
            (each, _tell(company, each, by_id, now_ns, is_news=is_news(before, each)))
            for each in told_now(before, members)
        ]
        told = {member.alert: alert for member, alert in named}
        began_at_ns, times = (before.began_at_ns, before.times + 1) if before else (now_ns, 1)
        notification = _notification(
            company, audience, occasion, told, (began_at_ns, times), now_ns
        )
    if after is None:
        return None, notification
    thread = company.row.thread if company.row else ""
    if notification is not None:
        thread = notification.thread
    return _row(company, after, thread, told), notification


def _group(row: GroupRow | None) -> Group | None:
    if row is None:
        return None
    told = {alert: each.firing_since_ns for alert, each in row.told.items()}
    return Group(row.began_at_ns, row.told_at_ns, row.times, told)


def _row(company: _Company, group: Group, thread: str, told: Mapping[str, ToldAlert]) -> GroupRow:
    kept = _told(company)
    rows = {
        alert: ToldRow(since_ns, json.dumps(asdict(told[alert]))) if alert in told else kept[alert]
        for alert, since_ns in group.told.items()
    }
    return GroupRow(
        company.id,
        company.channel,
        company.labels,
        group.began_at_ns,
        group.told_at_ns,
        group.times,
        thread,
        rows,
    )


def _notification(
    company: _Company,
    audience: Audience,
    occasion: Occasion,
    told: Mapping[str, ToldAlert],
    turn: tuple[int, int],
    now_ns: int,
) -> NotificationRow:
    alerts = sorted(told.values(), key=news_first)
    id = notification_id(company.id, *turn)
    return NotificationRow(
        id=id,
        channel=company.channel,
        alerts=tuple(each.id for each in alerts),
        kind=occasion.value,
        thread=(company.row.thread if company.row else "") or id,
        payload=Message(
            occasion.value, company.labels, alerts, now_ns, alerts_link(shared_matchers(alerts))
        ).to_payload(),
        recipients=tuple(audience.recipients),
        state="owed",
        attempts=0,
        created_at_ns=now_ns,
        next_at_ns=now_ns,
    )


def _tell(
    company: _Company,
    member: Member,
    by_id: Mapping[str, Tellable],
    now_ns: int,
    *,
    is_news: bool,
) -> ToldAlert:
    known = by_id.get(member.alert)
    if known is None:
        return tell_end(_told(company)[member.alert], member.alert, now_ns)
    return tell(known.alert, known.look, member, now_ns, is_news=is_news)
