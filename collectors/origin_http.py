"""The origin kind `http`: a service that answers for one key or for many.

A key that is not among the items of a good answer is absent at the origin.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Self
from urllib.parse import quote

import orjson
from pydantic import Field, model_validator

from collectors.base import Health, Keyspace, NowNs, Reply, SourceError, unanswered
from collectors.cache_status import cache_said
from collectors.decode import Fields, Recall, Shape, unknown, unreadable
from collectors.http_link import Answer, FetchError, HttpLink, redirect
from collectors.http_value import HttpValues, reading_of
from collectors.options import PLACEHOLDER, BatchOptions, ConnectionOptions, place_in_url, shown
from collectors.replies import joined
from collectors.versions import JsonPath, UnreadableError
from freshness.model import ABSENT, Reading, Result
from settings import Size

KEYS: Final = "{keys}"
LONGEST_LIST_BYTES: Final = 64 << 20


class HttpOriginOptions(ConnectionOptions):
    """A service that is the source of truth."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+")]
    """Address of the service: `https://shop.internal/api`."""
    linearizable: bool = False
    """Whether an answer holds every write that was acknowledged before it was asked for."""
    headers: Mapping[str, str] = {}
    """More headers for each request."""
    batch: BatchOptions = BatchOptions()
    """How much one batch asks for."""
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    """Most connections at a time."""
    longest_body: Size = Size.parse("1MiB")
    """Bytes of a body that are read."""


class HttpOriginBinding(HttpValues):
    """How a keyspace is asked for."""

    path: str
    """Path with `{key}` for one key a request, or `{keys}` for many, joined by commas."""
    items: JsonPath = JsonPath.parse("$.items")
    """Where the list of items stands in an answer for many keys."""
    key: JsonPath = JsonPath.parse("$.id")
    """Where an item's key stands; version and projection are paths in the item too."""
    keys_path: str | None = None
    """Path of an answer that lists every key."""
    keys_items: JsonPath = JsonPath.parse("$.items")
    """Where its list stands: of keys, or of items with `key`."""

    @model_validator(mode="after")
    def _asks_for_keys(self) -> Self:
        if (PLACEHOLDER in self.path) == (KEYS in self.path):
            raise ValueError("expected a path with either {key} or {keys} in it")
        if self.asks_for_many and self.version is not None and not self.version.json_path:
            raise ValueError("expected `version: {json: ...}`: headers do not tell items apart")
        return self

    @property
    def asks_for_many(self) -> bool:
        """Whether one request asks for many keys."""
        return KEYS in self.path


class HttpOriginServer:
    """One service."""

    def __init__(self, options: HttpOriginOptions, now_ns: NowNs) -> None:
        self._options = options
        self._now_ns = now_ns
        self._link = HttpLink(
            options.url,
            options,
            connections=options.connections,
            headers={"Cache-Control": "no-cache", **options.headers},
        )

    def open(self, binding: HttpOriginBinding, keyspace: Keyspace) -> "HttpOrigin":
        """The service as one keyspace sees it."""
        return HttpOrigin(self._link, self._options, binding, keyspace, self._now_ns)

    async def check(self) -> Health:
        """Ask for the service's address: any answer that is HTTP will do."""
        try:
            answer = await self._link.fetch("/", body_limit=4096)
        except FetchError as error:
            return Health(False, "HTTP origin", f"{error}: check url and tls")
        if answer.status in {401, 403}:
            return Health(False, "HTTP origin", f"status {answer.status}: check auth")
        return Health(True, shown(answer.headers.get("server", "HTTP origin"), 60))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()


