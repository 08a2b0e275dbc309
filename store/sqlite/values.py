"""How values and numbers of any size stand in columns, and rows by the names of their columns."""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from freshness.model import Value

_INT64: Final = range(-(2**63), 2**63)

Stored = int | str
"""An integer, as decimal text where it is beyond 64 bits."""
ValueColumns = tuple[Stored | None, str | None, bool | None]
"""version, projection, absent; absent is null where there is no value at all."""


def pack_integer(number: int | None) -> Stored | None:
    """An integer of any size, for a column of type ANY."""
    return number if number is None or number in _INT64 else str(number)


def unpack_integer(stored: Stored | None) -> int | None:
    """The inverse of `pack_integer`."""
    return None if stored is None else int(stored)


def pack_value(value: Value | None) -> ValueColumns:
    """The three columns of a value."""
    if value is None:
        return None, None, None
    return pack_integer(value.version), value.projection, value.absent


def unpack_value(columns: ValueColumns) -> Value | None:
    """The inverse of `pack_value`."""
    version, projection, absent = columns
    return None if absent is None else Value(unpack_integer(version), projection, bool(absent))


def pop_value(named: dict[str, Any], prefix: str = "") -> Value | None:
    """Take the columns of a value out of a row."""
    version, projection, absent = (
        named.pop(f"{prefix}{column}") for column in ("version", "projection", "absent")
    )
    return unpack_value((version, projection, absent))


def named_rows(cursor: sqlite3.Cursor) -> Iterator[dict[str, Any]]:
    """Rows as column name → value."""
    columns = [each[0] for each in cursor.description]
    return (dict(zip(columns, row, strict=True)) for row in cursor)
