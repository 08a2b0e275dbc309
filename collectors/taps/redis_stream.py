"""The tap `redis-stream`: one stream of a Redis, read from where it was left.

Nothing is written there, no consumer group either: the place is kept in our own store. A batch is
asked for with the entry before it, so that a stream that was trimmed past that place shows.
"""

import re
from typing import Annotated, Any, Final, NoReturn

from pydantic import Field

from collectors.base import Health
from collectors.redis_link import Command, RedisLink, error_word
from collectors.taps.base import BATCH, Ear, Setting, TapError
from collectors.taps.message import BusOptions, Reader, RefusedError, Said
from collectors.taps.redis_feed import RedisTapOptions, greet, link_to, told
from store.messages import InvalidationRow

NOTHING: Final = "0-0"
"""The place before the first entry."""
_ID: Final = re.compile(rb"\d{1,20}-\d{1,20}")


class RedisStreamOptions(RedisTapOptions, BusOptions):
    """A stream of a Redis, read with XRANGE and XREAD."""

    stream: Annotated[str, Field(min_length=1)]
    """Its key."""
    field: str = "message"
    """The field of an entry that holds the message; empty where the fields are the message."""


class RedisStreamTap:
    """XRANGE from the last place, and XREAD to wait for more."""

    def __init__(self, options: RedisStreamOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting, options.message)
        self._wait_ms = max(1, min(500, options.read_timeout.ns // 2_000_000))

    @property
    def about(self) -> str:
        """Which stream where."""
        one = self._options
        return f"redis-stream {one.host}:{one.port}/{one.database} {one.stream}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        link = link_to(self._options, self._setting.now_ns)
        try:
            place = ear.position
            if not place:
                place, _ = await self._end(link)
                ear.hears_from(self._setting.now_ns())
                await ear.hear((), place)
            is_begun = False
            while True:
                place = await self._read_on(link, ear, place, is_begun=is_begun)
                is_begun = True
        finally:
            await link.close()

    async def _read_on(self, link: RedisLink, ear: Ear, place: str, *, is_begun: bool) -> str:
        """Hand over the next batch, or wait for one; where it stands."""
        asked_ns = self._setting.now_ns()
        name = self._options.stream
        found = await self._ask(link, ("XRANGE", name, place, "+", "COUNT", str(BATCH + 1)))
        entries = [_entry(each) for each in found or ()]
        missed = ""
        if entries and entries[0][0] == place:
            entries = entries[1:]
        else:
            place, entries, missed = await self._lost(link, place, entries)
        if missed or not is_begun:
            ear.hears_from(self._setting.now_ns(), missed)
        if entries:
            rows = [row for id, fields in entries if (row := self._row(ear, id, fields))]
            place = entries[-1][0]
            await ear.hear(rows, place)
        elif missed:
            await ear.hear((), place)
        if len(entries) < BATCH:
            ear.sure_until(asked_ns)
        if not entries:
            wait = ("XREAD", "COUNT", "1", "BLOCK", str(self._wait_ms), "STREAMS", name, place)
            await self._ask(link, wait)
        return place

    async def _lost(
        self, link: RedisLink, place: str, entries: list[tuple[str, dict[str, str]]]
    ) -> tuple[str, list[tuple[str, dict[str, str]]], str]:
        """The entry that was read last is gone: where to go on, with what, and what was missed."""
        end, has_trimmed = await self._end(link)
        if _number(end) < _number(place):
            return NOTHING, [], "the stream was made anew"
        if end == place or (place == NOTHING and not has_trimmed):
            return place, entries, ""
        return (place if entries else end), entries, "the stream was trimmed"

    async def _end(self, link: RedisLink) -> tuple[str, bool]:
        """The id that was given last, and whether an entry was ever removed."""
        done = await link.exchange([("XINFO", "STREAM", self._options.stream)])
        reply = done.replies[0] if done.replies else None
        if error_word(reply) == "ERR" and "no such key" in str(reply):
            return NOTHING, False
        if why := done.why or error_word(reply):
            raise TapError(told(why))
        about = dict(zip(reply[::2], reply[1::2], strict=False)) if isinstance(reply, list) else {}
        last = about.get(b"last-generated-id")
        if not isinstance(last, bytes) or not _ID.fullmatch(last):
            raise TapError("not the answer to XINFO STREAM")
        return last.decode(), about.get(b"entries-added") != about.get(b"length")

    async def _ask(self, link: RedisLink, command: Command) -> Any:
        done = await link.exchange([command])
        why = done.why or error_word(done.replies[0])
        if why:
            raise TapError(told(why))
        return done.replies[0]

    def _row(self, ear: Ear, id: str, fields: dict[str, str]) -> InvalidationRow | None:
        said = Said(self._options.stream, self._setting.now_ns(), id)
        try:
            if not self._options.field:
                return self._reader.find(fields, said)
            if self._options.field not in fields:
                raise RefusedError("no field with a message")
            return self._reader.read(
                fields[self._options.field].encode("utf-8", "surrogateescape"), said
            )
        except RefusedError as refused:
            ear.refuse(str(refused))
            return None

    async def check(self) -> Health:
        """Say hello, and try to read."""
        name = self._options.stream
        return await greet(self._options, self._setting.now_ns, "XRANGE", name, "-", "-")


def _entry(reply: Any) -> tuple[str, dict[str, str]]:
    try:
        id, fields = reply
        if not _ID.fullmatch(id):
            raise ValueError
        texts = [each.decode("utf-8", "surrogateescape") for each in fields or ()]
    except (TypeError, ValueError, AttributeError):
        raise TapError("not the answer to XRANGE") from None
    return id.decode(), dict(zip(texts[::2], texts[1::2], strict=False))


def _number(id: str) -> tuple[int, ...]:
    return tuple(map(int, id.split("-")))


def grants(options: RedisStreamOptions) -> str:
    """The user that may read the stream, and no more."""
    return (
        f"ACL SETUSER stalewatch reset on >PASSWORD %R~{options.stream}"
        " +xrange +xread +xinfo|stream +ping"
    )
