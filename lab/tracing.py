"""The shop's tracers: every process sends the spans of its invalidations to the server."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from lab.catalogue import HOST
from stalewatch_sdk import attributes as names

SEND_EVERY_MS: Final = 500
KEPT_SPANS: Final = 16_384
LAST_SEND_S: Final = 1.0
"""How long the end of a process waits for a server that may be gone."""


class HostClocks(SpanProcessor):
    """Stamps the spans of each node by the node's own clock, then passes them on."""

    def __init__(self, onward: SpanProcessor) -> None:
        self.offsets_ns: dict[str, int] = {}
        """How far the clock of a node is ahead."""
        self._onward = onward

    def on_end(self, span: ReadableSpan) -> None:
        """Passes the span on, stamped by its node."""
        node = str((span.attributes or {}).get(names.NODE))
        offset_ns = self.offsets_ns.get(node, 0)
        self._onward.on_end(_shifted(span, node, offset_ns) if offset_ns else span)

    def shutdown(self) -> None:
        """Sends what is left."""
        self._onward.shutdown()


def _shifted(span: ReadableSpan, host: str, by_ns: int) -> ReadableSpan:
    """Of a host of its own: two clocks are never one host's."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource.merge(Resource({"host.name": host})),
        attributes=span.attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=(span.start_time or 0) + by_ns,
        end_time=(span.end_time or 0) + by_ns,
        instrumentation_scope=span.instrumentation_scope,
    )


@contextlib.contextmanager
def traced(port: int, service: str) -> Iterator[HostClocks]:
    """Spans of this process go to the server's port while the block runs."""
    # A shop whose server is not up, as in many tests, goes on; it need not say so each second.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create({"service.name": service, "host.name": socket.gethostname()})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"http://{HOST}:{port}/v1/traces")
    clocks = HostClocks(
        BatchSpanProcessor(exporter, max_queue_size=KEPT_SPANS, schedule_delay_millis=SEND_EVERY_MS)
    )
    provider.add_span_processor(clocks)
    trace.set_tracer_provider(provider)
    try:
        yield clocks
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_SEND_S)
