"""One connection to one Redis: exchanges that are timed, bounded in bytes, and never raise.

hiredis speaks the protocol; the socket is ours, because redis-py takes no SSL context, cannot bound
a reply, and retries where the stamps of a probe would not show it.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import hiredis

from collectors.base import NowNs
from collectors.options import ConnectionOptions, ServerProblem, shown
from collectors.pause import Pause

CHUNK_BYTES: Final = 1 << 16

Command = tuple[str | bytes, ...]
READONLY: Final[Command] = ("READONLY",)
NO_CLUSTER: Final = "cluster mode is off"


class LinkError(Exception):
    """The exchange failed; the message is a short reason that is the same each time."""


class TooLongError(LinkError):
    """The replies were longer than an exchange may be."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of one pipeline: a reply a command, or `why` there is none.

    `start_ns` was taken before the first byte of the first attempt was sent. A reply is bytes, int,
    None, a list, or `hiredis.ReplyError` for an error of that command alone.
    """

    start_ns: int
    end_ns: int
    replies: Sequence[Any] = ()
    size_bytes: int = 0
    identity: str = ""
    why: str = ""
    is_too_long: bool = False


@dataclass(slots=True)
class _Wire:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    parser: hiredis.Reader = field(default_factory=hiredis.Reader)
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    """What the server said of itself when we connected; empty where it may not be asked."""

    run_id: str = ""
    version: str = ""
    role: str = ""
    is_untouched: bool = False
    """Whether our reads leave the eviction order alone (CLIENT NO-TOUCH, Redis 7.2)."""


class RedisLink:
    """A connection that is made when it is needed, and again after it broke.

    Exchanges queue for it. After a failed attempt to connect the next waits, up to 5 s, and
    exchanges meanwhile fail at once: a dead node costs nobody time. With `reads_replicas` a replica
    in a cluster answers for its own copy, and does not point to its master.
    """

    def __init__(
        self,
        host: str,
        port: int,
        options: ConnectionOptions,
        now_ns: NowNs,
        *,
        database: int = 0,
        longest_reply_bytes: int = 8 << 20,
        reads_replicas: bool = False,
    ) -> None:
        self._host = host
        self._port = port
        self._options = options
        self._now_ns = now_ns
        self._database = database
        self._longest = longest_reply_bytes
        self._reads_replicas = reads_replicas
        self._turn = asyncio.Lock()
        self._wire: _Wire | None = None
        self._pause = Pause()
        self.hello = Hello()

    async def exchange(self, commands: Sequence[Command]) -> Exchange:
        """Send a pipeline and read its replies. Never raises for what the server does."""
        packed = pack(*commands)
        async with self._turn:
            start_ns = self._now_ns()
            try:
                wire = await self._connected()
                start_ns = self._now_ns()
                replies, size_bytes = await self._ask_again_if_stale(wire, packed, len(commands))
            except LinkError as error:
                is_too_long = isinstance(error, TooLongError)
                end_ns = self._now_ns()
                return Exchange(start_ns, end_ns, why=str(error), is_too_long=is_too_long)
            return Exchange(start_ns, self._now_ns(), replies, size_bytes, self.hello.run_id)

    async def close(self) -> None:
        """Drop the connection; the next exchange would make a new one."""
        self._drop()

    async def _ask_again_if_stale(
        self, wire: _Wire, packed: bytes, count: int
    ) -> tuple[list[Any], int]:
        """Try a connection that lay idle once more: the server may have closed it meanwhile."""
        was_used = wire.is_used
        try:
            return await self._ask(wire, packed, count)
        except LinkError as error:
            if not was_used or str(error) != "connection closed":
                raise
        return await self._ask(await self._connected(), packed, count)

    async def _ask(self, wire: _Wire, packed: bytes, count: int) -> tuple[list[Any], int]:
        is_done = False
        try:
            async with asyncio.timeout(self._options.read_timeout.seconds):
                wire.writer.write(packed)
                answer = await self._receive(wire, count)
            wire.is_used = is_done = True
            return answer
        except TimeoutError:
            raise LinkError("timed out") from None
        except (hiredis.ProtocolError, MemoryError):
            raise LinkError("not the Redis protocol") from None
        except OSError:
            raise LinkError("connection closed") from None
        finally:
            if not is_done:  # cancelled too: the replies to come are nobody's
                self._drop()

    async def _receive(self, wire: _Wire, count: int) -> tuple[list[Any], int]:
        replies: list[Any] = []
        size_bytes = 0
        while len(replies) < count:
            chunk = await wire.reader.read(CHUNK_BYTES)
            if not chunk:
                raise LinkError("connection closed")
            size_bytes += len(chunk)
            if size_bytes > self._longest:
                raise TooLongError(f"reply longer than {self._longest} bytes")
            wire.parser.feed(chunk)
            while (reply := wire.parser.gets()) is not False:
                replies.append(reply)
        if len(replies) > count or wire.parser.has_data():
            raise LinkError("more replies than commands")
        return replies, size_bytes

    async def _connected(self) -> _Wire:
        if self._wire is not None:
            return self._wire
        if why := self._pause.why_not_now(self._now_ns()):
            raise LinkError(why)
        try:
            async with asyncio.timeout(self._options.connect_timeout.seconds):
                self._wire = await self._open()
                await self._introduce(self._wire)
        except TimeoutError:
            self._fail("connecting timed out")
        except LinkError as error:
            self._fail(str(error))
        except ServerProblem as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(_why(error))
        self._pause.succeed()
        return self._wire

    def _fail(self, why: str) -> NoReturn:
        self._drop()
        raise LinkError(self._pause.fail(self._now_ns(), why))

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            with contextlib.suppress(OSError, RuntimeError):
                wire.writer.transport.abort()

    async def _open(self) -> _Wire:
        tls = self._options.tls
        if tls is None:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        else:
            reader, writer = await asyncio.open_connection(
                self._host,
                self._port,
                ssl=tls.context(),
                server_hostname=tls.server_name or self._host,
            )
        return _Wire(reader, writer)

    async def _introduce(self, wire: _Wire) -> None:
        """Log in, and learn who answers. What an ACL forbids beyond logging in is let go."""
        for command in self._log_in():
            answer = (await self._ask(wire, pack(command), 1))[0][0]
            if isinstance(answer, hiredis.ReplyError):
                is_alone = command == READONLY and error_word(answer) == "ERR"
                raise LinkError(NO_CLUSTER if is_alone else error_word(answer))
        packed = pack(
            ("CLIENT", "SETNAME", "stalewatch"), ("INFO", "server"), ("INFO", "replication")
        )
        (_, server, replication), _ = await self._ask(wire, packed, 3)
        for answer in (server, replication):
            if error_word(answer) in {"NOAUTH", "LOADING"}:
                raise LinkError(error_word(answer))
        told = {**_told(server), **_told(replication)}
        version = told.get("redis_version", "")
        is_untouched = await self._ask_not_to_touch(wire, version)
        self.hello = Hello(told.get("run_id", ""), version, told.get("role", ""), is_untouched)
        wire.is_used = False

    def _log_in(self) -> list[Command]:
        commands: list[Command] = []
        auth = self._options.auth
        secret = (auth.password or auth.token) if auth else None
        if auth is not None and secret is not None:
            user = (auth.username,) if auth.username else ()
            commands.append(("AUTH", *user, secret.reveal()))
        if self._database:
            commands.append(("SELECT", str(self._database)))
        if self._reads_replicas:
            commands.append(READONLY)
        return commands

    async def _ask_not_to_touch(self, wire: _Wire, version: str) -> bool:
        if _numbers(version) < (7, 2):
            return False
        packed = pack(("CLIENT", "NO-TOUCH", "ON"))
        return bool((await self._ask(wire, packed, 1))[0][0] == b"OK")


def pack(*commands: Command) -> bytes:
    """Commands as the bytes to send."""
    return b"".join(hiredis.pack_command(command) for command in commands)  # type: ignore[arg-type]


def error_word(reply: object) -> str:
    """The first word of an error reply (`NOPERM`, `WRONGTYPE`), empty for any other reply."""
    if not isinstance(reply, hiredis.ReplyError):
        return ""
    return shown(str(reply).partition(" ")[0], 40) or "ERR"


def _told(reply: object) -> dict[str, str]:
    if not isinstance(reply, bytes):
        return {}
    lines = reply.decode(errors="replace").splitlines()
    return {
        name: shown(what) for name, colon, what in (line.partition(":") for line in lines) if colon
    }


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _why(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    reason = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
    return shown(f"cannot connect: {reason}")
