"""Where a version stands in the rows of a query, for every kind of SQL origin.

A query returns the key first and the version second, unless the binding names the version's column.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.base import VersionType
from collectors.decode import Fields, Recall, Shape, unreadable
from collectors.versions import Unit
from freshness.model import ABSENT, Reading, Result, Value
from settings import Section


class ColumnVersion(Section):
    """Which column is the version."""

    column: str
    """Name of the column as the query returns it."""
    unit: Unit | None = None
    """What a number counts, where the version is a timestamp."""


class AbsentColumn(Section):
    """Which column marks a row as deleted."""

    column: str
    """Name of the column: null or false is a row that is there, anything else one that is not."""


class SqlValues(Section):
    """How a keyspace is asked for."""

    query: str
    """The query for many keys; its first column is the key, its second the version."""
    version: ColumnVersion | None = None
    """Which column is the version, where it is not the second."""
    projection: tuple[str, ...] = ()
    """The declared projection, names of columns in its order."""
    absent: AbsentColumn | None = None
    """Which column marks a deleted row, which so keeps its version."""
    keys_query: str | None = None
    """A query whose first column lists every key."""
    traffic_query: str | None = None
    """A query for the traffic of keys: its first column is the key, its second a number."""


class Rows:
    """Rows of the query as readings. No I/O."""

    def __init__(self, binding: SqlValues, written_as: VersionType) -> None:
        self._binding = binding
        unit = binding.version.unit if binding.version else None
        self._shape = Shape(written_as, unit, has_projection=bool(binding.projection))
        self._recall = Recall()

    def readings(
        self, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> list[Reading]:
        """A reading a key, in the order of keys; a key without a row is absent."""
        if why := self._why_unfit(columns):
            return [unreadable(why)] * len(keys)
        place = {name: number for number, name in enumerate(columns)}
        found: dict[str, Reading] = {}
        for row in rows:
            key = str(row[0])
            found[key] = unreadable("two rows") if key in found else self._read_row(row, place)
        missing = Reading(Result.VALUE, ABSENT)
        return [self._recall.settle(key, found.get(key, missing)) for key in keys]

    def _why_unfit(self, columns: Sequence[str]) -> str:
        """What the query does not return, empty where it returns all that is declared."""
        binding = self._binding
        named = [*binding.projection]
        named += [binding.version.column] if binding.version else []
        named += [binding.absent.column] if binding.absent else []
        for name in named:
            if name not in columns:
                return f"the query returns no column {name}"
        return "" if binding.version or len(columns) > 1 else "the query returns one column alone"

    def _read_row(self, row: Sequence[Any], place: Mapping[str, int]) -> Reading:
        binding = self._binding
        version = row[place[binding.version.column]] if binding.version else row[1]
        fields = Fields(version, [row[place[name]] for name in binding.projection])
        if binding.absent is None or row[place[binding.absent.column]] in (None, False):
            return self._shape.reading(fields)
        deleted = self._shape._replace(has_projection=False).reading(fields, absent=True)
        return deleted if deleted.value else Reading(Result.VALUE, Value(absent=True))
