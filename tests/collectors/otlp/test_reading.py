"""From a request's bytes to rows: alike in both encodings, and nothing hostile gets through."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from collectors.naming import hashed
from collectors.otlp.json_walk import decode_json
from collectors.otlp.mapping import AHEAD_NS, MAPPED, Mapper, Row, names_of
from collectors.otlp.protobuf import decode_protobuf
from collectors.otlp.span import DecodeError, Outcome
from stalewatch.config.otlp import Mapped
from stalewatch_sdk import attributes as names
from store.messages import InvalidationRow, ReceiptRow
from tests.collectors.otlp.spans import (
    CONSUMER,
    NOW,
    PRODUCER,
    PUBLISHED,
    RECEIVED,
    SERVER,
    S,
    as_json,
    request,
)

MAPPER = Mapper(lambda layer, node: (layer, node) == ("edge", "e1"), frozenset({"product"}))
Decode = Callable[[ExportTraceServiceRequest, Mapping[str, str]], list[Row | Outcome]]


def by_protobuf(made: ExportTraceServiceRequest, read: Mapping[str, str]) -> list[Row | Outcome]:
    return rows(decode_protobuf(made.SerializeToString(), read))


def by_json(made: ExportTraceServiceRequest, read: Mapping[str, str]) -> list[Row | Outcome]:
    return rows(decode_json(as_json(made), read))


def rows(spans: Any) -> list[Row | Outcome]:
    return [span if isinstance(span, Outcome) else MAPPER.row(span, NOW) for span in spans]


@pytest.fixture(params=[by_protobuf, by_json], ids=["protobuf", "json"])
def decode(request: pytest.FixtureRequest) -> Decode:
    chosen: Decode = request.param
    return chosen


def one(decode: Decode, kind: int, given: Mapping[str, Any], **fields: Any) -> Row | Outcome:
    (row,) = decode(request((kind, given), **fields), names_of({}))
    return row


def published(decode: Decode, **changes: Any) -> Row | Outcome:
    """What comes of a publish span with some attributes changed; None takes one away."""
    by_name = {getattr(names, name): given for name, given in changes.items()}
    given = {name: each for name, each in {**PUBLISHED, **by_name}.items() if each is not None}
    return one(decode, PRODUCER, given)


def test_a_publish_span_is_an_invalidation(decode: Decode) -> None:
    assert one(decode, PRODUCER, PUBLISHED) == InvalidationRow(
        id="m1", keyspace="product", scope="key", keys=("42",), version=3, version_text="3",
        publisher="shop-1", stream="invalidations", sequence=7, written_at_ns=NOW - 2 * S,
        received_at_ns=NOW, host="web-1", trace_id="01" * 16, span_id="02" * 8,
    )  # fmt: skip


def test_a_process_span_is_a_receipt(decode: Decode) -> None:
    link = ProtobufSpan.Link(trace_id=b"\x05" * 16, span_id=b"\x06" * 8)
    assert one(
        decode, CONSUMER, RECEIVED, parent_span_id=b"\x03" * 8, links=[link]
    ) == ReceiptRow(
        invalidation="m1", layer="edge", node="e1", outcome="applied", at_ns=NOW - S // 2,
        received_at_ns=NOW, is_known=True, publisher="shop-1", stream="invalidations",
        sequence=7, host="web-1", trace_id="01" * 16, span_id="02" * 8,
        parent_span_id="03" * 8, links=(("05" * 16, "06" * 8),),
    )  # fmt: skip


def test_several_keys_and_scopes(decode: Decode) -> None:
    row = published(decode, KEY=["1", "2", "1"], INVALIDATION_SCOPE="tag")
    assert isinstance(row, InvalidationRow)
    assert (row.keys, row.scope) == (("1", "2"), "tag")
    everything = published(decode, KEY=None, INVALIDATION_SCOPE="all")
    assert isinstance(everything, InvalidationRow)
    assert everything.keys == ()


def test_keys_are_named_as_the_store_names_them(
    decode: Decode, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_they_are = published(decode)
    assert isinstance(as_they_are, InvalidationRow)
    monkeypatch.setattr(sys.modules[__name__], "MAPPER", replace(MAPPER, naming=hashed))
    row = published(decode)
    assert isinstance(row, InvalidationRow)
    assert row.keys == tuple(hashed(key) for key in as_they_are.keys)


def test_a_write_without_its_instant_began_with_the_span(decode: Decode) -> None:
    row = published(decode, WRITTEN_AT=None)
    assert isinstance(row, InvalidationRow)
    assert row.written_at_ns == NOW - S


@pytest.mark.parametrize(
    ("version", "keyspace", "read"),
    [
        (3, "product", (3, "3")),
        ("3", "product", (3, "3")),
        ("3", "other", (None, "3")),
        ("a1b2", "product", (None, "a1b2")),
        (None, "product", (None, "")),
    ],
)
def test_a_version_orders_where_it_is_a_number(
    decode: Decode, version: object, keyspace: str, read: tuple[int | None, str]
) -> None:
    row = published(decode, VERSION=version, KEYSPACE=keyspace)
    assert isinstance(row, InvalidationRow)
    assert (row.version, row.version_text) == read


def test_a_node_that_the_catalogue_lacks_is_told_as_such(decode: Decode) -> None:
    row = one(decode, CONSUMER, {**RECEIVED, names.NODE: "forged"})
    assert isinstance(row, ReceiptRow)
    assert (row.node, row.is_known) == ("forged", False)


def test_a_receipt_without_an_outcome_says_it_by_its_status(decode: Decode) -> None:
    given = {name: each for name, each in RECEIVED.items() if name != names.INVALIDATION_OUTCOME}
    applied = one(decode, CONSUMER, given)
    assert isinstance(applied, ReceiptRow)
    assert applied.outcome == "applied"
    made = request((CONSUMER, given))
    made.resource_spans[0].scope_spans[0].spans[0].status.code = Status.STATUS_CODE_ERROR
    (failed,) = decode(made, names_of({}))
    assert isinstance(failed, ReceiptRow)
    assert failed.outcome == "failed"


def test_layer_and_node_may_stand_in_the_resource(decode: Decode) -> None:
    given = {k: v for k, v in RECEIVED.items() if k not in {names.LAYER, names.NODE}}
    resource = {names.LAYER: "edge", names.NODE: "e1"}
    (row,) = decode(request((CONSUMER, given), resource=resource), names_of({}))
    assert isinstance(row, ReceiptRow)
    assert (row.layer, row.node) == ("edge", "e1")


def test_other_spans_are_let_go(decode: Decode) -> None:
    others = request(
        (SERVER, PUBLISHED), (PRODUCER, {"messaging.system": "kafka"}), (CONSUMER, {"a": "b"})
    )
    assert decode(others, names_of({})) == [Outcome.OTHER] * 3


def test_a_users_own_names(decode: Decode) -> None:
    read = names_of({
        names.INVALIDATION_ID: "messaging.message.id",
        names.KEYSPACE: "shop.entity",
        names.NODE: "service.instance.id",
        names.LAYER: "deployment.tier",
    })  # fmt: skip
    theirs = {"messaging.message.id": "k1", "shop.entity": "product", names.KEY: "42"}
    place = {"service.instance.id": "e1", "deployment.tier": "edge"}
    made = request((PRODUCER, theirs), (CONSUMER, theirs), resource=place)
    invalidation, receipt = decode(made, read)
    assert isinstance(invalidation, InvalidationRow)
    assert isinstance(receipt, ReceiptRow)
    assert invalidation.id == receipt.invalidation == "k1"
    assert (receipt.layer, receipt.node) == ("edge", "e1")
    # A message of another kind has an id, too; it is nobody's mistake.
    unrelated = {"messaging.message.id": "k2"}
    assert decode(request((PRODUCER, unrelated)), read) == [Outcome.OTHER]
    assert one(decode, PRODUCER, PUBLISHED) == decode(request((PRODUCER, PUBLISHED)), read)[0]


BAD: Mapping[str, tuple[Mapping[str, Any], Outcome]] = {
    "no keyspace": ({"KEYSPACE": None}, Outcome.INCOMPLETE),
    "no key": ({"KEY": None}, Outcome.INCOMPLETE),
    "empty id": ({"INVALIDATION_ID": ""}, Outcome.INCOMPLETE),
    "id is a number": ({"INVALIDATION_ID": 7}, Outcome.WRONG_TYPE),
    "id is bytes": ({"INVALIDATION_ID": b"7"}, Outcome.WRONG_TYPE),
    "key is a list of numbers": ({"KEY": [1, 2]}, Outcome.WRONG_TYPE),
    "key is a list of lists": ({"KEY": [["1"]]}, Outcome.WRONG_TYPE),
    "version is true": ({"VERSION": True}, Outcome.WRONG_TYPE),
    "sequence is text": ({"PUBLISHER_SEQUENCE": "7"}, Outcome.WRONG_TYPE),
    "unknown scope": ({"INVALIDATION_SCOPE": "galaxy"}, Outcome.WRONG_TYPE),
    "long id": ({"INVALIDATION_ID": "x" * 257}, Outcome.TOO_LONG),
    "long key": ({"KEY": "x" * 1025}, Outcome.TOO_LONG),
    "too many keys": ({"KEY": ["x"] * 100_000}, Outcome.TOO_LONG),
    "keys too long together": ({"KEY": ["x" * 1000] * 100}, Outcome.TOO_LONG),
    "written in the future": ({"WRITTEN_AT": NOW + AHEAD_NS + 1}, Outcome.FUTURE),
    "written before time began": ({"WRITTEN_AT": -1}, Outcome.NO_TIME),
}


@pytest.mark.parametrize(("changes", "outcome"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_refused(
    decode: Decode, changes: Mapping[str, Any], outcome: Outcome
) -> None:
    assert published(decode, **changes) == outcome


def test_a_receipt_needs_its_node(decode: Decode) -> None:
    given = {name: each for name, each in RECEIVED.items() if name != names.NODE}
    assert one(decode, CONSUMER, given) == Outcome.INCOMPLETE
    assert one(decode, CONSUMER, {**RECEIVED, names.INVALIDATION_OUTCOME: "eaten"}) == (
        Outcome.WRONG_TYPE
    )


def test_a_receipt_of_the_future_is_refused(decode: Decode) -> None:
    late = {"end_time_unix_nano": NOW + AHEAD_NS + 1}
    assert one(decode, CONSUMER, RECEIVED, **late) == Outcome.FUTURE
    timeless = {"start_time_unix_nano": 0, "end_time_unix_nano": 0}
    assert one(decode, CONSUMER, RECEIVED, **timeless) == Outcome.NO_TIME


def test_ids_of_the_wrong_length_are_malformed(decode: Decode) -> None:
    for wrong in ({"trace_id": b"\x01"}, {"span_id": b""}, {"parent_span_id": b"\x01" * 9}):
        assert one(decode, PRODUCER, PUBLISHED, **wrong) == Outcome.MALFORMED


def test_attributes_without_end_are_looked_at_up_to_a_bound(decode: Decode) -> None:
    many = {f"x{number}": "y" for number in range(2000)}
    assert one(decode, PRODUCER, {**many, **PUBLISHED}) == Outcome.OTHER
    assert isinstance(one(decode, PRODUCER, {**PUBLISHED, **many}), InvalidationRow)


NO_REQUESTS = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "spans are a mapping": b'{"resourceSpans": {}}',
    "spans are numbers": b'{"resourceSpans": [{"scopeSpans": [{"spans": [1, 2]}]}]}',
    "a resource is text": b'{"resourceSpans": [{"resource": "x"}]}',
    "nested without end": b"[" * 1_000_000,
    "nested in a value": b'{"resourceSpans":' * 5000 + b"1" + b"}" * 5000,
    "no UTF-8": b'{"resourceSpans": "\xff"}',
}


@pytest.mark.parametrize("body", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
def test_json_that_is_no_request_is_refused_whole(body: bytes) -> None:
    with pytest.raises(DecodeError):
        list(decode_json(body, names_of({})))


@pytest.mark.parametrize(
    "changes",
    [
        {"traceId": 5}, {"traceId": "zz" * 16}, {"spanId": ["02" * 8]}, {"links": "x"},
        {"startTimeUnixNano": "9" * 5000}, {"startTimeUnixNano": 1e300}, {"attributes": {"a": 1}},
        {"status": [2]}, {"links": [{"traceId": None}]},
        {"attributes": [{"key": names.KEY, "value": []}, 1]},
    ],
    ids=str,
)  # fmt: skip
def test_json_of_wrong_types_costs_that_span_alone(changes: Mapping[str, Any]) -> None:
    document = orjson.loads(as_json(request((PRODUCER, PUBLISHED), (PRODUCER, PUBLISHED))))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(changes)
    first, second = rows(decode_json(orjson.dumps(document), names_of({})))
    assert first == Outcome.MALFORMED
    assert isinstance(second, InvalidationRow)


def test_json_that_says_null_or_more_is_read() -> None:
    document = orjson.loads(as_json(request((PRODUCER, PUBLISHED))))
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span.update({"links": None, "status": None, "parentSpanId": "", "whatever": {"x": [1]}})
    span["traceId"] = "AB" * 16
    (row,) = rows(decode_json(orjson.dumps(document), names_of({})))
    assert isinstance(row, InvalidationRow)
    assert row.trace_id == "ab" * 16


def test_protobuf_that_is_none_or_nested_too_deep_is_refused_whole() -> None:
    deep = b""
    for _ in range(200):
        # AnyValue { array_value = 5 { values = 1 } }: each layer is one more nested message
        inner = b"\x0a" + _varint(len(deep)) + deep
        deep = b"\x2a" + _varint(len(inner)) + inner
    attribute = b"\x12" + _varint(len(deep)) + deep
    resource = b"\x0a" + _varint(len(attribute)) + attribute
    holder = b"\x0a" + _varint(len(resource)) + resource
    nested = b"\x0a" + _varint(len(holder)) + holder
    for body in (b"\xff" * 100, nested):
        with pytest.raises(DecodeError):
            list(decode_protobuf(body, names_of({})))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def test_the_config_maps_what_is_read() -> None:
    assert get_args(Mapped) == MAPPED
