"""A real SMTP server (aiosmtpd) in the test's event loop, which can be made to behave badly."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.tls import Identity

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Taken:
    """One mail that was accepted: its recipients in the envelope, and itself."""

    to: tuple[str, ...]
    raw: bytes
    was_secured: bool
    login: str

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, EmailMessage, policy=default)

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])


@dataclass
class MailServer:
    """Takes mail on a loopback port, which stays the same over `stop` and `start`.

    `refusals` answers RCPT by recipient, `data_answers` answers the next DATAs in turn, `drops`
    cuts so many connections after DATA, `keeps_dropped` says whether those mails were taken.
    """

    identity: Identity | None = None
    """With one, STARTTLS is offered; with `tls_at_once` the connection begins with TLS."""
    tls_at_once: bool = False
    login: tuple[str, str] | None = None
    """User and password that it asks for."""
    refusals: dict[str, str] = field(default_factory=dict)
    data_answers: list[str] = field(default_factory=list)
    drops: int = 0
    keeps_dropped: bool = True
    mails: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> Self:
        """Listen."""
        context = self._context()
        options: Mapping[str, Any] = {
            "hostname": "mail.test",
            "tls_context": None if self.tls_at_once else context,
            "require_starttls": context is not None and not self.tls_at_once,
            "auth_required": self.login is not None,
            "auth_require_tls": context is not None and not self.tls_at_once,
            "authenticator": self._authenticate if self.login else None,
        }
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, loop=loop, **options),
            HOST,
            self.port,
            ssl=context if self.tls_at_once else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Be down: connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        self.commands.append("RCPT")
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_NOOP(  # noqa: N802
        self, _server: SMTP, _session: Session, _envelope: Envelope, _argument: str
    ) -> str:
        self.commands.append("NOOP")
        return "250 fine"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.commands.append("DATA")
        answer = self.data_answers.pop(0) if self.data_answers else "250 taken"
        is_dropped = self.drops > 0
        if answer.startswith("2") and (not is_dropped or self.keeps_dropped):
            self._take(session, envelope)
        if is_dropped:
            self.drops -= 1
            _cut(server)
        return answer

    def _take(self, session: Session, envelope: Envelope) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        login = getattr(session, "login", "") or ""
        secured = session.ssl is not None or self.tls_at_once
        self.mails.append(Taken(tuple(envelope.rcpt_tos), raw, secured, login))

    def _authenticate(
        self, _server: SMTP, session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        if isinstance(data, LoginPassword):
            given = (data.login.decode(), data.password.decode())
            if given == self.login:
                session.login = given[0]  # type: ignore[attr-defined]
                return AuthResult(success=True)
        return AuthResult(success=False, handled=False)

    def _context(self) -> ssl.SSLContext | None:
        if self.identity is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.identity.cert, self.identity.key)
        return context


@contextlib.contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """One in a thread and loop of its own, for code that runs a loop itself."""
    loop, server = asyncio.new_event_loop(), MailServer()
    thread = threading.Thread(target=loop.run_forever, name="mail-server")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield server
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _cut(server: SMTP) -> None:
    transport = server.transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()


@dataclass
class SilentServer:
    """Takes connections and never says a word."""

    port: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._hold, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        await reader.read()
