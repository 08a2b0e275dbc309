"""Caches that speak HTTP: the kinds `http`, `varnish`, `nginx` and `cdn`; see docs/collectors.

They differ in their dialect alone (`collectors.http_dialects`). Each key is one GET over keep-alive
connections. A batch has as many keys as there are connections, so that the stamps which its keys
share stay close to those of each.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from collectors.base import (
    Health,
    KeyPage,
    Keyspace,
    NowNs,
    ProbeEffect,
    Reply,
    SourceError,
    Target,
    unanswered,
)
from collectors.cache_status import CacheSaid, age_said, cache_said, node_said
from collectors.decode import Recall, Shape, unknown
from collectors.http_age import Ages
from collectors.http_dialects import CDNS, GENERIC, NGINX, VARNISH, Dialect, Standing
from collectors.http_link import Answer, FetchError, HttpLink, base_url, redirect
from collectors.http_value import HttpValues, reading_of
from collectors.options import ConnectionOptions, KeyTemplate, place_in_url, shown
from collectors.replies import joined
from freshness.model import MISS, Reading, Result
from settings import Secret, Section, Size, Tls

DEFAULT_PORT: Final = 80
CDN_PORT: Final = 443
LEAST_BODY_BYTES: Final = 4096
SECRET_HEADER: Final = "X-Stalewatch"
"""Where the documented VCL and nginx configuration look for the secret of `request`."""
PASSED: Final = "the answer bypassed the cache"
PAST_ITS_TIME: Final = "served past its time to live, as allowed"


class RequestOptions(Section):
    """What each request carries."""

    host: str | None = None
    """The Host header, where it is not the node's address."""
    headers: Mapping[str, str] = {}
    """More headers: what selects the same variant that users get."""
    only_cached: bool = False
    """Whether to send `only-if-cached`, so that we fill nothing; for caches that honour it."""
    secret: Secret | None = None
    """What proves to the cache that `only_cached` comes from us, sent as `X-Stalewatch`."""
    served_by: str | None = None
    """Name of the header by which a node proves which one it is."""

    @model_validator(mode="after")
    def _has_use_for_a_secret(self) -> Self:
        if self.secret is not None and not self.only_cached:
            raise ValueError("expected only_cached: true beside a secret")
        return self


class HttpOptions(ConnectionOptions):
    """A layer of HTTP caches."""

    request: RequestOptions = RequestOptions()
    """What each request carries."""
    connections: Annotated[int, Field(ge=1, le=100)] = 8
    """Most connections to a node, and so most keys of a batch."""
    longest_body: Size = Size.parse("64KiB")
    """Bytes of a body that are read; a version further on is unreadable."""

    def spoken(self) -> Dialect:
        """The dialect that the layer speaks."""
        return GENERIC


class VarnishOptions(HttpOptions):
    """A layer of Varnish caches."""

    def spoken(self) -> Dialect:
        """The dialect of Varnish."""
        return VARNISH


class NginxOptions(HttpOptions):
    """A layer of nginx caches."""

    def spoken(self) -> Dialect:
        """The dialect of nginx."""
        return NGINX


