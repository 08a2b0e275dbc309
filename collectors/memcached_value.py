"""What a keyspace holds in a memcached: the requests that read it, and what answers mean."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from collectors.base import VersionType
from collectors.decode import Decoder, Extract, Shape, from_json, from_text, unknown, unreadable
from collectors.memcached_protocol import Answer, Item, Line, Miss, UnfitKeyError, wire_key
from collectors.options import PLACEHOLDER, Comparable, JsonVersion, KeyTemplate
from collectors.versions import JsonPath
from freshness.model import MISS, Reading, Result
from settings import Section


class MemcachedVersion(JsonVersion):
    """Where the version of a value stands."""

    text: bool = False
    """Whether the whole value is the version."""


class MemcachedAbsent(Section):
    """How a cached not-found looks."""

    equals: Annotated[str, Field(min_length=1)]
    """The value that stands for "there is no such row"."""


class MemcachedBinding(Comparable):
    """How a keyspace is held in the nodes of a memcached layer."""

    key: KeyTemplate = PLACEHOLDER
    """Name of the memcached key, with the key in it: `product:{key}`."""
    binary_keys: bool = False
    """Whether keys may hold spaces and control bytes: those are sent in base64."""
    version: MemcachedVersion | None = None
    """Where the version stands."""
    projection: tuple[str, ...] = ()
    """The declared projection: JSON paths."""
    absent: MemcachedAbsent | None = None
    """How a cached not-found looks, where the application caches them."""
    ttl: Literal["always", "suspects"] = "suspects"
    """When the remaining time to live is read, of few keys or `always`: it costs some bytes."""

    @model_validator(mode="after")
    def _has_paths(self) -> "MemcachedBinding":
        for path in self.projection:
            JsonPath.parse(path)
        if self.projection and self.version and self.version.text:
            raise ValueError("expected no projection beside `text: true`")
        return self


class Request(NamedTuple):
    """What is sent to read one key; or `why` its key may not be sent.

    The answer repeats `mark` at the flag `letter`: the request's place in the batch, or its key.
    """

    sent: bytes = b""
    letter: str = ""
    mark: str = ""
    why: str = ""

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether this is an answer to this request, as far as the answer tells."""
        if isinstance(answer, Line) or (isinstance(answer, Miss) and self.letter == "k"):
            return True  # errors repeat nothing, nor does the END of a plain miss
        return answer.flags.get(self.letter) == self.mark


class MemcachedRequests:
    """The requests for a batch of keys, and the readings from their answers."""

    def __init__(self, binding: MemcachedBinding, written_as: VersionType) -> None:
        self._template = binding.key
        self._may_encode = binding.binary_keys
        self._decoder = _decoder(binding, written_as)

    def requests(
        self, keys: Sequence[str], *, is_plain: bool = False, with_ttl: bool = False
    ) -> list[Request]:
        """A request a key: an `mg` that does not bump its item, or, where `is_plain`, a `get`."""
        return [
            self._request(key, place, is_plain=is_plain, with_ttl=with_ttl)
            for place, key in enumerate(keys)
        ]

    def reading(self, key: str, answer: Answer) -> Reading:
        """What an answer says of its key."""
        if isinstance(answer, Miss):
            return MISS
        if isinstance(answer, Line):
            return unknown(answer.error or "not the answer to a read")
        if answer.is_placeholder:
            return unreadable("a placeholder: somebody is fetching the value")
        reading = self._decoder.decode(key, answer.value)
        if reading.result is Result.VALUE and (ttl_s := _ttl_s(answer)) is not None:
            return reading._replace(ttl_s=ttl_s)
        return reading

    def _request(self, key: str, place: int, *, is_plain: bool, with_ttl: bool) -> Request:
        may_encode = self._may_encode and not is_plain
        try:
            name, is_encoded = wire_key(self._name(key), may_encode=may_encode)
        except UnfitKeyError as error:
            return Request(why=str(error))
        if is_plain:
            return Request(b"get %b\r\n" % name, "k", name.decode("latin-1"))
        flags = b" b" * is_encoded + b" t" * with_ttl
        return Request(b"mg %b v u O%d%b\r\n" % (name, place, flags), "O", str(place))

    def _name(self, key: str) -> bytes:
        return self._template.replace(PLACEHOLDER, key).encode("utf-8", "surrogatepass")


def _decoder(binding: MemcachedBinding, written_as: VersionType) -> Decoder:
    version = binding.version
    shape = Shape(
        written_as,
        version.unit if version else None,
        has_version=version is not None,
        has_projection=bool(binding.projection),
    )
    absent = binding.absent.equals.encode() if binding.absent else None
    return Decoder(shape, _extract(binding), absent=absent)


def _extract(binding: MemcachedBinding) -> Extract:
    if binding.version is not None and binding.version.text:
        return from_text
    paths = [JsonPath.parse(path) for path in binding.projection]
    return from_json(binding.version.json_path if binding.version else None, paths)


def _ttl_s(item: Item) -> float | None:
    """The remaining time to live, None where it is not told.

    One that was set when the item was marked stale tells nothing of its filling, and is left out.
    """
    told = item.flags.get("t", "")
    if item.is_marked_stale:
        return None
    if told == "-1":
        return math.inf
    return float(told) if told.isdecimal() and len(told) < 12 else None
