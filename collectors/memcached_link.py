"""One connection to one memcached: exchanges that are timed, bounded in bytes, and never raise.

No library speaks the meta commands, so the connection is ours; an exchange is a pipeline of
requests that each get one answer.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from collectors.base import NowNs
from collectors.memcached_protocol import (
    Answer,
    Line,
    Miss,
    Parser,
    ProtocolError,
    TooLongError,
)
from collectors.options import ConnectionOptions, ServerProblem, shown
from collectors.pause import Pause

CHUNK_BYTES: Final = 1 << 16
MOST_STATS: Final = 1000


class LinkError(Exception):
    """The exchange failed; the message is a short reason that is the same each time."""

    is_too_long = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of one pipeline: an answer a request, or `why` there is none.

    `start_ns` was taken before the first byte of the first attempt was sent.
    """

    start_ns: int
    end_ns: int
    answers: Sequence[Answer] = ()
    size_bytes: int = 0
    identity: str = ""
    why: str = ""
    is_too_long: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    """What the server said of itself when we connected; empty where it does not say.

    `identity` is its process and start: another one is a restart, and an empty cache.
    """

    version: str = ""
    identity: str = ""
    time_s: int = 0
    """The server's wall clock, whole seconds since the Unix epoch."""


@dataclass(slots=True)
class Wire:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_used: bool = False

    def abort(self) -> None:
        """Drop it at once; what is still to come is nobody's."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.transport.abort()


class Dialler:
    """Makes connections: TLS, authentication, and who answers there."""

    def __init__(self, host: str, port: int, options: ConnectionOptions, longest: int) -> None:
        self._host = host
        self._port = port
        self.options = options
        self._longest = longest

    async def dial(self) -> tuple[Wire, Hello]:
        """A connection that is ready for requests. Raises LinkError."""
        wire: Wire | None = None
        try:
            async with asyncio.timeout(self.options.connect_timeout.seconds):
                wire = await self._open()
                return wire, await self._introduce(wire)
        except BaseException as error:
            if wire is not None:
                wire.abort()
            if isinstance(error, TimeoutError):
                raise LinkError("connecting timed out") from None
            if isinstance(error, ServerProblem):
                raise LinkError(str(error)) from None
            if isinstance(error, OSError):
                raise LinkError(_why(error)) from None
            raise

    async def ask(self, wire: Wire, requests: Sequence[bytes]) -> tuple[list[Answer], int]:
        """Send requests and read an answer to each; their bytes too. Raises LinkError."""
        try:
            wire.writer.write(b"".join(requests))
            return await self._receive(wire, len(requests))
        except ProtocolError as error:
            failure = LinkError(str(error))
            failure.is_too_long = isinstance(error, TooLongError)
            raise failure from None
        except ConnectionError:
            raise LinkError("connection closed") from None

    async def _receive(self, wire: Wire, count: int) -> tuple[list[Answer], int]:
        parser = Parser(self._longest)
        answers: list[Answer] = []
        size_bytes = 0
        while len(answers) < count:
            chunk = await wire.reader.read(CHUNK_BYTES)
            if not chunk:
                raise LinkError("connection closed")
            size_bytes += len(chunk)
            if size_bytes > self._longest:
                raise TooLongError(f"reply longer than {self._longest} bytes")
            answers += parser.feed(chunk)
        if len(answers) > count or not parser.is_empty:
            raise ProtocolError("more answers than requests")
        return answers, size_bytes

    async def _open(self) -> Wire:
        tls = self.options.tls
        if tls is None:
            return Wire(*await asyncio.open_connection(self._host, self._port))
        name = tls.server_name or self._host
        context = tls.context()
        return Wire(
            *await asyncio.open_connection(
                self._host, self._port, ssl=context, server_hostname=name
            )
        )

    async def _introduce(self, wire: Wire) -> Hello:
        """Log in where the server asks for it, and learn who answers."""
        (answer,), _ = await self.ask(wire, [b"version\r\n"])
        if _error(answer) == "CLIENT_ERROR unauthenticated":
            await self._log_in(wire)
            (answer,), _ = await self.ask(wire, [b"version\r\n"])
        if not isinstance(answer, Line) or answer.words[0] != "VERSION":
            raise LinkError(_error(answer) or "not the memcached protocol")
        version = shown(" ".join(answer.words[1:]), 40)
        told = await self._stats(wire)
        return Hello(version, _identity(told), _whole(told.get("time", "")))

    async def _log_in(self, wire: Wire) -> None:
        """A `set` of user and password, sent only to a server that has just asked for it.

        One without authentication would store it.
        """
        auth = self.options.auth
        if auth is None or auth.password is None:
            raise LinkError("unauthenticated")
        told = f"{auth.username} {auth.password.reveal()}".encode()
        request = b"set auth 0 0 %d\r\n%b\r\n" % (len(told), told)
        (answer,), _ = await self.ask(wire, [request])
        if not isinstance(answer, Line) or answer.words[0] != "STORED":
            raise LinkError("user or password is wrong")

    async def _stats(self, wire: Wire) -> dict[str, str]:
        """The general statistics; empty where the server (a proxy) has none."""
        wire.writer.write(b"stats\r\n")
        parser = Parser(0)
        told: dict[str, str] = {}
        while True:
            chunk = await wire.reader.read(CHUNK_BYTES)
            if not chunk:
                raise LinkError("connection closed")
            try:
                answers = parser.feed(chunk)
            except ProtocolError as error:
                raise LinkError(str(error)) from None
            for answer in answers:
                if isinstance(answer, Miss) or _error(answer):
                    return told
                if not isinstance(answer, Line) or answer.words[0] != "STAT":
                    raise LinkError("not the memcached protocol")
                told[" ".join(answer.words[1:2])] = " ".join(answer.words[2:])
            if len(told) > MOST_STATS:
                raise LinkError("not the memcached protocol")


class MemcachedLink:
    """A connection that is made when it is needed, and again after it broke.

    Exchanges queue for it. After a failed attempt to connect the next waits, up to 5 s, and
    exchanges meanwhile fail at once: a dead node costs nobody time.
    """

    def __init__(self, dialler: Dialler, now_ns: NowNs) -> None:
        self._dialler = dialler
        self._now_ns = now_ns
        self._turn = asyncio.Lock()
        self._wire: Wire | None = None
        self._pause = Pause()
        self.hello = Hello()

    async def exchange(self, requests: Sequence[bytes]) -> Exchange:
        """Send a pipeline and read its answers. Never raises for what the server does."""
        async with self._turn:
            start_ns = self._now_ns()
            try:
                wire = await self._connected()
                start_ns = self._now_ns()
                answers, size_bytes = await self._ask_again_if_stale(wire, requests)
            except LinkError as error:
                return Exchange(
                    start_ns, self._now_ns(), why=str(error), is_too_long=error.is_too_long
                )
            return Exchange(start_ns, self._now_ns(), answers, size_bytes, self.hello.identity)

    async def close(self) -> None:
        """Drop the connection; the next exchange would make a new one."""
        self._drop()

    async def _ask_again_if_stale(
        self, wire: Wire, requests: Sequence[bytes]
    ) -> tuple[list[Answer], int]:
        """Try a connection that lay idle once more: the server may have closed it meanwhile."""
        was_used = wire.is_used
        try:
            return await self._ask(wire, requests)
        except LinkError as error:
            if not was_used or str(error) != "connection closed":
                raise
        return await self._ask(await self._connected(), requests)

    async def _ask(self, wire: Wire, requests: Sequence[bytes]) -> tuple[list[Answer], int]:
        is_done = False
        try:
            async with asyncio.timeout(self._dialler.options.read_timeout.seconds):
                answer = await self._dialler.ask(wire, requests)
            wire.is_used = is_done = True
            return answer
        except TimeoutError:
            raise LinkError("timed out") from None
        except OSError:
            raise LinkError("connection closed") from None
        finally:
            if not is_done:  # cancelled too: the answers to come are nobody's
                self._drop()

    async def _connected(self) -> Wire:
        if self._wire is not None:
            return self._wire
        if why := self._pause.why_not_now(self._now_ns()):
            raise LinkError(why)
        try:
            self._wire, self.hello = await self._dialler.dial()
        except LinkError as error:
            self._fail(str(error))
        self._pause.succeed()
        return self._wire

    def _fail(self, why: str) -> NoReturn:
        raise LinkError(self._pause.fail(self._now_ns(), why))

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()


def _error(answer: Answer) -> str:
    return answer.error if isinstance(answer, Line) else ""


def _identity(told: dict[str, str]) -> str:
    """The process and the second of its start, which two clocks of the server agree on."""
    pid, time_s, uptime_s = (_whole(told.get(name, "")) for name in ("pid", "time", "uptime"))
    return f"{pid}@{time_s - uptime_s}" if pid and time_s else ""


def _whole(digits: str) -> int:
    return int(digits) if digits.isdecimal() and len(digits) < 20 else 0


def _why(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    reason = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
    return shown(f"cannot connect: {reason}")
