"""A webhook: the payload that Alertmanager posts (version 4), for all that take it already."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from alerts.base import ChannelError, Message, Outcome
from alerts.exchange import HttpOptions, exchange, outcome, reach
from alerts.labelled import annotations_of, group_labels_of, in_common, labels_of, written
from settings import Secret, SecretError, WebUrl
from store.alert_book import NotificationRow

ID_HEADER: Final = "Idempotency-Key"
"""Has the notification's id: what comes twice after a crash has it twice."""
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS: Final = {"host", "content-length", "content-type", ID_HEADER.lower()}


def _header_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name.lower() in _OURS:
        raise ValueError("expected the name of a header that is not set by us")
    return name


class WebhookOptions(HttpOptions):
    """A webhook that takes what Alertmanager posts."""

    url: WebUrl
    """Where to post; `{env: NAME}` or `{file: PATH}` where the address itself is a secret."""
    headers: dict[Annotated[str, AfterValidator(_header_name)], Secret] = Field(
        default_factory=dict
    )
    """More headers, each value a secret: `X-Api-Key: {env: API_KEY}`."""
    max_alerts: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Most alerts of one payload; `truncatedAlerts` says how many more there are."""


class WebhookChannel:
    """Posts notifications as JSON. `base_url` is the address of the UI, for links."""

    def __init__(self, options: WebhookOptions, base_url: str) -> None:
        self._options = options
        self._base_url = base_url

    @property
    def recipients(self) -> Sequence[str]:
        """See Channel."""
        return (self.address,)

    @property
    def address(self) -> str:
        """See Channel."""
        return str(self._options.url)

    async def deliver(self, notification: NotificationRow) -> Outcome:
        """See Channel."""
        to = notification.recipients
        message = Message.from_payload(notification.payload)
        body = payload(message, notification.channel, self._base_url, self._options.max_alerts)
        try:
            revealed = {name: each.reveal() for name, each in self._options.headers.items()}
            answer = await exchange(
                "POST",
                self._options.url.reveal(),
                self._options,
                json=json.dumps(body).encode(),
                headers={**revealed, ID_HEADER: notification.id},
            )
        except (ChannelError, SecretError) as error:
            return Outcome.failed(to, str(error))
        return outcome(answer, to)

    async def greet(self) -> str:
        """See Channel."""
        return await reach(self._options.url, self._options)


def payload(message: Message, receiver: str, base_url: str, most: int) -> dict[str, Any]:
    """What is posted: Alertmanager's webhook, version 4. Firing alerts come first."""
    alerts = sorted(message.alerts, key=lambda each: each.status)
    shown_alerts = alerts[:most]
    group = group_labels_of(message.group)
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f"{k}={json.dumps(v)}" for k, v in group.items()) + "}",
        "truncatedAlerts": len(alerts) - len(shown_alerts),
        "receiver": receiver,
        "status": "firing" if any(one.status == "firing" for one in alerts) else "resolved",
        "groupLabels": group,
        "commonLabels": in_common(labels_of(one.rule, one.labels) for one in shown_alerts),
        "commonAnnotations": in_common(annotations_of(one) for one in shown_alerts),
        "externalURL": base_url.rstrip("/"),
        "alerts": [written(one, base_url) for one in shown_alerts],
    }
