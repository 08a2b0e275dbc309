"""Applies invalidations at one node: each at most once, and never an older one over a newer."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from opentelemetry import propagate, trace

from stalewatch_sdk import attributes as names
from stalewatch_sdk.attributes import Outcome, Scope
from stalewatch_sdk.message import Invalidation, decode

Drop = Callable[[Invalidation], Awaitable[None]]
"""Removes the node's copies that the invalidation speaks for; raises where it could not."""

REMEMBERED_IDS = 10_000
"""How many message ids are kept to tell a duplicate; an older one is still told as superseded."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the node did with one invalidation; `error` says why it failed."""

    invalidation: Invalidation
    outcome: Outcome
    error: Exception | None = None


class Applier:
    """One node's end of the bus. Feed it the messages one after the other, not side by side.

    Versions that are integers are ordered; of others a different one counts as newer, since
    nothing orders them. What failed is not remembered, so that a redelivery can apply it.
    """

    def __init__(
        self, layer: str, node: str, drop: Drop, *, channel: str = "", system: str = "redis"
    ) -> None:
        self._drop = drop
        self._newest: dict[tuple[str, str], int | str] = {}
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._tracer = trace.get_tracer("stalewatch_sdk")
        self._span_name = f"apply {channel}".rstrip()
        self._fixed = {
            names.LAYER: layer,
            names.NODE: node,
            names.MESSAGING_SYSTEM: system,
            names.MESSAGING_OPERATION_NAME: "apply",
            names.MESSAGING_OPERATION_TYPE: "process",
            **({names.MESSAGING_DESTINATION: channel} if channel else {}),
        }

    def newest(self, keyspace: str, key: str) -> int | str | None:
        """The newest version this node was told of: a refill with an older one is stale."""
        return self._newest.get((keyspace, key))

    async def apply(self, payload: bytes) -> Receipt:
        """Applies one message inside a CONSUMER span. Raises MessageError alone."""
        invalidation = decode(payload)
        context = propagate.extract(invalidation.context)
        published = trace.get_current_span(context).get_span_context()
        with self._tracer.start_as_current_span(
            self._span_name,
            context=context,
            kind=trace.SpanKind.CONSUMER,
            links=[trace.Link(published)] if published.is_valid else [],
            attributes=self._attributes(invalidation, len(payload)),
        ) as span:
            receipt = await self._receive(invalidation)
            span.set_attribute(names.INVALIDATION_OUTCOME, receipt.outcome.value)
            if receipt.error is not None:
                span.record_exception(receipt.error)
                span.set_status(trace.StatusCode.ERROR, type(receipt.error).__name__)
            return receipt

    async def _receive(self, invalidation: Invalidation) -> Receipt:
        if invalidation.id in self._ids:
            return Receipt(invalidation, Outcome.DUPLICATE)
        if self._is_superseded(invalidation):
            self._remember_id(invalidation.id)
            return Receipt(invalidation, Outcome.SUPERSEDED)
        try:
            await self._drop(invalidation)
        except Exception as error:
            return Receipt(invalidation, Outcome.FAILED, error)
        self._remember_id(invalidation.id)
        if invalidation.scope is Scope.KEY:
            self._newest[invalidation.keyspace, invalidation.key] = invalidation.version
        return Receipt(invalidation, Outcome.APPLIED)

    def _is_superseded(self, invalidation: Invalidation) -> bool:
        newest = self.newest(invalidation.keyspace, invalidation.key)
        if invalidation.scope is not Scope.KEY or newest is None:
            return False
        if isinstance(newest, int) and isinstance(invalidation.version, int):
            return invalidation.version <= newest
        return invalidation.version == newest

    def _remember_id(self, message_id: str) -> None:
        self._ids[message_id] = None
        if len(self._ids) > REMEMBERED_IDS:
            self._ids.popitem(last=False)

    def _attributes(self, invalidation: Invalidation, size: int) -> dict[str, str | int]:
        return {
            **self._fixed,
            names.INVALIDATION_ID: invalidation.id,
            names.KEYSPACE: invalidation.keyspace,
            names.KEY: invalidation.key,
            names.VERSION: invalidation.version,
            names.PUBLISHER_ID: invalidation.publisher_id,
            names.PUBLISHER_SEQUENCE: invalidation.publisher_sequence,
            names.MESSAGING_MESSAGE_ID: invalidation.id,
            names.MESSAGING_BODY_SIZE: size,
        }
