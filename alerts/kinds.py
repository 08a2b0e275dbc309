"""The kinds of delivery channels: a line each."""

from collections.abc import Mapping
from typing import Final

from alerts import alertmanager, mail, slack, webhook
from alerts.base import ChannelKind

KINDS: Final[Mapping[str, ChannelKind]] = {
    "mail": ChannelKind(mail.MailOptions, mail.MailChannel),
    "webhook": ChannelKind(webhook.WebhookOptions, webhook.WebhookChannel),
    "slack": ChannelKind(slack.SlackOptions, slack.SlackChannel),
    "alertmanager": ChannelKind(
        alertmanager.AlertmanagerOptions,
        alertmanager.AlertmanagerChannel,
        takes_notifications=False,
    ),
}
