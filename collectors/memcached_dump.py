"""Every key that a memcached holds, by `lru_crawler metadump`, page by page.

A dump that is read slowly harms the server: its crawler waits for the reader, grows its buffer, and
after a second sends parts of it twice. So a dump is read as fast as it comes, on a connection of
its own, and kept in a file without a name; pages are of that file.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from typing import IO, Final
from urllib.parse import quote, unquote_to_bytes

from collectors.base import KeyPage, SourceError
from collectors.memcached_link import CHUNK_BYTES, Dialler, LinkError, Wire
from collectors.memcached_protocol import LONGEST_LINE
from collectors.options import keys_in, shown

PAGE_KEYS: Final = 1000
IN_MEMORY_BYTES: Final = 4 << 20
"""A larger list of keys goes to a temporary file."""
HASH, CLASSES = b"hash", b"all"
"""The walk over the hash table meets every key that is there throughout; that over size classes,
which is all that old servers know, may miss one that is used meanwhile."""


class Dumps:
    """The keys of one keyspace at one node: the last dump, while it is being paged through."""

    def __init__(self, dialler: Dialler, template: str, longest_bytes: int, within_s: float):
        self._dialler = dialler
        self._template = template
        self._longest = longest_bytes
        self._within_s = within_s
        self._turn = asyncio.Lock()
        self._kept: IO[bytes] | None = None
        self._mark = ""

    async def walk(self, cursor: str) -> KeyPage:
        """The page after a cursor. Raises SourceError.

        A cursor is a place in one dump. Where that dump is not there any more (a restart of ours,
        another walk), a new one begins from its start, and its keys may have come before.
        """
        async with self._turn:
            mark, _, place = cursor.partition(".")
            if self._kept is None or mark != self._mark or not place.isdecimal():
                self._kept, place = await self._dump_anew(), "0"
            return self._page(self._kept, int(place))

    def close(self) -> None:
        """Let go of the last dump."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _page(self, kept: IO[bytes], place: int) -> KeyPage:
        kept.seek(place)
        lines = [line for _ in range(PAGE_KEYS) if (line := kept.readline())]
        keys = [unquote_to_bytes(line.rstrip()).decode() for line in lines]
        if len(keys) == PAGE_KEYS:
            return KeyPage(keys, f"{self._mark}.{kept.tell()}")
        self.close()
        return KeyPage(keys, "")

    async def _dump_anew(self) -> IO[bytes]:
        self.close()
        kept: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
        try:
            async with asyncio.timeout(self._within_s):
                await self._dump_into(kept)
        except BaseException as error:
            kept.close()
            if isinstance(error, TimeoutError):
                raise SourceError(f"listing keys took more than {self._within_s:g} s") from None
            if isinstance(error, LinkError):
                raise SourceError(f"cannot list keys: {error}") from None
            raise
        self._mark = secrets.token_hex(4)
        return kept

    async def _dump_into(self, kept: IO[bytes]) -> None:
        wire, hello = await self._dialler.dial()
        try:
            for how in (HASH, CLASSES):
                wire.writer.write(b"lru_crawler metadump %b\r\n" % how)
                if await self._take_all(wire, kept, hello.time_s):
                    return
        except OSError:
            raise LinkError("connection closed") from None
        finally:
            wire.abort()
        raise LinkError("the server knows no metadump")

    async def _take_all(self, wire: Wire, kept: IO[bytes], now_s: int) -> bool:
        """Keep what a dump lists; false where the server does not know such a dump."""
        rest = b""
        size_bytes = 0
        while True:
            chunk = await self._chunk(wire)
            size_bytes += len(chunk)
            if size_bytes > self._longest:
                raise LinkError(f"a list longer than {self._longest} bytes")
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise LinkError("an endless line")
            for line in lines:
                if not line.startswith(b"key="):
                    return _is_end(line)
                kept.writelines(_named(line, self._template, now_s))

    async def _chunk(self, wire: Wire) -> bytes:
        """The next bytes. A server that falls silent is given up after one time-out."""
        try:
            async with asyncio.timeout(self._dialler.options.read_timeout.seconds):
                chunk = await wire.reader.read(CHUNK_BYTES)
        except TimeoutError:
            raise LinkError("timed out") from None
        if not chunk:
            raise LinkError("connection closed")
        return chunk


def _is_end(line: bytes) -> bool:
    """Whether a dump ended well; false where it is of a kind that the server does not know."""
    said = shown(line.rstrip().decode(errors="replace"), 80)
    if said == "END":
        return True
    if said == "ERROR" or said.startswith("BADCLASS"):
        return False
    raise LinkError(said or "an empty line")


def _named(line: bytes, template: str, now_s: int) -> Iterator[bytes]:
    """What the keyspace calls the key of a line, if it is one of its own and lives."""
    key, _, rest = line[4:].partition(b" ")
    expires = rest.removeprefix(b"exp=").partition(b" ")[0]
    if expires.isdigit() and 0 < int(expires[:20]) <= now_s:
        return
    for found in keys_in(template, [unquote_to_bytes(key)]):
        yield quote(found, safe="").encode() + b"\n"
