"""Traces of Stalewatch's own work: spans around jobs, and the SDK that exports them.

Spans are made with the API of OpenTelemetry alone, which does nothing until an SDK is there. `up`
sets one up where the environment says where spans go, by OpenTelemetry's own variables.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import structlog
from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL: Final = "http/protobuf"
FLUSH_S: Final = 5.0
"""How long the end waits for spans to be taken."""

_TRACER: Final = trace.get_tracer("stalewatch")

log = structlog.get_logger()

Attributes = Mapping[str, str | int]


class Job:
    """The span of a job that is under way."""

    def __init__(self, current: Span) -> None:
        self._span = current

    def end(self, why: str, attributes: Attributes) -> None:
        """Say how it ended; with a reason, badly."""
        if self._span.is_recording():
            self._span.set_attributes(attributes)
            if why:
                self._span.set_status(Status(StatusCode.ERROR, why))


@contextlib.contextmanager
def span(name: str, attributes: Attributes | None = None) -> Iterator[Job]:
    """A job as a span, of kind INTERNAL; what is asked of servers within it becomes its child."""
    with _TRACER.start_as_current_span(name, attributes=attributes) as current:
        yield Job(current)


def set_up_tracing() -> Callable[[], None]:
    """Export spans where the environment says where to; gives what sends the last of them.

    An SDK that is asked for and not installed is told in the log, and ends nothing.
    """
    if not _is_asked_for():
        return _nothing
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("own traces are asked for; install stalewatch[tracing] to have them sent")
        return _nothing
    asked = next((os.environ[name] for name in PROTOCOLS if os.environ.get(name)), PROTOCOL)
    if asked != PROTOCOL:
        log.warning("own traces are sent over http/protobuf alone", asked=asked)
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return lambda: _within(provider.shutdown, FLUSH_S)


def _is_asked_for() -> bool:
    setting = os.environ.get
    is_off = setting("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off |= setting("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not is_off and any(setting(name) for name in ENDPOINTS)


def _resource() -> "Resource":
    from opentelemetry.sdk.resources import Resource

    named = os.environ.get("OTEL_SERVICE_NAME", "")
    is_named = named or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    own = {} if is_named else {"service.name": "stalewatch"}
    return Resource.create({**own, "service.version": version("stalewatch")})


def _within(work: Callable[[], object], limit_s: float) -> None:
    """Do what may hang on somebody else, and go on after so long."""
    thread = threading.Thread(target=work, name="last-spans", daemon=True)
    thread.start()
    thread.join(limit_s)


def _nothing() -> None:
    """There is nothing to send."""