class HttpOrigin:
    """One keyspace of a service."""

    def __init__(
        self,
        link: HttpLink,
        options: HttpOriginOptions,
        binding: HttpOriginBinding,
        keyspace: Keyspace,
        now_ns: NowNs,
    ) -> None:
        self._link = link
        self._options = options
        self._binding = binding
        self._shape: Shape = binding.shape(keyspace.version)
        self._now_ns = now_ns
        self._recall = Recall()
        self.linearizable = False
        self.batch_keys = options.batch.keys if binding.asks_for_many else options.connections

    async def read(self, keys: Sequence[str]) -> Reply:
        """Ask for keys: one request for many, or one each side by side."""
        starts = range(0, len(keys), self.batch_keys) or (0,)
        parts = [await self._read_part(keys[i : i + self.batch_keys]) for i in starts]
        self.linearizable = self._options.linearizable and not any(cached for _, cached in parts)
        return joined([reply for reply, _ in parts])

    async def list_keys(self) -> Sequence[str]:
        """Every key of `keys_path`. Raises SourceError."""
        if self._binding.keys_path is None:
            raise SourceError("the origin lists no keys: set keys_path")
        try:
            answer = await self._link.fetch(self._binding.keys_path, body_limit=LONGEST_LIST_BYTES)
            items = self._items(answer, self._binding.keys_items)
        except (FetchError, UnreadableError) as error:
            raise SourceError(f"{self._options.url}{self._binding.keys_path}: {error}") from None
        keys = [self._listed_key(item) for item in items]
        if None in keys:
            raise SourceError(f"{self._binding.keys_path}: an item has no key")
        return [key for key in keys if key is not None]

    def _listed_key(self, item: Any) -> str | None:
        return _key_text(item) if isinstance(item, str | int) else self._key_of(item)

    async def _read_part(self, keys: Sequence[str]) -> tuple[Reply, bool]:
        """One batch, and whether a cache had a hand in it: then it is as old as it likes."""
        start_ns = self._now_ns()
        paths = self._paths(keys)
        answers = await asyncio.gather(*(self._ask(path) for path in paths))
        end_ns = self._now_ns()
        whys = [answer for answer in answers if isinstance(answer, str)]
        whole = [answer for answer in answers if isinstance(answer, Answer)]
        if whys and not whole:
            return unanswered(keys, start_ns, end_ns, whys[0]), False
        if self._binding.asks_for_many:
            readings = self._read_many(keys, whole)
        else:
            readings = [self._read_one(*one) for one in zip(keys, answers, strict=True)]
        size_bytes = sum(len(answer.body) for answer in whole)
        is_cached = any(cache_said(answer.headers).is_hit is True for answer in whole)
        return Reply(start_ns, end_ns, readings, size_bytes=size_bytes), is_cached

    def _paths(self, keys: Sequence[str]) -> list[str]:
        if not self._binding.asks_for_many:
            return [place_in_url(self._binding.path, key) for key in keys]
        quoted = ",".join(quote(key, safe="", errors="surrogateescape") for key in keys)
        return [self._binding.path.replace(KEYS, quoted)] if keys else []

    async def _ask(self, path: str) -> Answer | str:
        try:
            return await self._link.fetch(path, body_limit=self._options.longest_body.bytes)
        except FetchError as error:
            return str(error)

    def _read_one(self, key: str, answer: Answer | str) -> Reading:
        if isinstance(answer, str):
            return unknown(answer)
        is_absent = answer.status in self._binding.absent.status
        if not is_absent and answer.status != 200:
            return unknown(redirect(answer) or f"status {answer.status}")
        return self._recall.settle(key, reading_of(answer, self._binding, self._shape))

    def _read_many(self, keys: Sequence[str], answers: Sequence[Answer]) -> list[Reading]:
        try:
            items = [
                item for answer in answers for item in self._items(answer, self._binding.items)
            ]
        except UnreadableError as error:
            return [unknown(str(error))] * len(keys)
        found: dict[str | None, Reading] = {}
        for item in items:
            key = self._key_of(item)
            found[key] = unreadable("listed twice") if key in found else self._read_item(item)
        # An item without a key may be any key's, so no other key can be called absent.
        missing = unknown("an item has no key") if None in found else Reading(Result.VALUE, ABSENT)
        return [self._recall.settle(key, found.get(key, missing)) for key in keys]

    def _items(self, answer: Answer, place: JsonPath) -> list[Any]:
        """The list in an answer. Raises UnreadableError for any other answer."""
        if answer.status != 200:
            raise UnreadableError(redirect(answer) or f"status {answer.status}")
        if not answer.is_whole:
            raise UnreadableError(f"body longer than {len(answer.body)} bytes")
        try:
            items = place.find(orjson.loads(answer.body))
        except orjson.JSONDecodeError:
            raise UnreadableError("not JSON") from None
        if not isinstance(items, list):
            raise UnreadableError(f"no list at {place}")
        return items

    def _key_of(self, item: Any) -> str | None:
        try:
            return _key_text(self._binding.key.find(item))
        except UnreadableError:
            return None

    def _read_item(self, item: Any) -> Reading:
        version = self._binding.version
        path = version.json_path if version else None
        try:
            found = path.find(item) if path else None
            projection = [one.find(item) for one in self._binding.projection]
        except UnreadableError as error:
            return unreadable(str(error))
        return self._shape.reading(Fields(found, projection))


def _key_text(given: object) -> str | None:
    is_key = isinstance(given, str | int) and not isinstance(given, bool)
    return str(given) if is_key else None


def grants(options: HttpOriginOptions, bindings: Mapping[str, HttpOriginBinding]) -> str:
    """What the service must let us do."""
    paths = [binding.path for binding in bindings.values()]
    paths += [binding.keys_path for binding in bindings.values() if binding.keys_path]
    return f"{options.url}: allow " + ", ".join(f"GET {path}" for path in paths)
