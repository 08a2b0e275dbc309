"""Recorded replies of Jaeger's and Tempo's query APIs; no such server runs in the tests.

They are written down after the APIs' documentation: `jaeger-traces.json` is what `/api/traces` of
Jaeger 1 and 2 answers, `tempo-search.json` what `/api/search` of Tempo 2 does, and `tempo_trace`
the protobuf of Tempo's `/api/v2/traces/{id}`.
"""

from pathlib import Path
from typing import Any, Final

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_FOLDER = Path(__file__).parent
JAEGER_TRACES: Final = (_FOLDER / "jaeger-traces.json").read_bytes()
TEMPO_SEARCH: Final = (_FOLDER / "tempo-search.json").read_bytes()
TEMPO_TRACE_ID: Final = "01" * 16


def tempo_trace(request: ExportTraceServiceRequest, *, is_partial: bool = False) -> bytes:
    """The answer for one trace: field 1 the trace, 2 the figures, 3 the status, 4 a text."""
    trace = request.SerializeToString()
    figures = b"\x12\x02\x08\x05"
    status = b"\x18\x01" + b"\x22\x05large" if is_partial else b""
    return b"\x0a" + _varint(len(trace)) + trace + figures + status


def jaeger_span(id: int, at_s: int, **changes: Any) -> dict[str, Any]:
    """One more invalidation as Jaeger writes it, `m{id}` of product/42."""
    tags = {"cache.invalidation.id": f"m{id}", "cache.keyspace": "product", "cache.key": "42"}
    return {
        "traceID": f"{id:032x}",
        "spanID": f"{id:016x}",
        "references": [],
        "startTime": at_s * 1_000_000,
        "duration": 100,
        "processID": "p1",
        "tags": [
            {"key": "span.kind", "type": "string", "value": "producer"},
            *({"key": key, "type": "string", "value": value} for key, value in tags.items()),
        ],
        **changes,
    }


def jaeger_traces(*spans: dict[str, Any]) -> bytes:
    """An answer with a trace for each span."""
    process = {"p1": {"serviceName": "shop", "tags": []}}
    traces = [{"traceID": "1", "spans": [span], "processes": process} for span in spans]
    return orjson.dumps({"data": traces, "errors": None})


def tempo_search(*ids: str) -> bytes:
    """An answer with these traces."""
    return orjson.dumps({"traces": [{"traceID": id} for id in ids], "metrics": {}})


def _varint(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    return bytes([number & 127 | 128]) + _varint(number >> 7)
