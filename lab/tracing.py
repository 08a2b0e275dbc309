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
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from lab.catalogue import HOST

SEND_EVERY_MS: Final = 500
KEPT_SPANS: Final = 16_384
LAST_SEND_S: Final = 1.0
"""How long the end of a process waits for a server that may be gone."""


@contextlib.contextmanager
def traced(port: int, service: str) -> Iterator[None]:
    """Spans of this process go to the server's port while the block runs."""
    # A shop whose server is not up, as in many tests, goes on; it need not say so each second.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create({"service.name": service, "host.name": socket.gethostname()})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"http://{HOST}:{port}/v1/traces")
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=KEPT_SPANS, schedule_delay_millis=SEND_EVERY_MS)
    )
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_SEND_S)
