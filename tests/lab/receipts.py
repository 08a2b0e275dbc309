"""Takes the spans that the lab sends, as the server of its config would."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from stalewatch_sdk import attributes as names


@dataclass(frozen=True, slots=True)
class Receipt:
    """One node's word on one invalidation, as it came over the wire."""

    id: str
    node: str
    key: str
    version: int
    outcome: str
    at_s: float
    """When the node says that it took it."""
    written_s: float
    """When the publisher, whose clock is right, says that it was written."""
    sequence: int


class Receiver:
    """Listens on the OTLP address of a lab's config while the block runs."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._published: dict[str, float] = {}
        self._received: list[Span] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer((host, int(port)), Handler)
        self._serving = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    if span.kind == Span.SPAN_KIND_CONSUMER:
                        self._received.append(span)
                    else:
                        given = _attributes(span)
                        written_ns = given[names.WRITTEN_AT]
                        self._published[given[names.INVALIDATION_ID]] = written_ns / 1e9

    def receipts(self, node: str, key: str | None = None) -> Sequence[Receipt]:
        """Of one node, for one key or all, in the order of the node's own stamps."""
        receipts = [self._receipt(span) for span in list(self._received)]
        wanted = [each for each in receipts if each.node == node and key in {None, each.key}]
        return sorted(wanted, key=lambda each: each.at_s)

    def _receipt(self, span: Span) -> Receipt:
        given = _attributes(span)
        message_id = given[names.INVALIDATION_ID]
        return Receipt(
            id=message_id,
            node=given[names.NODE],
            key=given[names.KEY],
            version=given[names.VERSION],
            outcome=given[names.INVALIDATION_OUTCOME],
            at_s=span.start_time_unix_nano / 1e9,
            written_s=self._published.get(message_id, 0.0),
            sequence=given[names.PUBLISHER_SEQUENCE],
        )


def _attributes(span: Span) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in span.attributes
    }
