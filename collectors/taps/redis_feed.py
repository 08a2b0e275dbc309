"""A connection on which a Redis speaks of its own accord: subscriptions, and what they bring."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NoReturn

import hiredis
from pydantic import Field

from collectors.base import Health, NowNs
from collectors.options import ConnectionOptions
from collectors.redis_link import CHUNK_BYTES, LinkError, RedisLink, error_word, pack
from collectors.redis_server import ADVICE, DEFAULT_PORT, check_redis
from collectors.taps.base import BATCH, BEAT_S, Ear, TapError
from collectors.taps.message import MOST_BYTES
from store.messages import InvalidationRow

LONGEST_BYTES: Final = 16 * MOST_BYTES
"""Bytes that may come without a whole reply in them."""
_CONFIRMED: Final = (b"subscribe", b"psubscribe")
_MESSAGE: Final = {b"message": 3, b"pmessage": 4}

Take = Callable[[str, bytes, int], InvalidationRow | None]
"""(channel, payload, received) → a row; None where the message was refused."""


class RedisTapOptions(ConnectionOptions):
    """A Redis that is listened to."""

    host: str
    """Host name or address."""
    port: Annotated[int, Field(ge=1, le=65535)] = DEFAULT_PORT
    """Port."""
    database: Annotated[int, Field(ge=0)] = 0
    """Number of the database."""


def link_to(options: RedisTapOptions, now_ns: NowNs) -> RedisLink:
    """The connection that the options describe, for commands with a reply each."""
    return RedisLink(
        options.host,
        options.port,
        options,
        now_ns,
        database=options.database,
        longest_reply_bytes=64 * LONGEST_BYTES,
    )


async def greet(options: RedisTapOptions, now_ns: NowNs, *command: str) -> Health:
    """Say hello, and try a command that listening needs."""
    link = link_to(options, now_ns)
    try:
        health = await check_redis(link)
        if not health.ok:
            return health
        done = await link.exchange([command])
        word = done.why or error_word(done.replies[0])
        return Health(False, health.server, told(word)) if word else health
    finally:
        await link.close()


def told(word: str) -> str:
    """A reason, with what to do about it."""
    advice = ADVICE.get(word)
    return f"{word}: {advice}" if advice else word


class RedisFeed(RedisLink):
    """A connection that has subscribed; to be used by one session."""

    def __init__(self, options: RedisTapOptions, now_ns: NowNs) -> None:
        super().__init__(options.host, options.port, options, now_ns, database=options.database)
        self._unread_bytes = 0

    async def send(self, *command: str) -> None:
        """Send a command and wait for no reply. Raises TapError."""
        try:
            wire = await self._connected()
            wire.writer.write(pack(command))
            async with asyncio.timeout(self._options.read_timeout.seconds):
                await wire.writer.drain()
        except LinkError as error:
            raise TapError(told(str(error))) from None
        except (OSError, TimeoutError):
            raise TapError("connection closed") from None

    async def receive(self, within_s: float) -> list[Any]:
        """The replies that come next; none where nothing came in time. Raises TapError."""
        wire = self._wire
        if wire is None:
            raise TapError("connection closed")
        try:
            async with asyncio.timeout(max(within_s, 0.001)):
                chunk = await wire.reader.read(CHUNK_BYTES)
        except TimeoutError:
            return []
        except OSError:
            raise TapError("connection closed") from None
        if not chunk:
            raise TapError("connection closed")
        return self._parse(wire.parser, chunk)

    def _parse(self, parser: hiredis.Reader, chunk: bytes) -> list[Any]:
        replies = []
        try:
            parser.feed(chunk)
            while (reply := parser.gets()) is not False:
                replies.append(reply)
        except (hiredis.ProtocolError, MemoryError):
            raise TapError("not the Redis protocol") from None
        self._unread_bytes = 0 if replies else self._unread_bytes + len(chunk)
        if self._unread_bytes > LONGEST_BYTES:
            raise TapError("a message that is too long")
        return replies


class Subscription:
    """One session of SUBSCRIBE and PSUBSCRIBE: confirmed, then messages, and a PING between.

    The answer to a PING comes after every message that the server was given before it.
    """

    def __init__(self, options: RedisTapOptions, now_ns: NowNs, ear: Ear, take: Take) -> None:
        self._feed = RedisFeed(options, now_ns)
        self._patience_s = options.read_timeout.seconds
        self._now_ns, self._ear, self._take = now_ns, ear, take
        self._asked_ns: int | None = None
        self._answered_ns: int | None = None
        self._rows: list[InvalidationRow] = []

    async def run(self, channels: Sequence[str], patterns: Sequence[str]) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        try:
            await self._subscribe(channels, patterns)
            while True:
                await self._listen()
        finally:
            await self._feed.close()

    async def _subscribe(self, channels: Sequence[str], patterns: Sequence[str]) -> None:
        for verb, names in (("SUBSCRIBE", channels), ("PSUBSCRIBE", patterns)):
            if names:
                await self._feed.send(verb, *names)
        missing = len(channels) + len(patterns)
        deadline = asyncio.get_running_loop().time() + self._patience_s
        while missing > 0:
            left_s = deadline - asyncio.get_running_loop().time()
            replies = await self._feed.receive(left_s)
            if not replies:
                raise TapError("subscribing timed out")
            missing -= sum(_kind(reply) in _CONFIRMED for reply in replies)
            self._note(replies)
        self._ear.hears_from(self._now_ns())
        await self._hand_over()

    async def _listen(self) -> None:
        """Until the next PING is due: hand over what comes."""
        loop = asyncio.get_running_loop()
        sent_ns = self._now_ns()
        await self._feed.send("PING")
        self._asked_ns = sent_ns
        due = loop.time() + BEAT_S
        while (now := loop.time()) < due:
            self._note(await self._feed.receive(due - now))
            await self._hand_over()
        # A store that was slow to take messages is no reason to think the server dead.
        if self._asked_ns is not None:
            self._note(await self._feed.receive(self._patience_s))
            await self._hand_over()
        if self._asked_ns is not None:
            raise TapError("timed out")

    def _note(self, replies: Sequence[Any]) -> None:
        received_ns = self._now_ns()
        for reply in replies:
            kind = _kind(reply)
            if kind == b"pong":
                self._answered_ns, self._asked_ns = self._asked_ns, None
            elif len(reply) == _MESSAGE.get(kind):
                row = self._take(reply[-2].decode(errors="replace"), reply[-1], received_ns)
                if row is not None:
                    self._rows.append(row)

    async def _hand_over(self) -> None:
        rows, self._rows = self._rows, []
        for start in range(0, len(rows), BATCH):
            await self._ear.hear(rows[start : start + BATCH])
        if self._answered_ns is not None:
            # Only now is all that came before it durable.
            self._ear.sure_until(self._answered_ns)
            self._answered_ns = None


def _kind(reply: Any) -> bytes:
    if word := error_word(reply):
        raise TapError(told(word))
    if not isinstance(reply, list) or not reply or not isinstance(reply[0], bytes):
        raise TapError("not the answer to SUBSCRIBE")
    return reply[0]
