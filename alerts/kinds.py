"""The kinds of delivery channels: a line each."""

from collections.abc import Mapping
from typing import Final

from alerts import mail
from alerts.base import ChannelKind

KINDS: Final[Mapping[str, ChannelKind]] = {
    "mail": ChannelKind(mail.MailOptions, mail.MailChannel),
}
