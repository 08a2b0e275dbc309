"""Export requests in both encodings, made of the same plain spans."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from stalewatch_sdk import attributes as names

S = 10**9
NOW = 1_800_000_000 * S
SERVER, PRODUCER, CONSUMER = 2, 4, 5
PUBLISHED: Mapping[str, Any] = {
    names.INVALIDATION_ID: "m1",
    names.KEYSPACE: "product",
    names.KEY: "42",
    names.VERSION: 3,
    names.WRITTEN_AT: NOW - 2 * S,
    names.PUBLISHER_ID: "shop-1",
    names.PUBLISHER_SEQUENCE: 7,
    names.MESSAGING_DESTINATION: "invalidations",
}
RECEIVED: Mapping[str, Any] = {
    names.INVALIDATION_ID: "m1",
    names.KEYSPACE: "product",
    names.KEY: "42",
    names.VERSION: 3,
    names.PUBLISHER_ID: "shop-1",
    names.PUBLISHER_SEQUENCE: 7,
    names.LAYER: "edge",
    names.NODE: "e1",
    names.INVALIDATION_OUTCOME: "applied",
    names.MESSAGING_DESTINATION: "invalidations",
}


def value(given: object) -> AnyValue:
    if isinstance(given, bool):
        return AnyValue(bool_value=given)
    if isinstance(given, int):
        return AnyValue(int_value=given)
    if isinstance(given, list | tuple):
        return AnyValue(array_value=ArrayValue(values=[value(each) for each in given]))
    if isinstance(given, bytes):
        return AnyValue(bytes_value=given)
    return AnyValue(string_value=str(given))


def attributes(given: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(each)) for key, each in given.items()]


def add(
    request: ExportTraceServiceRequest,
    kind: int,
    given: Mapping[str, Any],
    resource: Mapping[str, Any] | None = None,
    **fields: Any,
) -> None:
    """One more span, of a resource of its own."""
    holder = request.resource_spans.add()
    holder.resource.attributes.extend(attributes(resource or {"host.name": "web-1"}))
    span = holder.scope_spans.add().spans.add()
    plain = {
        "kind": kind,
        "trace_id": b"\x01" * 16,
        "span_id": b"\x02" * 8,
        "start_time_unix_nano": NOW - S,
        "end_time_unix_nano": NOW - S // 2,
        "attributes": attributes(given),
    }
    for name, each in {**plain, **fields}.items():
        if isinstance(each, list):
            getattr(span, name).extend(each)
        else:
            setattr(span, name, each)


def request(*spans: tuple[int, Mapping[str, Any]], **fields: Any) -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    for kind, given in spans:
        add(made, kind, given, **fields)
    return made


def as_json(made: ExportTraceServiceRequest) -> bytes:
    """As OTLP/JSON writes it: protobuf's own mapping, but for hexadecimal ids."""
    document = MessageToDict(made, use_integers_for_enums=True)
    pairs = zip(document.get("resourceSpans", ()), made.resource_spans, strict=True)
    for resource, source in pairs:
        spans: Sequence[dict[str, Any]] = resource["scopeSpans"][0]["spans"]
        for span, raw in zip(spans, source.scope_spans[0].spans, strict=True):
            _hexadecimal(span, raw)
    return orjson.dumps(document)


def _hexadecimal(span: dict[str, Any], source: Any) -> None:
    for name, raw in (
        ("traceId", source.trace_id),
        ("spanId", source.span_id),
        ("parentSpanId", source.parent_span_id),
    ):
        if raw:
            span[name] = raw.hex()
    for link, its in zip(span.get("links", ()), source.links, strict=True):
        link["traceId"], link["spanId"] = its.trace_id.hex(), its.span_id.hex()
