"""Publishing and applying: outcomes, and the spans that tell of them."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from redis.asyncio import Redis

from stalewatch_sdk import attributes as names
from stalewatch_sdk.applier import Applier
from stalewatch_sdk.attributes import Outcome, Scope
from stalewatch_sdk.message import Invalidation, MessageError, decode, encode
from stalewatch_sdk.publisher import Publisher
from tests.servers import RedisServer


class Channel:
    """A bus of one channel that keeps its messages."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def publish(self, channel: str, message: bytes, /) -> None:
        assert channel == "invalidations"
        self.messages.append(message)


class Cache:
    """What an applier drops from; it fails while `is_down`."""

    def __init__(self) -> None:
        self.is_down = False
        self.dropped: list[tuple[str, int | str]] = []

    async def drop(self, invalidation: Invalidation) -> None:
        if self.is_down:
            raise ConnectionError("the cache is down")
        self.dropped.append((invalidation.key, invalidation.version))


def message(message_id: str, version: int | str, scope: Scope = Scope.KEY) -> bytes:
    return encode(Invalidation(message_id, "product", "42", version, "p", 1, scope))


OUTCOMES = [
    pytest.param([("a", 2)], ["applied"], id="the first message"),
    pytest.param([("a", 2), ("b", 3)], ["applied", "applied"], id="in order"),
    pytest.param([("a", 2), ("a", 2)], ["applied", "duplicate"], id="the same message twice"),
    pytest.param([("b", 3), ("a", 2)], ["applied", "superseded"], id="reordered"),
    pytest.param(
        [("b", 3), ("a", 2), ("a", 2)],
        ["applied", "superseded", "duplicate"],
        id="a superseded message twice",
    ),
    pytest.param([("a", 2), ("b", 2)], ["applied", "superseded"], id="one version, two messages"),
    pytest.param([("a", "x"), ("b", "w")], ["applied", "applied"], id="versions without an order"),
    pytest.param([("a", "x"), ("b", "x")], ["applied", "superseded"], id="the same text twice"),
]


@pytest.mark.parametrize(("messages", "outcomes"), OUTCOMES)
async def test_outcomes(messages: list[tuple[str, int | str]], outcomes: list[str]) -> None:
    cache = Cache()
    applier = Applier("app", "eu-app-1", cache.drop)
    receipts = [await applier.apply(message(*each)) for each in messages]
    assert [receipt.outcome for receipt in receipts] == outcomes
    applied = [
        each for each, outcome in zip(messages, outcomes, strict=True) if outcome == "applied"
    ]
    assert cache.dropped == [("42", version) for _, version in applied]


async def test_a_tag_supersedes_no_version() -> None:
    cache = Cache()
    applier = Applier("app", "eu-app-1", cache.drop)
    await applier.apply(message("a", 5))
    receipt = await applier.apply(message("b", 1, Scope.TAG))
    assert receipt.outcome is Outcome.APPLIED
    assert applier.newest("product", "42") == 5


async def test_what_failed_is_applied_when_it_comes_again(spans: InMemorySpanExporter) -> None:
    cache = Cache()
    applier = Applier("app", "eu-app-1", cache.drop)
    cache.is_down = True
    failed = await applier.apply(message("a", 2))
    assert (failed.outcome, applier.newest("product", "42")) == (Outcome.FAILED, None)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    cache.is_down = False
    assert (await applier.apply(message("a", 2))).outcome is Outcome.APPLIED


async def test_no_message_is_the_callers_business() -> None:
    with pytest.raises(MessageError):
        await Applier("app", "eu-app-1", Cache().drop).apply(b"?")


async def test_a_publisher_numbers_its_messages() -> None:
    channel = Channel()
    publisher = Publisher(channel, "invalidations", "shop-1")
    for version in (2, 3):
        await publisher.publish("product", "42", version)
    decoded = [decode(payload) for payload in channel.messages]
    assert [(each.publisher_id, each.publisher_sequence) for each in decoded] == [
        ("shop-1", 1),
        ("shop-1", 2),
    ]
    assert len({each.id for each in decoded}) == 2


async def test_the_two_spans_are_one_trace(spans: InMemorySpanExporter) -> None:
    channel = Channel()
    publisher = Publisher(channel, "invalidations", "shop-1")
    sent = await publisher.publish("product", "42", 3, written_at_ns=1_700_000_000_000_000_000)
    applier = Applier("app", "eu-app-1", Cache().drop, channel="invalidations")
    await applier.apply(channel.messages[0])
    published, received = spans.get_finished_spans()
    both = {
        names.INVALIDATION_ID: sent.id,
        names.KEYSPACE: "product",
        names.KEY: "42",
        names.VERSION: 3,
        names.PUBLISHER_ID: "shop-1",
        names.PUBLISHER_SEQUENCE: 1,
        names.MESSAGING_SYSTEM: "redis",
        names.MESSAGING_DESTINATION: "invalidations",
        names.MESSAGING_MESSAGE_ID: sent.id,
        names.MESSAGING_BODY_SIZE: len(channel.messages[0]),
    }
    assert (published.name, published.kind) == ("publish invalidations", SpanKind.PRODUCER)
    assert _attributes(published) == both | {
        names.INVALIDATION_SCOPE: "key",
        names.WRITTEN_AT: 1_700_000_000_000_000_000,
        names.MESSAGING_OPERATION_NAME: "publish",
        names.MESSAGING_OPERATION_TYPE: "send",
    }
    assert (received.name, received.kind) == ("apply invalidations", SpanKind.CONSUMER)
    assert _attributes(received) == both | {
        names.LAYER: "app",
        names.NODE: "eu-app-1",
        names.INVALIDATION_OUTCOME: "applied",
        names.MESSAGING_OPERATION_NAME: "apply",
        names.MESSAGING_OPERATION_TYPE: "process",
    }
    assert received.parent is not None
    assert received.parent.span_id == published.context.span_id
    assert [link.context for link in received.links] == [received.parent]


async def test_a_redis_client_is_a_bus(redis_server: RedisServer) -> None:
    async with (
        Redis(host="127.0.0.1", port=redis_server.port) as client,
        client.pubsub(ignore_subscribe_messages=True) as subscription,
    ):
        await subscription.subscribe("invalidations")
        await subscription.get_message(timeout=5)
        sent = await Publisher(client, "invalidations", "shop-1").publish("product", "42", 3)
        received = await subscription.get_message(timeout=5)
    assert received is not None
    assert decode(received["data"]) == sent


def _attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})
