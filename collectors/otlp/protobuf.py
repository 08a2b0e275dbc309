"""Export requests in protobuf, read to the spans that speak of messages."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from collectors.otlp.span import (
    MOST_ATTRIBUTES,
    MOST_KEYS,
    MOST_LINKS,
    WRONG,
    Decoded,
    DecodeError,
    Kind,
    Outcome,
    Span,
)

_KINDS: Final = {kind.value: kind for kind in Kind}


def decode_protobuf(body: bytes, names: Mapping[str, str]) -> Iterator[Decoded]:
    """Each span of a request; `names` says which attributes are read, and under which of ours.

    Attributes of the resource stand in where a span has none of its own. Raises DecodeError.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except ProtobufError:
        raise DecodeError("the body is no protobuf ExportTraceServiceRequest") from None
    for resource in request.resource_spans:
        shared = _values(resource.resource.attributes, names)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(span, names, shared)


def _span(span: ProtobufSpan, names: Mapping[str, str], shared: Mapping[str, Any]) -> Decoded:
    kind = _KINDS.get(span.kind)
    if kind is None:
        return Outcome.OTHER
    trace_id, span_id, parent = span.trace_id, span.span_id, span.parent_span_id
    if len(trace_id) != 16 or len(span_id) != 8 or len(parent) not in (0, 8):
        return Outcome.MALFORMED
    links = span.links
    return Span(
        kind,
        trace_id.hex(),
        span_id.hex(),
        parent.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == Status.STATUS_CODE_ERROR,
        _values(span.attributes, names, shared),
        tuple(
            (link.trace_id.hex(), link.span_id.hex())
            for link in islice(links, MOST_LINKS)
            if len(link.trace_id) == 16 and len(link.span_id) == 8
        )
        if links
        else (),
    )


def _values(
    attributes: Iterable[KeyValue],
    names: Mapping[str, str],
    shared: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    values = dict(shared) if shared else {}
    for attribute in islice(attributes, MOST_ATTRIBUTES):
        name = names.get(attribute.key)
        if name is not None:
            values[name] = _value(attribute.value)
    return values


def _value(value: AnyValue) -> Any:
    # Which member is set is asked last: nearly all are texts or numbers that are not empty or 0.
    if text := value.string_value:
        return text
    if number := value.int_value:
        return number
    match value.WhichOneof("value"):
        case "string_value":
            return ""
        case "int_value":
            return 0
        case "array_value":
            texts = list(islice(value.array_value.values, MOST_KEYS + 1))
            if any(each.WhichOneof("value") != "string_value" for each in texts):
                return WRONG
            return tuple(each.string_value for each in texts)
    return WRONG
