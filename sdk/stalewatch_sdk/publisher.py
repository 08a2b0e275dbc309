"""Says on the bus that a newer version exists, in a span of its own."""

import uuid
from collections.abc import Awaitable
from typing import Any, Protocol

from opentelemetry import propagate, trace

from stalewatch_sdk import attributes as names
from stalewatch_sdk.message import Invalidation, encode


class Bus(Protocol):
    """What a publisher needs of a bus client; `redis.asyncio.Redis` is one."""

    def publish(self, channel: str, message: bytes, /) -> Awaitable[Any]:
        """Hands `message` to whoever listens on `channel`."""
        ...


class Publisher:
    """Publishes invalidations on one channel and numbers them without a gap.

    Publish after the commit, and keep one publisher a process: the sequence lives in memory, so
    `publisher_id` must be new at each start of the process.
    """

    def __init__(self, bus: Bus, channel: str, publisher_id: str, *, system: str = "redis") -> None:
        self.publisher_id = publisher_id
        self._bus = bus
        self._channel = channel
        self._system = system
        self._sequence = 0
        self._tracer = trace.get_tracer("stalewatch_sdk")

    async def publish(
        self,
        keyspace: str,
        key: str,
        version: int | str,
        *,
        written_at_ns: int | None = None,
        scope: names.Scope = names.Scope.KEY,
    ) -> Invalidation:
        """Publishes one invalidation and returns it. Errors of the bus pass through."""
        self._sequence += 1
        with self._tracer.start_as_current_span(
            f"publish {self._channel}", kind=trace.SpanKind.PRODUCER
        ) as span:
            context: dict[str, str] = {}
            propagate.inject(context)
            invalidation = Invalidation(
                id=uuid.uuid4().hex,
                keyspace=keyspace,
                key=key,
                version=version,
                publisher_id=self.publisher_id,
                publisher_sequence=self._sequence,
                scope=scope,
                written_at_ns=written_at_ns,
                context=context,
            )
            payload = encode(invalidation)
            span.set_attributes(self._attributes(invalidation, len(payload)))
            await self._bus.publish(self._channel, payload)
        return invalidation

    def _attributes(self, invalidation: Invalidation, size: int) -> dict[str, str | int]:
        written_at = invalidation.written_at_ns
        return {
            names.INVALIDATION_ID: invalidation.id,
            names.INVALIDATION_SCOPE: invalidation.scope.value,
            names.KEYSPACE: invalidation.keyspace,
            names.KEY: invalidation.key,
            names.VERSION: invalidation.version,
            **({} if written_at is None else {names.WRITTEN_AT: written_at}),
            names.PUBLISHER_ID: invalidation.publisher_id,
            names.PUBLISHER_SEQUENCE: invalidation.publisher_sequence,
            names.MESSAGING_SYSTEM: self._system,
            names.MESSAGING_DESTINATION: self._channel,
            names.MESSAGING_OPERATION_NAME: "publish",
            names.MESSAGING_OPERATION_TYPE: "send",
            names.MESSAGING_MESSAGE_ID: invalidation.id,
            names.MESSAGING_BODY_SIZE: size,
        }
