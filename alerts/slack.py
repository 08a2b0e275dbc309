"""A chat: incoming webhooks of Slack, and of what takes the same (Mattermost, Rocket.Chat).

Attachments, since Mattermost shows no blocks. What comes from outside is shown and does nothing:
no mention, no link, no markup.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from alerts.base import ChannelError, Message, Outcome, ToldAlert
from alerts.exchange import HttpOptions, exchange, outcome, reach
from alerts.link import view_url
from alerts.shown import shown
from settings import SecretError, WebUrl
from store.alert_book import NotificationRow

NS_PER_S: Final = 1_000_000_000
MOST_ALERTS: Final = 20
"""Attachments of one message; how many more there are is said."""
_EVIDENCE_LINES, _LINE, _SHORT = 5, 300, 120
_SHORT_FIELD: Final = 40
_COLOURS: Final = {"firing": "danger", "resolved": "good"}
_HEADINGS: Final = {
    "first": "Firing",
    "new-member": "More firing",
    "some-resolved": "Some resolved",
    "all-resolved": "Resolved",
    "repeat": "Still firing",
}


class SlackOptions(HttpOptions):
    """A chat's incoming webhook: Slack's, Mattermost's and the like."""

    url: WebUrl
    """The webhook, `{env: NAME}` or `{file: PATH}`: who knows it may post."""


class SlackChannel:
    """Posts notifications as messages. `base_url` is the address of the UI, for links."""

    def __init__(self, options: SlackOptions, base_url: str) -> None:
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
        said = chat_message(notification, self._base_url)
        try:
            answer = await exchange(
                "POST",
                self._options.url.reveal(),
                self._options,
                json=json.dumps(said).encode(),
            )
        except (ChannelError, SecretError) as error:
            return Outcome.failed(to, str(error))
        return outcome(answer, to)

    async def greet(self) -> str:
        """See Channel."""
        return await reach(self._options.url, self._options)


def chat_message(row: NotificationRow, base_url: str) -> dict[str, Any]:
    """What is posted. Each attachment ends with the notification's id: a duplicate shows."""
    message = Message.from_payload(row.payload)
    alerts = sorted(message.alerts, key=lambda each: (each.status, not each.is_news))
    left_out = len(alerts) - MOST_ALERTS
    more = f" (the first {MOST_ALERTS} of {len(alerts)})" if left_out > 0 else ""
    about = ", ".join(inert(value, _SHORT) for value in message.group.values())
    heading = _HEADINGS.get(message.occasion, "Alerts")
    return {
        "text": f"*{heading}*: {about or inert(alerts[0].rule)}{more}",
        "attachments": [_attachment(each, row.id, base_url) for each in alerts[:MOST_ALERTS]],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def inert(text: str, limit: int = _LINE) -> str:
    """One line that a chat shows as it is: no mention, no link, no markup.

    `&<>` are escaped as Slack asks, which also ends `<!channel>`; `@`, hosts and schemes as in
    mails; what Markdown would make of the rest is taken apart.
    """
    plain = shown(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("`", "'").replace("](", "] (")


def _attachment(alert: ToldAlert, id: str, base_url: str) -> dict[str, Any]:
    summary = inert(alert.summary)
    link = view_url(alert.link, base_url)
    return {
        "color": _COLOURS[alert.status],
        "fallback": f"{alert.status.upper()}: {summary}",
        "title": f"{alert.status.capitalize()}: {summary}",
        **({"title_link": link} if link else {}),
        "text": "\n".join(_lines(alert)),
        "fields": [*_fields(alert.labels), *_fields(alert.figures)],
        "footer": f"Stalewatch · {inert(alert.rule)} · {inert(id)}",
        "ts": alert.at_ns // NS_PER_S,
        "mrkdwn_in": ["text"],
    }


def _lines(alert: ToldAlert) -> list[str]:
    lines = [f"Why: {inert(alert.reason)}"]
    if alert.cause:
        lines.append(f"Cause: {inert(alert.cause)}")
    if alert.evidence:
        shown_lines = [inert(line) for line in alert.evidence[:_EVIDENCE_LINES]]
        left_out = len(alert.evidence) - len(shown_lines)
        more = [f"... and {left_out} more"] if left_out > 0 else []
        lines += ["```", *shown_lines, *more, "```"]
    return lines


def _fields(named: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"title": inert(name), "value": inert(value), "short": len(value) <= _SHORT_FIELD}
        for name, value in named.items()
    ]
