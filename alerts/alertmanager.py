"""Alertmanager's API: not an event that is told once, but a state that is told again and again.

Every replica is told all that fires, with an end that lies ahead: where Stalewatch falls silent,
an Alertmanager takes the alert for resolved by itself. Nothing is owed and nothing kept: after a
restart, or once a replica is back, all that holds is told anew. Source: Prometheus,
rules/alerting.go (needsSending, resolvedRetention) and notifier/notifier.go.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from alerts.base import ChannelError, Outcome, ToldAlert
from alerts.exchange import HttpOptions, exchange, told
from alerts.labelled import annotations_of, instant, labels_of
from alerts.link import view_url
from settings import Duration, SecretError, WebUrl
from store.alert_book import AlertRow, NotificationRow

NS_PER_S: Final = 1_000_000_000
RESOLVED_FOR_NS: Final = 300 * NS_PER_S
"""So long a resolved alert is told as such."""
AT_ONCE: Final = 100
"""Alerts of one request."""
_AHEAD: Final = 3
"""How many intervals the end of what fires lies ahead."""
_STATUS_BYTES: Final = 65_536


def _interval(resend: Duration) -> Duration:
    if not 5 * NS_PER_S <= resend.ns <= 3_600 * NS_PER_S:
        raise ValueError("expected an interval from 5s to 1h")
    return resend


class AlertmanagerOptions(HttpOptions):
    """An Alertmanager, which groups, routes and silences by itself."""

    urls: Annotated[tuple[WebUrl, ...], Field(min_length=1, max_length=16)]
    """Every replica, `http://alertmanager-0:9093`: each is told everything."""
    resend: Annotated[Duration, AfterValidator(_interval)] = Duration.parse("1m")
    """How often it is told again what fires; the end that it is given lies three times so far."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a replica took of an alert last."""

    firing_since_ns: int | None
    is_resolved: bool
    at_ns: int


class AlertmanagerChannel:
    """Tells every replica how alerts stand. It has no recipients: no notification is owed to it."""

    def __init__(self, options: AlertmanagerOptions, base_url: str) -> None:
        self.options = options
        self._base_url = base_url

    @property
    def recipients(self) -> Sequence[str]:
        """See Channel."""
        return ()

    @property
    def address(self) -> str:
        """See Channel."""
        return ", ".join(str(url) for url in self.options.urls)

    async def deliver(self, notification: NotificationRow) -> Outcome:
        """Refuse what was owed when the channel was of another kind."""
        why = "an Alertmanager is told of states, and takes no notification"
        return Outcome.failed(notification.recipients, why, is_final=True)

    async def greet(self) -> str:
        """See Channel."""
        said = await asyncio.gather(*(self._version(url) for url in self.options.urls))
        return f"alertmanager {', '.join(sorted(set(said)))}"

    async def post(self, url: WebUrl, rows: Sequence[AlertRow], now_ns: int) -> None:
        """Tell one replica, in one request. Raises ChannelError where it does not take it."""
        body = [postable(row, now_ns, self.options.resend.ns, self._base_url) for row in rows]
        answer = await exchange(
            "POST", _below(url, "api/v2/alerts"), self.options, json=json.dumps(body).encode()
        )
        if not answer.is_accepted:
            raise ChannelError(told(answer))

    async def _version(self, url: WebUrl) -> str:
        where = _below(url, "api/v2/status")
        try:
            answer = await exchange("GET", where, self.options, body_bytes=_STATUS_BYTES)
            if not answer.is_accepted:
                raise ChannelError(told(answer))
            return str(json.loads(answer.body)["versionInfo"]["version"])[:40]
        except ChannelError as error:
            raise ChannelError(f"{url}: {error}") from None
        except (ValueError, KeyError, TypeError):
            raise ChannelError(f"{url}: what answers is no Alertmanager") from None


def is_told(row: AlertRow, now_ns: int) -> bool:
    """Whether an Alertmanager is to hear of an alert now.

    A frozen alert still fires: to fall silent would be to say that it is resolved.
    """
    if row.state == "resolved":
        return now_ns - (row.resolved_at_ns or 0) < RESOLVED_FOR_NS
    return row.state == "firing"


def due(
    rows: Iterable[AlertRow], accepted: Mapping[str, Accepted], now_ns: int, resend_ns: int
) -> list[AlertRow]:
    """What a replica has to be told now: what is new to it, and what it was told a while ago."""
    return [
        row
        for row in rows
        if is_told(row, now_ns) and _is_due(row, accepted.get(row.id), now_ns, resend_ns)
    ]


def accepted_of(row: AlertRow, now_ns: int) -> Accepted:
    """What is kept of an alert that a replica took."""
    return Accepted(row.firing_since_ns, row.state == "resolved", now_ns)


def postable(row: AlertRow, now_ns: int, resend_ns: int, base_url: str) -> dict[str, Any]:
    """An alert as the API takes it. Its identity is its labels alone: no value stands there."""
    is_resolved = row.state == "resolved"
    ends_at_ns = row.resolved_at_ns if is_resolved else now_ns + _AHEAD * resend_ns
    return {
        "labels": labels_of(row.rule, row.labels),
        "annotations": annotations_of(_told(row, now_ns)),
        "startsAt": instant(row.firing_since_ns or now_ns),
        "endsAt": instant(ends_at_ns or now_ns),
        "generatorURL": view_url(row.link, base_url),
    }


def _is_due(row: AlertRow, last: Accepted | None, now_ns: int, resend_ns: int) -> bool:
    if last is None or last.firing_since_ns != row.firing_since_ns:
        return True
    if last.is_resolved != (row.state == "resolved"):
        return True
    # A clock that was set back is no reason to wait.
    return not 0 <= now_ns - last.at_ns < resend_ns


def _told(row: AlertRow, now_ns: int) -> ToldAlert:
    since_ns = row.firing_since_ns or now_ns
    return ToldAlert(
        id=row.id,
        rule=row.rule,
        status="resolved" if row.state == "resolved" else "firing",
        is_news=False,
        summary=row.summary,
        reason=row.reason,
        since_ns=since_ns,
        at_ns=since_ns,
        ends_at_ns=row.resolved_at_ns,
        labels=row.labels,
        figures={},
        evidence=row.evidence,
        cause="",
        link=row.link,
        finding="",
    )


def _below(url: WebUrl, path: str) -> str:
    """An address of the API. Raises ChannelError."""
    try:
        return f"{url.reveal().partition('?')[0].rstrip('/')}/{path}"
    except SecretError as error:
        raise ChannelError(str(error)) from None
