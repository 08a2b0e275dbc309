"""What a keyspace holds in a Redis: which commands read it, and what their replies mean."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from collectors.base import VersionType
from collectors.decode import (
    Decoder,
    Extract,
    Fields,
    Shape,
    from_json,
    from_text,
    unknown,
    unreadable,
    utf8,
)
from collectors.options import PLACEHOLDER, Comparable, JsonVersion, KeyTemplate
from collectors.redis_link import Command, error_word
from collectors.versions import JsonPath
from freshness.model import MISS, Reading, Result
from settings import Section

MOVED: Final = "moved"
"""Why a key is unknown that the node says another one serves."""
_WHYS: Final[Mapping[str, str]] = {"MOVED": MOVED, "ASK": "moving", "TRYAGAIN": "moving"}


class RedisVersion(JsonVersion):
    """Where the version of a value stands in Redis."""

    hash_field: Annotated[str | None, Field(alias="hash")] = None
    """Name of the hash field that is the version; the key holds a hash."""
    text: bool = False
    """Whether the whole string value is the version."""


class RedisAbsent(Section):
    """How a cached not-found looks."""

    equals: str
    """The string value that stands for "there is no such row"."""


class RedisValues(Comparable):
    """How the values of a keyspace are held in a Redis."""

    key: KeyTemplate = PLACEHOLDER
    """Name of the Redis key, with the key in it: `product:{key}`."""
    version: RedisVersion | None = None
    """Where the version stands."""
    projection: tuple[str, ...] = ()
    """The declared projection: JSON paths, or hash fields where the version is one."""
    absent: RedisAbsent | None = None
    """How a cached not-found looks, where the application caches them."""

    @property
    def hash_fields(self) -> tuple[str, ...]:
        """The hash fields to read, the version's first; empty where the key holds a string."""
        if self.version is None or self.version.hash_field is None:
            return ()
        return (self.version.hash_field, *self.projection)

    @model_validator(mode="after")
    def _has_paths(self) -> "RedisValues":
        if not self.hash_fields:
            for path in self.projection:
                JsonPath.parse(path)
        if self.projection and self.version and self.version.text:
            raise ValueError("expected no projection beside `text: true`")
        return self


class RedisBinding(RedisValues):
    """How a keyspace is held in the nodes of a Redis layer."""

    ttl: Literal["always", "suspects", "never"] = "suspects"
    """When the remaining time to live is read, of few keys or `always`: PTTL counts as a hit."""


class RedisRequest:
    """The commands for a batch of keys, and the readings from their replies. No I/O.

    With `one_by_one` no command names two keys, which a cluster refuses unless they share a slot.
    """

    def __init__(
        self, binding: RedisValues, written_as: VersionType, *, one_by_one: bool = False
    ) -> None:
        self._binding = binding
        self._one_by_one = one_by_one
        self._fields = binding.hash_fields
        self._decoder = _decoder(binding, written_as)

    def commands(self, keys: Sequence[str], *, with_ttl: bool = False) -> list[Command]:
        """One MGET or a GET a key, or two commands a key: its value, and what tells more of it."""
        names = [self._name(key) for key in keys]
        if not with_ttl and not self._fields:
            return [("GET", name) for name in names] if self._one_by_one else [("MGET", *names)]
        commands: list[Command] = []
        for name in names:
            commands.append(("HMGET", name, *self._fields) if self._fields else ("GET", name))
            commands.append(("PTTL" if with_ttl else "EXISTS", name))
        return commands

    def readings(
        self, keys: Sequence[str], replies: Sequence[Any], *, with_ttl: bool = False
    ) -> list[Reading]:
        """What the replies to `commands` of the same arguments say, in the order of the keys."""
        if not with_ttl and not self._fields:
            return self._from_values(keys, replies)
        return [
            self._from_pair(key, value, more, with_ttl=with_ttl)
            for key, value, more in zip(keys, replies[::2], replies[1::2], strict=True)
        ]

    def _name(self, key: str) -> bytes:
        return self._binding.key.replace(PLACEHOLDER, key).encode("utf-8", "surrogatepass")

    def _from_values(self, keys: Sequence[str], replies: Sequence[Any]) -> list[Reading]:
        if not self._one_by_one:
            return self._from_mget(keys, replies[0])
        if _are_values(replies):
            return self._decoder.decode_all(keys, replies)
        return [self._from_get(key, value) for key, value in zip(keys, replies, strict=True)]

    def _from_get(self, key: str, value: object) -> Reading:
        return _refused(value) or self._from_value(key, value, is_there=value is not None)

    def _from_mget(self, keys: Sequence[str], reply: object) -> list[Reading]:
        if refused := _refused(reply):
            return [refused] * len(keys)
        if not isinstance(reply, list) or len(reply) != len(keys) or not _are_values(reply):
            return [unknown("not the answer to MGET")] * len(keys)
        return self._decoder.decode_all(keys, reply)

    def _from_pair(self, key: str, value: object, more: object, *, with_ttl: bool) -> Reading:
        if refused := _refused(value):
            return refused
        is_there = isinstance(more, int) and more > (-2 if with_ttl else 0)
        reading = self._from_value(key, value, is_there=is_there)
        if with_ttl and reading.result is Result.VALUE and isinstance(more, int):
            return reading._replace(ttl_s=_ttl_s(more))
        return reading

    def _from_value(self, key: str, value: object, *, is_there: bool) -> Reading:
        if not self._fields and (value is None or isinstance(value, bytes)):
            return self._decoder.decode(key, value)
        if not isinstance(value, list) or len(value) != len(self._fields):
            return unknown("not the answer to a read")
        if not _are_values(value):
            return unknown("not the answer to HMGET")
        if None not in value:
            return self._decoder.decode(key, _packed(value))
        if all(one is None for one in value) and not is_there:
            return MISS
        return unreadable(f"no hash field {self._fields[value.index(None)]}")


def _refused(reply: object) -> Reading | None:
    """What an error reply says of a key; None where the reply is none."""
    word = error_word(reply)
    if word == "WRONGTYPE":
        return unreadable("holds another type of value")
    return unknown(_WHYS.get(word, word)) if word else None


def _decoder(binding: RedisValues, written_as: VersionType) -> Decoder:
    version = binding.version
    shape = Shape(
        written_as,
        version.unit if version else None,
        has_version=version is not None,
        has_projection=bool(binding.projection),
    )
    absent = binding.absent.equals.encode() if binding.absent else None
    return Decoder(shape, _extract(binding), absent=absent)


def _extract(binding: RedisValues) -> Extract:
    if binding.hash_fields:
        return _from_packed
    if binding.version is not None and binding.version.text:
        return from_text
    paths = [JsonPath.parse(path) for path in binding.projection]
    return from_json(binding.version.json_path if binding.version else None, paths)


def _packed(fields: Sequence[bytes]) -> bytes:
    """Hash fields as one string of bytes, which differs when any of them does."""
    return b"".join(b"%d:%b" % (len(one), one) for one in fields)


def _from_packed(raw: bytes) -> Fields:
    found = []
    while raw:
        size, _, rest = raw.partition(b":")
        found.append(utf8(rest[: int(size)]))
        raw = rest[int(size) :]
    return Fields(found[0], found[1:])


def _are_values(reply: Sequence[object]) -> bool:
    return set(map(type, reply)) <= {bytes, type(None)}


def _ttl_s(pttl: int) -> float | None:
    if pttl == -1:
        return math.inf
    return pttl / 1000 if pttl >= 0 else None
