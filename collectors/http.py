"""The cache kind `http`: any cache that speaks HTTP; see docs/collectors/http.md.

Each key is one GET over keep-alive connections. A batch has as many keys as there are connections,
so that the stamps which its keys share stay close to those of each.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from collectors.base import Health, Keyspace, NowNs, ProbeEffect, Reply, Target, unanswered
from collectors.cache_status import CacheSaid, cache_said
from collectors.decode import Recall, Shape, unknown
from collectors.http_link import Answer, FetchError, HttpLink, base_url, redirect
from collectors.http_value import HttpValues, reading_of
from collectors.options import ConnectionOptions, KeyTemplate, place_in_url, shown
from collectors.replies import joined
from freshness.model import MISS, Reading, Result
from settings import Section, Size

DEFAULT_PORT: Final = 80
LEAST_BODY_BYTES: Final = 4096


class RequestOptions(Section):
    """What each request carries."""

    host: str | None = None
    """The Host header, where it is not the node's address."""
    headers: Mapping[str, str] = {}
    """More headers: what selects the same variant that users get."""
    only_cached: bool = False
    """Whether to send `only-if-cached`, so that we fill nothing; for caches that honour it."""
    served_by: str | None = None
    """Name of the header by which a node proves which one it is."""


class HttpOptions(ConnectionOptions):
    """A layer of HTTP caches."""

    request: RequestOptions = RequestOptions()
    """What each request carries."""
    connections: Annotated[int, Field(ge=1, le=100)] = 8
    """Most connections to a node, and so most keys of a batch."""
    longest_body: Size = Size.parse("64KiB")
    """Bytes of a body that are read; a version further on is unreadable."""


class HttpBinding(HttpValues):
    """How a keyspace is addressed in an HTTP layer."""

    key: KeyTemplate
    """Path of the URL with the key in it: `/products/{key}`; the key is percent-encoded."""


class HttpServer:
    """One node: connections that its keyspaces share."""

    def __init__(self, target: Target, options: HttpOptions, now_ns: NowNs) -> None:
        self._options = options
        self._now_ns = now_ns
        request = options.request
        self._link = HttpLink(
            base_url(target.host, target.port, options),
            options,
            connections=options.connections,
            headers={
                **request.headers,
                **({"Host": request.host} if request.host else {}),
                **({"Cache-Control": "only-if-cached"} if request.only_cached else {}),
            },
        )

    def open(self, binding: HttpBinding, keyspace: Keyspace) -> "HttpCache":
        """The node as one keyspace sees it."""
        return HttpCache(self._link, self._options, binding, keyspace, self._now_ns)

    async def check(self) -> Health:
        """Ask for `/`: any answer that is HTTP will do."""
        try:
            answer = await self._link.fetch("/", body_limit=LEAST_BODY_BYTES)
        except FetchError as error:
            return Health(False, "HTTP", f"{error}: check host, port and tls")
        if answer.status in {401, 403, 407}:
            return Health(False, "HTTP", f"status {answer.status}: check auth")
        served_by = self._options.request.served_by
        note = ""
        if served_by and served_by not in answer.headers:
            note = f"no header {served_by} on /, so the node may not prove which one it is"
        return Health(True, shown(answer.headers.get("server", "HTTP"), 60), note)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()


class HttpCache:
    """One node as one keyspace addresses it."""

    def __init__(
        self,
        link: HttpLink,
        options: HttpOptions,
        binding: HttpBinding,
        keyspace: Keyspace,
        now_ns: NowNs,
    ) -> None:
        self._link = link
        self._request = options.request
        self._body_bytes = options.longest_body.bytes
        self._binding = binding
        self._shape: Shape = binding.shape(keyspace.version)
        self._now_ns = now_ns
        self._recall = Recall()
        self.batch_keys = options.connections
        self.effect = ProbeEffect.NONE if options.request.only_cached else ProbeEffect.FILLS

    async def read(self, keys: Sequence[str]) -> Reply:
        """GET each key."""
        starts = range(0, len(keys), self.batch_keys) or (0,)
        return joined([await self._read_part(keys[i : i + self.batch_keys]) for i in starts])

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """The same: each answer tells all that the cache knows."""
        return await self.read(keys)

    async def _read_part(self, keys: Sequence[str]) -> Reply:
        start_ns = self._now_ns()
        answers = await asyncio.gather(*(self._ask(key) for key in keys))
        end_ns = self._now_ns()
        whys = {answer for answer in answers if isinstance(answer, str)}
        if keys and len(whys) == 1 and all(isinstance(answer, str) for answer in answers):
            return unanswered(keys, start_ns, end_ns, whys.pop())
        readings = [self._read_answer(*one) for one in zip(keys, answers, strict=True)]
        whole = [answer for answer in answers if isinstance(answer, Answer)]
        size_bytes = sum(len(answer.body) for answer in whole)
        identity = self._identity(whole)
        return Reply(start_ns, end_ns, readings, identity, size_bytes=size_bytes)

    async def _ask(self, key: str) -> Answer | str:
        """The answer, or why there is none."""
        limit = self._body_bytes if self._binding.needs_body else LEAST_BODY_BYTES
        try:
            return await self._link.fetch(place_in_url(self._binding.key, key), body_limit=limit)
        except FetchError as error:
            return str(error)

    def _read_answer(self, key: str, answer: Answer | str) -> Reading:
        if isinstance(answer, str):
            return unknown(answer)
        if answer.status == 504 and self._request.only_cached:
            return MISS
        is_absent = answer.status in self._binding.absent.status
        if not is_absent and answer.status not in {200, 203}:
            return unknown(redirect(answer) or f"status {answer.status}")
        said = cache_said(answer.headers)
        if said.is_passed:
            return unknown("the answer bypassed the cache")
        reading = reading_of(answer, self._binding, self._shape)
        return self._recall.settle(key, self._with_circumstances(reading, said))

    def _with_circumstances(self, reading: Reading, said: CacheSaid) -> Reading:
        """Age and time to live, and whether the copy may be there because we asked."""
        if reading.result is not Result.VALUE:
            return reading
        is_filled = said.is_hit is False or (said.is_hit is None and not self._request.only_cached)
        return reading._replace(ttl_s=said.ttl_s, age_s=said.age_s, filled=is_filled)

    def _identity(self, answers: Sequence[Answer]) -> str:
        """Who answered, where all answers name the same one; a pool names several."""
        if self._request.served_by is None:
            return ""
        names = {answer.headers.get(self._request.served_by, "") for answer in answers}
        return shown(names.pop()) if len(names) == 1 else ""


def grants(options: HttpOptions, bindings: Mapping[str, HttpBinding]) -> str:
    """What a cache must let us do; there is no common way to say it."""
    paths = ", ".join(f"GET {binding.key}" for binding in bindings.values())
    extra = " with Cache-Control: only-if-cached" if options.request.only_cached else ""
    return f"Allow {paths}{extra}. Nothing is purged, and nothing else is sent."
