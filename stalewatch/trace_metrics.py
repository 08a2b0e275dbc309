"""What Stalewatch says to Prometheus about the tracing back ends that it polls."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from collectors.otlp.span import Outcome
from collectors.traces import Cut

_POLL_S: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class TraceMetrics:
    """Polls by source, as the config names it; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._polls = Counter(
            "stalewatch_trace_polls", "Polls, by outcome.",
            ("source", "outcome"), registry=registry,
        )  # fmt: skip
        self._spans = Counter(
            "stalewatch_trace_poll_spans", "Spans that polls read, by what became of them.",
            ("source", "outcome"), registry=registry,
        )  # fmt: skip
        self._cut = Counter(
            "stalewatch_trace_poll_cut_off", "Pieces that polls did not read whole, by reason.",
            ("source", "reason"), registry=registry,
        )  # fmt: skip
        self._up = Gauge(
            "stalewatch_trace_source_up", "Whether the source answered its last poll.",
            ("source",), registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "stalewatch_trace_poll_seconds", "One poll, answered or not.",
            ("source",), registry=registry, buckets=_POLL_S,
        )  # fmt: skip

    def observe(
        self,
        source: str,
        seconds: float,
        outcomes: Mapping[Outcome, int],
        cut: Mapping[Cut, int],
        *,
        is_up: bool,
    ) -> None:
        """A poll ended."""
        outcome = ("cut-off" if cut else "complete") if is_up else "failed"
        self._polls.labels(source, outcome).inc()
        self._seconds.labels(source).observe(seconds)
        self._up.labels(source).set(is_up)
        for what, count in outcomes.items():
            self._spans.labels(source, what.value).inc(count)
        for why, count in cut.items():
            self._cut.labels(source, why.value).inc(count)
