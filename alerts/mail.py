"""Mail over SMTP: with STARTTLS, TLS or neither, and with a login."""

import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from email.message import EmailMessage
from typing import Annotated, Final, Literal, Self

import aiosmtplib
from pydantic import AfterValidator, Field, model_validator

from alerts.base import ChannelError, Outcome, Refusal
from alerts.letter import compose
from alerts.report_letter import compose_report
from settings import Address, Duration, FilePath, Secret, SecretError, Section, Tls, TlsError
from store.alert_book import NotificationRow

_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_FINAL: Final = 500
"""Answers from here on are for good (RFC 5321, 4.2.1)."""


def _mailbox(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("expected a mail address such as sre@example.com, without a name")
    return text


Mailbox = Annotated[str, AfterValidator(_mailbox)]
"""`local@domain` in ASCII."""


class MailOptions(Section):
    """Mail over SMTP."""

    smtp: Address
    """The mail server, `host:port`: 587 for `starttls`, 465 for `tls`, 25 for `none`."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured: by STARTTLS, which must succeed, from the start, or not."""
    ca: FilePath | None = None
    """File of the authorities to trust instead of the machine's, PEM."""
    username: str | None = None
    """The user of the login; needs `password`."""
    password: Secret | None = None
    """The password of the login, `{env: NAME}` or `{file: PATH}`."""
    sender: Annotated[Mailbox, Field(alias="from")]
    """The address that mails come from; its domain stands in every Message-ID."""
    to: Annotated[tuple[Mailbox, ...], Field(min_length=1)]
    """Whom to tell."""
    timeout: Duration = Duration.parse("15s")
    """How long one answer of the server may take."""

    @model_validator(mode="after")
    def _has_a_safe_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("expected both username and password, or neither")
        if self.password is not None and self.tls == "none" and not self.smtp.is_loopback:
            raise ValueError("expected tls: starttls or tls, or the password is sent in the clear")
        return self


class MailChannel:
    """Sends notifications as mails. `base_url` is the address of the UI, for links."""

    def __init__(self, options: MailOptions, base_url: str) -> None:
        self._options = options
        self._base_url = base_url

    @property
    def recipients(self) -> Sequence[str]:
        """See Channel."""
        return self._options.to

    @property
    def address(self) -> str:
        """See Channel."""
        return str(self._options.smtp)

    async def deliver(self, notification: NotificationRow) -> Outcome:
        """See Channel."""
        to = notification.recipients
        try:
            letter = self._letter(notification)
            async with self._connected() as client:
                refused = await _send(client, self._options.sender, to, letter.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            return Outcome([_refusal(one.recipient, one) for one in error.recipients])
        except (aiosmtplib.SMTPDataError, aiosmtplib.SMTPSenderRefused) as error:
            return Outcome.failed(to, _said(error), is_final=error.code >= _FINAL)
        except ChannelError as error:
            return Outcome.failed(to, str(error))
        return Outcome([_refusal(each, answer) for each, answer in refused.items()])

    def _letter(self, notification: NotificationRow) -> EmailMessage:
        sender, base_url = self._options.sender, self._base_url
        if notification.kind == "report":
            return compose_report(notification, sender, base_url)
        return compose(notification, sender, self._options.to, base_url)

    async def greet(self) -> str:
        """See Channel."""
        async with self._connected() as client:
            await client.noop()
            lines = (
                client.last_ehlo_response.message.splitlines() if client.last_ehlo_response else []
            )
        return lines[0][:80] if lines else "smtp"

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that is secured and logged in. Raises ChannelError for all but a refusal.

        What a server says before it was offered a mail is of no mail: a wrong password or a server
        that is closing is a reason to come again, not to give the mail up.
        """
        try:
            client = self._client()
            await client.connect()
            try:
                yield client
            finally:
                await _part(client)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError):
            raise
        except aiosmtplib.SMTPSenderRefused:
            raise
        except (aiosmtplib.SMTPException, OSError, SecretError, TlsError) as error:
            raise ChannelError(f"{self._options.smtp}: {_said(error)}") from error

    def _client(self) -> aiosmtplib.SMTP:
        options = self._options
        return aiosmtplib.SMTP(
            hostname=options.smtp.host,
            port=options.smtp.port,
            use_tls=options.tls == "tls",
            start_tls=options.tls == "starttls",
            tls_context=None if options.tls == "none" else Tls(ca=options.ca).context(),
            username=options.username,
            password=options.password.reveal() if options.password else None,
            timeout=options.timeout.seconds,
        )


async def _send(
    client: aiosmtplib.SMTP, sender: str, to: Sequence[str], letter: bytes
) -> dict[str, aiosmtplib.SMTPResponse]:
    refused, _ = await client.sendmail(sender, list(to), letter)
    return refused


async def _part(client: aiosmtplib.SMTP) -> None:
    """Take leave. A mail that was accepted stays accepted, whatever the server says to QUIT."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        if client.is_connected:
            await client.quit()
    client.close()


def _refusal(
    recipient: str, answer: aiosmtplib.SMTPResponse | aiosmtplib.SMTPRecipientRefused
) -> Refusal:
    return Refusal(recipient, f"{answer.code} {answer.message}"[:300], answer.code >= _FINAL)


def _said(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"[:300]
    return (str(error) or type(error).__name__)[:300]
