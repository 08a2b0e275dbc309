"""Reads as spans, with the real SDK: what they say, and that they are no receipts."""

from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from collectors.base import KeyPage, ProbeEffect, Reply, SourceError, unanswered
from collectors.budget import Budget
from collectors.otlp.mapping import Mapper, names_of
from collectors.otlp.protobuf import decode_protobuf
from collectors.otlp.span import Outcome, Span
from collectors.throttle import ThrottledCache
from collectors.traced import BATCH_BYTES, BATCH_KEYS, TracedCache, TracedOrigin
from freshness.model import Reading, Result
from stalewatch_sdk import attributes as ours

PLACE = {
    ours.KEYSPACE: "product",
    ours.LAYER: "edge",
    ours.NODE: "e1",
    "server.address": "10.0.0.1",
}


class Answering:
    """A cache and origin that answers at once, or says why not."""

    batch_keys = 50
    effect = ProbeEffect.NONE
    linearizable = True
    why = ""

    async def read(self, keys: Sequence[str]) -> Reply:
        if self.why:
            return unanswered(keys, 1, 2, self.why)
        return Reply(1, 2, [Reading(Result.MISS)] * len(keys), size_bytes=77)

    inspect = read

    async def walk(self, cursor: str = "") -> KeyPage:
        return KeyPage([cursor], "")

    async def list_keys(self) -> Sequence[str]:
        if self.why:
            raise SourceError(self.why)
        return ["1", "2"]


async def test_a_batch_is_a_client_span(spans: InMemorySpanExporter) -> None:
    traced = TracedCache(Answering(), PLACE)
    with trace.get_tracer("test").start_as_current_span("round") as around:
        reply = await traced.read(["1", "2"])
        await traced.inspect(["1"])
    assert len(reply.readings) == 2
    read, inspected, _ = spans.get_finished_spans()
    assert (read.name, inspected.name, read.kind) == ("read", "inspect", SpanKind.CLIENT)
    assert read.attributes == {**PLACE, BATCH_KEYS: 2, BATCH_BYTES: 77}
    assert read.status.status_code is StatusCode.UNSET
    assert read.parent is not None
    assert read.parent.span_id == around.get_span_context().span_id


async def test_a_batch_that_failed_says_why(spans: InMemorySpanExporter) -> None:
    down = Answering()
    down.why = "connection refused"
    await TracedCache(down, PLACE).read(["1"])
    (read,) = spans.get_finished_spans()
    assert read.status.status_code is StatusCode.ERROR
    assert read.status.description == "connection refused"


async def test_an_origin_that_lists_keys_is_a_span_too(spans: InMemorySpanExporter) -> None:
    origin = Answering()
    traced = TracedOrigin(origin, {ours.KEYSPACE: "product"})
    assert await traced.list_keys() == ["1", "2"]
    assert traced.linearizable
    origin.why = "timed out"
    with pytest.raises(SourceError, match="timed out"):
        await traced.list_keys()
    listed, failed = spans.get_finished_spans()
    assert listed.attributes == {ours.KEYSPACE: "product", BATCH_KEYS: 2}
    assert (failed.status.description, len(failed.events)) == ("timed out", 0)


async def test_what_the_budget_starves_is_no_span(spans: InMemorySpanExporter) -> None:
    budget = Budget(0, 1.0, bytes_per_s=1e9)
    cache = ThrottledCache(TracedCache(Answering(), PLACE), budget, lambda: 0, 0)
    replies = [await cache.read(["1"]) for _ in range(5)]
    asked = sum(reply.was_asked for reply in replies)
    assert 0 < asked < 5
    assert len(spans.get_finished_spans()) == asked


async def test_our_own_spans_are_no_receipts(spans: InMemorySpanExporter) -> None:
    await TracedCache(Answering(), PLACE).read(["1"])
    await TracedOrigin(Answering(), PLACE).list_keys()
    body = encode_spans(spans.get_finished_spans()).SerializeToString()
    mapped = names_of({"cache.invalidation.id": "server.address"})
    found = list(decode_protobuf(body, mapped))
    assert found == [Outcome.OTHER] * 2
    # The kind alone would do; without an id and an outcome neither would another kind.
    for kind in (4, 5):
        span = Span(kind, "1" * 32, "1" * 16, "", 1, 2, False, PLACE, ())  # type: ignore[arg-type]
        assert Mapper(lambda *_: True).row(span, 10) is Outcome.OTHER


async def test_a_walk_is_passed_on() -> None:
    assert await TracedCache(Answering(), PLACE).walk("7") == KeyPage(["7"], "")
