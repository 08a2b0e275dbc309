"""The memcached text protocol as bytes: the keys that may stand in it, and answers to reads.

Pure: no I/O. An answer is a line, or a line and a block of data whose length the line tells.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from collectors.options import shown

LONGEST_KEY: Final = 250
LONGEST_LINE: Final = 2048
_ERRORS: Final = frozenset({"ERROR", "CLIENT_ERROR", "SERVER_ERROR"})
_CRLF: Final = b"\r\n"
_UNFIT: Final = re.compile(rb"[\x00-\x20\x7f]")


class UnfitKeyError(ValueError):
    """No key of memcached looks like that; the message says why, without the key."""


class ProtocolError(Exception):
    """What came is no answer; the message is a reason that is the same each time."""


class TooLongError(ProtocolError):
    """An answer would be longer than may be kept."""


def wire_key(name: bytes, *, may_encode: bool = False) -> tuple[bytes, bool]:
    """A key as it stands in a request, and whether in base64. Raises UnfitKeyError.

    Spaces and control bytes would end the key, or the command: they are never sent as they are.
    """
    if not name:
        raise UnfitKeyError("an empty key")
    is_unfit = _UNFIT.search(name) is not None
    if is_unfit and not may_encode:
        raise UnfitKeyError("a key with a space or a control byte")
    sent = b64encode(name) if is_unfit else name
    if len(sent) > LONGEST_KEY:
        raise UnfitKeyError(f"a key of more than {LONGEST_KEY} bytes")
    return sent, is_unfit


class Item(NamedTuple):
    """An item that is there: its value, and the answer's flags by their letter."""

    value: bytes
    flags: Mapping[str, str]

    @property
    def is_marked_stale(self) -> bool:
        """Whether somebody marked it: clients still get it, and are told to fetch it anew."""
        return "X" in self.flags

    @property
    def has_won(self) -> bool:
        """Whether this answer gave us the one token to fetch the item anew."""
        return "W" in self.flags

    @property
    def is_placeholder(self) -> bool:
        """Whether it may be what stands there while somebody fetches the value."""
        return not self.value and not self.is_marked_stale and not {"W", "Z"}.isdisjoint(self.flags)


class Miss(NamedTuple):
    """There is no such item."""

    flags: Mapping[str, str]


class Line(NamedTuple):
    """Any other line, by its words."""

    words: Sequence[str]

    @property
    def error(self) -> str:
        """The line, where it is an error; else empty."""
        return shown(" ".join(self.words), 80) if self.words[0] in _ERRORS else ""


Answer = Item | Miss | Line


class _Block(NamedTuple):
    """What a line announced: that many bytes, and what must stand after them."""

    size: int
    flags: Mapping[str, str]
    tail: bytes


class Parser:
    """Bytes → answers; a line or a block that is too long is refused, and not kept."""

    def __init__(self, longest_block: int) -> None:
        self._buffer = bytearray()
        self._longest = longest_block
        self._block: _Block | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left over."""
        return not self._buffer and self._block is None

    def feed(self, chunk: bytes) -> list[Answer]:
        """The answers that are whole with these bytes. Raises ProtocolError."""
        self._buffer += chunk
        answers: list[Answer] = []
        while True:
            if self._block is None and (line := self._take_line()) is not None:
                answer = self._read(line)
            else:
                answer = None
            if self._block is not None:
                answer = self._take_block(self._block)
            if answer is None:
                return answers
            answers.append(answer)

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(_CRLF, 0, LONGEST_LINE)
        if end >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + len(_CRLF)]
            return line
        if len(self._buffer) >= LONGEST_LINE:
            raise ProtocolError("an endless line")
        return None

    def _read(self, line: bytes) -> Answer | None:
        """What a line says; None where a block belongs to it."""
        match line.split(b" "):
            case [b"VA", size, *words]:
                self._block = _Block(self._size(size), _flags(words), _CRLF)
            case [b"VALUE", key, _, size]:
                flags = {"k": key.decode("latin-1")}
                self._block = _Block(self._size(size), flags, b"\r\nEND\r\n")
            case [b"EN", *words]:
                return Miss(_flags(words))
            case [b"END"]:
                return Miss({})
            case words:
                return Line([shown(word.decode(errors="replace")) for word in words[:20]])
        return None

    def _size(self, digits: bytes) -> int:
        if not digits.isdigit() or len(digits) > 12:
            raise ProtocolError("not the memcached protocol")
        if int(digits) > self._longest:
            raise TooLongError(f"reply longer than {self._longest} bytes")
        return int(digits)

    def _take_block(self, block: _Block) -> Item | None:
        end = block.size + len(block.tail)
        if len(self._buffer) < end:
            return None
        if self._buffer[block.size : end] != block.tail:
            raise ProtocolError("a value of another length than it said")
        value = bytes(self._buffer[: block.size])
        del self._buffer[:end]
        self._block = None
        return Item(value, block.flags)


def _flags(words: Sequence[bytes]) -> Mapping[str, str]:
    texts = (word.decode("ascii", "replace") for word in words if word)
    return {text[0]: text[1:] for text in texts}
