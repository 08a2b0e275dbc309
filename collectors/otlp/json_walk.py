"""Export requests in OTLP/JSON: ids are hexadecimal there, and 64-bit numbers are text.

protobuf's own JSON mapping would take ids as base64, so this walks what orjson parsed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import orjson

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

_ERROR: Final = 2
_TRACE_ID: Final = re.compile(r"[0-9a-fA-F]{32}")
_SPAN_ID: Final = re.compile(r"[0-9a-fA-F]{16}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_KINDS: Final = {kind.value: kind for kind in Kind}


class _ShapeError(Exception):
    """A part of a span is not of the type that OTLP gives it."""


def decode_json(body: bytes, names: Mapping[str, str]) -> Iterator[Decoded]:
    """As `decode_protobuf`, for JSON. Unknown members are ignored. Raises DecodeError."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise DecodeError("the body is no JSON, or nested too deep") from None
    try:
        for resource in _list(_dict(request), "resourceSpans"):
            shared = _values(_dict(resource.get("resource")), names)
            for scope in _list(resource, "scopeSpans"):
                for span in _list(scope, "spans"):
                    yield _span_or_why(span, names, shared)
    except _ShapeError:
        raise DecodeError("the body is no ExportTraceServiceRequest in JSON") from None


def _span_or_why(
    span: Mapping[str, Any], names: Mapping[str, str], shared: Mapping[str, Any]
) -> Decoded:
    given = span.get("kind")
    kind = _KINDS.get(given) if isinstance(given, int) else None
    if kind is None:
        return Outcome.OTHER
    try:
        return _span(kind, span, names, shared)
    except _ShapeError:
        return Outcome.MALFORMED


def _span(
    kind: Kind, span: Mapping[str, Any], names: Mapping[str, str], shared: Mapping[str, Any]
) -> Span:
    parent = span.get("parentSpanId") or ""
    return Span(
        kind,
        _id(span.get("traceId"), _TRACE_ID),
        _id(span.get("spanId"), _SPAN_ID),
        _id(parent, _SPAN_ID) if parent else "",
        _whole(span.get("startTimeUnixNano", 0)),
        _whole(span.get("endTimeUnixNano", 0)),
        _dict(span.get("status")).get("code") == _ERROR,
        {**shared, **_values(span, names)},
        tuple(
            (_id(link.get("traceId"), _TRACE_ID), _id(link.get("spanId"), _SPAN_ID))
            for link in islice(_list(span, "links"), MOST_LINKS)
        ),
    )


def _values(holder: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for attribute in islice(_list(holder, "attributes"), MOST_ATTRIBUTES):
        key = attribute.get("key")
        name = names.get(key) if isinstance(key, str) else None
        if name is not None:
            values[name] = _value(_dict(attribute.get("value")))
    return values


def _value(value: Mapping[str, Any]) -> Any:
    if "stringValue" in value:
        text = value["stringValue"]
        return text if isinstance(text, str) else WRONG
    try:
        if "intValue" in value:
            return _whole(value["intValue"])
        if "arrayValue" in value:
            each = islice(_list(_dict(value["arrayValue"]), "values"), MOST_KEYS + 1)
            texts = tuple(inner.get("stringValue") for inner in each)
            return texts if all(isinstance(text, str) for text in texts) else WRONG
    except _ShapeError:
        pass
    return WRONG


def _dict(value: object) -> Mapping[str, Any]:
    """A mapping; what is absent or null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _ShapeError
    return value


def _list(holder: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """The list of mappings under a name; what is absent or null is an empty one."""
    values = holder.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise _ShapeError
    return values


def _id(value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _ShapeError
    return value.lower()


def _whole(value: object) -> int:
    """A 64-bit number, as text or as a number."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**64:
        raise _ShapeError
    return value