class CdnOptions(HttpOptions):
    """A content delivery network: many caches behind one address."""

    dialect: Literal["fastly", "cloudflare", "cloudfront", "akamai", "generic"]
    """Whose headers it tells hit, miss and age in."""
    tls: Tls | None = Tls()
    """How the connection is secured; by what the machine trusts where it is left out."""

    @model_validator(mode="after")
    def _fills_what_it_is_asked_for(self) -> Self:
        if self.request.only_cached:
            raise ValueError("expected no only_cached: a CDN fetches what it is asked for")
        return self

    def spoken(self) -> Dialect:
        """The dialect of the CDN."""
        return CDNS[self.dialect]


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
                **options.spoken().asks,
                **request.headers,
                **({"Host": request.host} if request.host else {}),
                **({"Cache-Control": "only-if-cached"} if request.only_cached else {}),
            },
            secrets={SECRET_HEADER: request.secret} if request.secret else {},
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
        note = _shortcoming(answer, self._options)
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
        self._dialect = options.spoken()
        self._body_bytes = options.longest_body.bytes
        self._binding = binding
        self._shape: Shape = binding.shape(keyspace.version)
        self._now_ns = now_ns
        self._recall, self._ages = Recall(), Ages()
        self.batch_keys = options.connections
        self.effect = ProbeEffect.NONE if options.request.only_cached else ProbeEffect.FILLS

    async def read(self, keys: Sequence[str]) -> Reply:
        """GET each key."""
        starts = range(0, len(keys), self.batch_keys) or (0,)
        return joined([await self._read_part(keys[i : i + self.batch_keys]) for i in starts])

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """The same: each answer tells all that the cache knows."""
        return await self.read(keys)

    async def walk(self, cursor: str = "") -> KeyPage:  # noqa: ARG002
        """Nobody asks an HTTP cache what it holds: raises SourceError."""
        raise SourceError("caches of this kind cannot list their keys")

    async def _read_part(self, keys: Sequence[str]) -> Reply:
        start_ns = self._now_ns()
        answers = await asyncio.gather(*(self._ask(key) for key in keys))
        end_ns = self._now_ns()
        whys = {answer for answer in answers if isinstance(answer, str)}
        if keys and len(whys) == 1 and all(isinstance(answer, str) for answer in answers):
            return unanswered(keys, start_ns, end_ns, whys.pop())
        readings = [self._read_answer(*one, end_ns) for one in zip(keys, answers, strict=True)]
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

    def _read_answer(self, key: str, answer: Answer | str, at_ns: int) -> Reading:
        if isinstance(answer, str):
            return unknown(answer)
        standing = cache_said(answer.headers, self._dialect).standing
        is_passed = standing is Standing.PASSED
        if self._request.only_cached and answer.status == self._dialect.not_cached_status:
            return unknown(PASSED) if is_passed else MISS
        is_absent = answer.status in self._binding.absent.status
        if not is_absent and answer.status not in {200, 203}:
            return unknown(redirect(answer) or f"status {answer.status}")
        if is_passed:
            return unknown(PASSED)
        reading = reading_of(answer, self._binding, self._shape)
        return self._recall.settle(key, self._with_circumstances(key, reading, answer, at_ns))

    def _with_circumstances(
        self, key: str, reading: Reading, answer: Answer, at_ns: int
    ) -> Reading:
        """Age and time to live, and whether the copy may be there because we asked."""
        if reading.result is not Result.VALUE:
            return reading
        said = self._said(key, reading, answer, at_ns)
        is_told = not self._dialect.always_tells and self._request.only_cached
        is_filled = not is_told if said.is_hit is None else not said.is_hit
        why = PAST_ITS_TIME if said.standing is Standing.STALE else ""
        return reading._replace(ttl_s=said.ttl_s, age_s=said.age_s, filled=is_filled, why=why)

    def _said(self, key: str, reading: Reading, answer: Answer, at_ns: int) -> CacheSaid:
        age_s = age_said(answer.headers, self._dialect)
        is_trusted = age_s is None or self._ages.is_trusted(key, reading.value, age_s, at_ns)
        return cache_said(answer.headers, self._dialect, is_age_trusted=is_trusted)

    def _identity(self, answers: Sequence[Answer]) -> str:
        """Who answered, where all answers name the same one; a pool names several."""
        served_by = self._request.served_by
        names = {node_said(answer.headers, self._dialect, served_by) for answer in answers}
        return shown(names.pop()) if len(names) == 1 else ""


def _shortcoming(answer: Answer, options: HttpOptions) -> str:
    """What an answer lacks of what the config counts on; empty where nothing does."""
    dialect, request = options.spoken(), options.request
    said = cache_said(answer.headers, dialect)
    if request.served_by and request.served_by not in answer.headers:
        return f"no header {request.served_by} on /, so the node may not prove which one it is"
    if request.only_cached and answer.status == dialect.not_cached_status:
        return ""
    if request.only_cached and said.is_hit is False:
        return "only_cached is not obeyed: / was fetched for us; see docs/collectors"
    if dialect.always_tells and said.standing is Standing.UNTOLD:
        return "/ tells neither hit nor miss, so that each read counts as a miss"
    return ""


def grants(options: HttpOptions, bindings: Mapping[str, HttpBinding]) -> str:
    """What a cache must let us do; there is no common way to say it."""
    paths = ", ".join(f"GET {binding.key}" for binding in bindings.values())
    request, dialect = options.request, options.spoken()
    extra = " with Cache-Control: only-if-cached" if request.only_cached else ""
    extra += f" and {SECRET_HEADER}" if request.secret else ""
    asks = "".join(f" with {name}: {value}" for name, value in dialect.asks.items())
    return f"Allow {paths}{extra}{asks}. Nothing is purged, and nothing else is sent."
