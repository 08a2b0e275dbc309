"""The messages of `pgoutput`, protocol version 1: pure, from bytes to changes of rows.

https://www.postgresql.org/docs/15/protocol-logicalrep-message-formats.html
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Row = Mapping[str, str | None]
"""Columns that are there, as text; what a change left alone in TOAST is not."""

_ROWS: Final = {b"I": "insert", b"U": "update", b"D": "delete"}


class ProtocolError(ValueError):
    """The bytes are no message of pgoutput."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row before (its key alone, where only that is logged) and after; a truncate has neither."""

    kind: Literal["insert", "update", "delete", "truncate"]
    schema: str
    table: str
    before: Row | None = None
    after: Row | None = None


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        if len(part) < count:
            raise ProtocolError("cut short")
        self.at += count
        return part

    def number(self, form: str) -> int:
        found: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return found

    def text(self) -> str:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise ProtocolError("cut short")
        part = self.data[self.at : end]
        self.at = end + 1
        return part.decode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Decoder:
    """Decodes the messages of one call, which names each relation before its rows."""

    _relations: dict[int, tuple[str, str, list[str]]] = field(default_factory=dict)

    def changes(self, message: bytes) -> Iterator[Change]:
        """The changes in one message, most often one or none. Raises ProtocolError."""
        reader = _Reader(message)
        kind = reader.take(1)
        if kind == b"R":
            self._learn(reader)
        elif kind in _ROWS:
            yield self._change(kind, reader)
        elif kind == b"T":
            count, _ = reader.number("!i"), reader.take(1)
            for _ in range(count):
                schema, table, _ = self._relation(reader)
                yield Change("truncate", schema, table)

    def _learn(self, reader: _Reader) -> None:
        id = reader.number("!I")
        schema, table = reader.text(), reader.text()
        reader.take(1)
        names = []
        for _ in range(reader.number("!h")):
            reader.take(1)
            names.append(reader.text())
            reader.take(8)
        self._relations[id] = schema, table, names

    def _relation(self, reader: _Reader) -> tuple[str, str, list[str]]:
        relation = self._relations.get(reader.number("!I"))
        if relation is None:
            raise ProtocolError("a relation that was not named")
        return relation

    def _change(self, kind: bytes, reader: _Reader) -> Change:
        schema, table, names = self._relation(reader)
        rows: dict[bytes, Row] = {}
        while reader.at < len(reader.data):
            part = reader.take(1)
            rows[part] = _row(reader, names)
        before = rows.get(b"K", rows.get(b"O"))
        name = _ROWS[kind]
        return Change(name, schema, table, before, rows.get(b"N"))  # type: ignore[arg-type]


def _row(reader: _Reader, names: list[str]) -> Row:
    count = reader.number("!h")
    if count != len(names):
        raise ProtocolError("a row of another relation")
    found: dict[str, str | None] = {}
    for name in names:
        kind = reader.take(1)
        if kind == b"n":
            found[name] = None
        elif kind == b"t":
            text = reader.take(reader.number("!I"))
            found[name] = text.decode("utf-8", "surrogateescape")
        elif kind != b"u":
            raise ProtocolError("a column of another kind")
    return found
