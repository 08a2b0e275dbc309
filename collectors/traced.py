"""Our own reads as spans of OpenTelemetry: one CLIENT span a batch, a source as it was otherwise.

They say `cache.layer` and `cache.node`, as receipts do, but are of kind CLIENT and have no id and
no outcome, so that no receiver takes them for one. Without an SDK nothing is made or kept.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from collectors.base import Cache, KeyPage, Origin, ProbeEffect, Reply, Source, SourceError

BATCH_KEYS: Final = "stalewatch.batch.keys"
BATCH_BYTES: Final = "stalewatch.batch.bytes"
ORIGIN_NAME: Final = "stalewatch.origin"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

_TRACER: Final = trace.get_tracer("stalewatch.collectors")


class Traced:
    """A source whose batches are spans; `attributes` are on each of them."""

    def __init__(self, source: Source, attributes: Mapping[str, str | int]) -> None:
        self._source = source
        self._attributes = attributes

    @property
    def batch_keys(self) -> int:
        """How many keys one batch should hold now."""
        return self._source.batch_keys

    async def read(self, keys: Sequence[str]) -> Reply:
        """Read keys, and say so."""
        return await self._told("read", keys, self._source.read)

    async def _told(
        self, name: str, keys: Sequence[str], read: Callable[[Sequence[str]], Awaitable[Reply]]
    ) -> Reply:
        span = _TRACER.start_span(name, kind=SpanKind.CLIENT, attributes=self._attributes)
        if not span.is_recording():
            return await read(keys)
        span.set_attribute(BATCH_KEYS, len(keys))
        with trace.use_span(span, end_on_exit=True):
            reply = await read(keys)
            span.set_attribute(BATCH_BYTES, reply.size_bytes)
            if reply.why:
                span.set_status(Status(StatusCode.ERROR, reply.why))
            return reply


class TracedCache(Traced):
    """A cache whose batches are spans."""

    def __init__(self, cache: Cache, attributes: Mapping[str, str | int]) -> None:
        super().__init__(cache, attributes)
        self._cache = cache

    @property
    def effect(self) -> ProbeEffect:
        """What a read does to the cache."""
        return self._cache.effect

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """Read suspected keys, and say so."""
        return await self._told("inspect", keys, self._cache.inspect)

    async def walk(self, cursor: str = "") -> KeyPage:
        """A page of keys, which is no batch and no span. Raises SourceError."""
        return await self._cache.walk(cursor)


class TracedOrigin(Traced):
    """An origin whose batches are spans."""

    def __init__(self, origin: Origin, attributes: Mapping[str, str | int]) -> None:
        super().__init__(origin, attributes)
        self._origin = origin

    @property
    def linearizable(self) -> bool:
        """Whether the last reply was the leader's."""
        return self._origin.linearizable

    def __getattr__(self, name: str) -> Any:
        """What else this kind of origin can do, such as `list_traffic`: it is no span."""
        return getattr(self._origin, name)

    async def list_keys(self) -> Sequence[str]:
        """Every key that the origin lists."""
        span = _TRACER.start_span("list keys", kind=SpanKind.CLIENT, attributes=self._attributes)
        # What a server said in an error is in its status alone: an event would repeat it whole.
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                keys = await self._origin.list_keys()
            except SourceError as error:
                span.set_status(Status(StatusCode.ERROR, str(error)))
                raise
            span.set_attribute(BATCH_KEYS, len(keys))
            return keys
