"""The shop's mail server: it takes every mail for anybody, and keeps the newest in memory."""

import asyncio
import json
import socket
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from lab.http_service import Reply, Request
from lab.inbox_pages import list_page, mail_page

KEPT: Final = 200
_HTML: Final = "text/html; charset=utf-8"
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'"
)
_MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came; `number` counts up from 1."""

    number: int
    to: tuple[str, ...]
    raw: bytes
    message: EmailMessage = field(repr=False)


class Inbox:
    """Takes mails over SMTP, and answers HTTP requests for them."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._taken = 0

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Take mails on a bound socket, until the server is closed."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: SMTP(self, hostname="inbox.shop.example", loop=loop), sock=listener
        )

    async def handle_DATA(  # noqa: N802  # aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take one mail."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(raw, EmailMessage, policy=default)
        self._taken += 1
        self._mails.append(Mail(self._taken, tuple(envelope.rcpt_tos), raw, message))
        return "250 taken"

    async def answer(self, request: Request) -> Reply:
        """The list at `/`, one mail at `/N`, its parts at `/N/html` and `/N/raw`."""
        number, _, part = request.path.strip("/").partition("/")
        if request.method not in {"GET", "HEAD"}:
            return Reply(405)
        if not number:
            return _page(list_page(self._listed()))
        if number == "mails.json":
            return Reply(200, json.dumps(self._listed()).encode())
        mail = next((one for one in self._mails if str(one.number) == number), None)
        return Reply(404) if mail is None else _part(mail, part)

    def _listed(self) -> list[dict[str, Any]]:
        return [
            {
                "number": mail.number,
                "to": list(mail.to),
                "subject": str(mail.message["Subject"] or ""),
                "date": str(mail.message["Date"] or ""),
                "message_id": str(mail.message["Message-ID"] or ""),
                "in_reply_to": str(mail.message["In-Reply-To"] or ""),
                "first_line": _text(mail).split("\n", 1)[0].strip(),
            }
            for mail in reversed(self._mails)
        ]


def _part(mail: Mail, part: str) -> Reply:
    if part == "raw":
        return Reply(200, mail.raw, _headers(_MAIL_POLICY), "text/plain; charset=utf-8")
    if part == "html":
        # Links open beside the inbox: the pages that they lead to refuse to be framed.
        framed = _html(mail).replace("<head>", '<head><base target="_blank">', 1)
        return Reply(200, framed.encode(), _headers(_MAIL_POLICY), _HTML)
    if part:
        return Reply(404)
    headers = {name: str(value) for name, value in mail.message.items()}
    return _page(mail_page(mail.number, headers, _text(mail)))


def _text(mail: Mail) -> str:
    return _body(mail, "plain")


def _html(mail: Mail) -> str:
    return _body(mail, "html")


def _body(mail: Mail, kind: str) -> str:
    found = mail.message.get_body((kind,))
    content = found.get_content() if found is not None else ""
    return content if isinstance(content, str) else ""


def _page(html: str) -> Reply:
    return Reply(200, html.encode(), _headers(_PAGE_POLICY), _HTML)


def _headers(policy: str) -> dict[str, str]:
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
