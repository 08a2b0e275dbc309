"""What the receiver of traces says about itself to Prometheus; no label is a client's word."""

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from collectors.otlp.span import Outcome

_GROUP_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class OtlpMetrics:
    """The receiver's part of a registry; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "stalewatch_otlp_requests", "Requests with spans, by the status that they got.",
            ("status",), registry=registry,
        )  # fmt: skip
        self._spans = Counter(
            "stalewatch_otlp_spans", "Spans of answered requests, by what became of them.",
            ("outcome",), registry=registry,
        )  # fmt: skip
        self._queued = Gauge(
            "stalewatch_otlp_queue_requests", "Requests that wait to be decoded.", registry=registry
        )
        self._charged = Gauge(
            "stalewatch_otlp_queue_bytes", "Bytes of requests that have no answer yet.",
            registry=registry,
        )  # fmt: skip
        self._group_s = Histogram(
            "stalewatch_otlp_batch_seconds", "A group of requests decoded and made durable.",
            registry=registry, buckets=_GROUP_S,
        )  # fmt: skip

    def note_request(self, status: int) -> None:
        """One request was answered."""
        self._requests.labels(str(int(status))).inc()

    def note_spans(self, outcomes: Mapping[Outcome, int]) -> None:
        """Spans of one request that was answered with 200."""
        for outcome, count in outcomes.items():
            self._spans.labels(outcome.value).inc(count)

    def observe_group(self, seconds: float) -> None:
        """One group was decoded and written."""
        self._group_s.observe(seconds)

    def watch_queue(self, requests: Callable[[], int], size: Callable[[], int]) -> None:
        """Ask for the depth of the queue and its bytes whenever a scrape does."""
        self._queued.set_function(requests)
        self._charged.set_function(size)
