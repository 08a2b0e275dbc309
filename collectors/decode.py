"""Raw bytes → `Reading`, by what a binding declares of a value's version and projection.

The hot path never parses: a key whose bytes are as they were gives the very `Reading` object that
it gave before, so that a caller can tell "unchanged" with `is`. Raw values are never kept: bytes
longer than a digest's worth are remembered as their digest.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from collectors.base import VersionType
from collectors.projection import digest
from collectors.versions import JsonPath, Unit, UnreadableError, ordered, text
from freshness.model import MISS, Reading, Result, Value

KEPT_BYTES: Final = 64
REMEMBERED_KEYS: Final = 200_000


class Fields(NamedTuple):
    """What was found at the declared places. `version` is None where none is declared or given."""

    version: object = None
    projection: Sequence[object] = ()


class Shape(NamedTuple):
    """What a value is declared to carry: a version, a projection, or both."""

    written_as: VersionType = VersionType.INTEGER
    unit: Unit | None = None
    has_version: bool = True
    has_projection: bool = False

    def value(self, fields: Fields, *, absent: bool = False) -> Value:
        """The version and digest of what was found. Raises UnreadableError."""
        if self.has_version and self.written_as is not VersionType.STRING:
            version = ordered(fields.version, self.written_as, self.unit)
            return Value(version, self._digest(fields.projection), absent)
        if not self.has_version:
            return Value(None, self._digest(fields.projection), absent)
        opaque = text(fields.version)
        if self.has_projection and not absent:
            return Value(None, digest([opaque, *fields.projection]), absent)
        return Value(None, opaque, absent)

    def _digest(self, projection: Sequence[object]) -> str | None:
        return digest(projection) if self.has_projection else None

    def reading(self, fields: Fields, *, absent: bool = False) -> Reading:
        """The same as a reading: unreadable, with why, where it cannot be read."""
        try:
            return Reading(Result.VALUE, self.value(fields, absent=absent))
        except UnreadableError as error:
            return unreadable(str(error))


def unreadable(why: str) -> Reading:
    """Something is there, and cannot be read."""
    return Reading(Result.UNREADABLE, why=why)


def unknown(why: str) -> Reading:
    """Nothing can be said of the key, for this reason."""
    return Reading(Result.UNKNOWN, why=why)


Extract = Callable[[bytes], Fields]


def from_json(version: JsonPath | None, projection: Sequence[JsonPath] = ()) -> Extract:
    """Find version and projection in a JSON document. The extract raises UnreadableError."""

    def extract(raw: bytes) -> Fields:
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise UnreadableError("not JSON" if raw else "empty") from None
        return from_document(document, version, projection)

    return extract


def from_document(
    document: Any, version: JsonPath | None, projection: Sequence[JsonPath]
) -> Fields:
    """Find version and projection in parsed JSON. Raises UnreadableError."""
    return Fields(
        version.find(document) if version else None, [path.find(document) for path in projection]
    )


def from_text(raw: bytes) -> Fields:
    """The whole value is the version. Raises UnreadableError."""
    return Fields(utf8(raw))


def utf8(raw: bytes) -> str:
    """Text. Raises UnreadableError."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise UnreadableError("not UTF-8") from None


class Decoder:
    """The raw values of one keyspace at one node, remembered a key at a time.

    `absent` are the bytes that stand for a cached not-found. At most `remembered_keys` are kept,
    the oldest are forgotten first: reading more keys than that in turn is slower, never wrong.
    """

    def __init__(
        self,
        shape: Shape,
        extract: Extract,
        *,
        absent: bytes | None = None,
        remembered_keys: int = REMEMBERED_KEYS,
    ) -> None:
        self._shape = shape
        self._extract = extract
        self._absent = absent
        self._limit = remembered_keys
        # The oldest of a dict is found behind all that were taken out before it.
        self._known: OrderedDict[str, tuple[bytes, Reading]] = OrderedDict()

    def decode(self, key: str, raw: bytes | None) -> Reading:
        """One value; None is a miss."""
        return self.decode_all((key,), (raw,))[0]

    def decode_all(self, keys: Iterable[str], raws: Iterable[bytes | None]) -> list[Reading]:
        """A batch of values in the order of their keys."""
        known, readings = self._known, []
        for key, raw in zip(keys, raws, strict=True):
            if raw is None:
                readings.append(MISS)
                continue
            mark = raw if len(raw) <= KEPT_BYTES else _mark(raw)
            last = known.get(key)
            if last is not None and last[0] == mark:
                readings.append(last[1])
            else:
                readings.append(self._learn(key, mark, raw))
        return readings

    def _learn(self, key: str, mark: bytes, raw: bytes) -> Reading:
        reading = self._parse(raw)
        last = self._known.pop(key, None)
        if last is not None and last[1] == reading:
            reading = last[1]
        elif last is None and len(self._known) >= self._limit:
            self._known.popitem(last=False)
        self._known[key] = (mark, reading)
        return reading

    def _parse(self, raw: bytes) -> Reading:
        if raw == self._absent:
            return Reading(Result.VALUE, Value(absent=True))
        try:
            return self._shape.reading(self._extract(raw))
        except UnreadableError as error:
            return unreadable(str(error))


def _mark(raw: bytes) -> bytes:
    """A digest that no kept value equals: it is marked by a length that kept values lack."""
    return blake2b(raw, digest_size=16).digest() + bytes(KEPT_BYTES)


class Recall:
    """Gives a key's last reading back where a new one equals it, for kinds that always parse."""

    def __init__(self, remembered_keys: int = REMEMBERED_KEYS) -> None:
        self._limit = remembered_keys
        self._last: OrderedDict[str, Reading] = OrderedDict()

    def settle(self, key: str, reading: Reading) -> Reading:
        """`reading`, as the object it was last time where nothing has changed."""
        last = self._last.pop(key, None)
        if last == reading:
            reading = last
        elif last is None and len(self._last) >= self._limit:
            self._last.popitem(last=False)
        self._last[key] = reading
        return reading
