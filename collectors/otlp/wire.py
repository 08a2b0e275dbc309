"""Bodies of OTLP/HTTP: content types, inflating within bounds, and answers in kind."""

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collectors.otlp.span import REFUSED, Outcome

GZIP_WINDOW: Final = 31
"""zlib's name for a gzip wrapper around the largest window."""
RETRY_AFTER_S: Final = 1
_GRPC_CODES: Final = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.UNAUTHORIZED: 16,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.METHOD_NOT_ALLOWED: 12,
    HTTPStatus.REQUEST_TIMEOUT: 4,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 8,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 3,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,
}
"""google.rpc.Code of each status that is answered."""


class Encoding(StrEnum):
    """How a request is written, by its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back."""

    status: HTTPStatus
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class TooLargeError(Exception):
    """A body that is larger than may be; the message says what the bound is."""


class GzipError(Exception):
    """A body that is not gzip, though it says so."""


def encoding_of(content_type: str) -> Encoding | None:
    """The encoding that a Content-Type header names, None for any other."""
    media_type = content_type.partition(";")[0].strip().lower()
    return next((each for each in Encoding if each == media_type), None)


def inflate(body: bytes, most_bytes: int) -> bytes:
    """A gzip body unpacked: one byte more than `most_bytes` is all that is ever made of it.

    Raises TooLargeError and GzipError.
    """
    inflater = zlib.decompressobj(GZIP_WINDOW)
    try:
        inflated = inflater.decompress(body, most_bytes + 1)
    except zlib.error:
        raise GzipError("the body is not gzip, as Content-Encoding says") from None
    if len(inflated) > most_bytes:
        raise TooLargeError(f"the body inflates to more than {most_bytes} bytes")
    if not inflater.eof or inflater.unused_data:
        raise GzipError("the gzip body is cut off, or something follows it")
    return inflated


def accepted(encoding: Encoding, outcomes: Counter[Outcome]) -> Answer:
    """200, with how many spans were refused and why."""
    refused = {outcome: n for outcome, n in sorted(outcomes.items()) if outcome in REFUSED}
    count = sum(refused.values())
    why = ", ".join(f"{n} {outcome}" for outcome, n in refused.items())
    said = f"refused: {why}; docs/otlp.md says what each means" if count else ""
    if encoding is Encoding.JSON:
        partial = {"partialSuccess": {"rejectedSpans": str(count), "errorMessage": said}}
        return Answer(HTTPStatus.OK, orjson.dumps(partial if count else {}), encoding)
    response = ExportTraceServiceResponse()
    if count:
        response.partial_success.rejected_spans = count
        response.partial_success.error_message = said
    return Answer(HTTPStatus.OK, response.SerializeToString(), encoding)


def refusal(
    status: HTTPStatus,
    message: str,
    encoding: Encoding | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A google.rpc.Status in the request's encoding; JSON where that has none of the two."""
    code = _GRPC_CODES[status]
    encoding = encoding or Encoding.JSON
    if encoding is Encoding.JSON:
        body = orjson.dumps({"code": code, "message": message})
    else:
        body = _status_message(code, message)
    return Answer(status, body, encoding, headers or {})


def busy(message: str, encoding: Encoding | None = None) -> Answer:
    """503: the client keeps its spans, and sends them again."""
    again = {"retry-after": str(RETRY_AFTER_S)}
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, encoding, again)


def _status_message(code: int, message: str) -> bytes:
    """Status {int32 code = 1; string message = 2}; texts of ours are below 128 bytes' length."""
    text = message.encode()[:127]
    return bytes((0x08, code, 0x12, len(text))) + text
