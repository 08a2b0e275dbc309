"""What the reading of counters says about itself to Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LOOK_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class CounterMetrics:
    """The counters' part of a registry; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._looks = Counter(
            "stalewatch_counter_looks", "Looks at the counters of nodes, by what came of them.",
            ("layer", "source", "outcome"), registry=registry,
        )  # fmt: skip
        self._look_s = Histogram(
            "stalewatch_counter_look_seconds", "One look at the counters of all nodes of a layer.",
            ("source",), registry=registry, buckets=_LOOK_S,
        )  # fmt: skip
        self._unmapped = Gauge(
            "stalewatch_prometheus_unmapped_series",
            "Series of the last look that no node is written down for.",
            ("prometheus",), registry=registry,
        )  # fmt: skip

    def note_look(self, layer: str, source: str, *, is_answered: bool) -> None:
        """One node was looked at."""
        outcome = "answered" if is_answered else "unanswered"
        self._looks.labels(layer, source, outcome).inc()

    def observe_round(self, source: str, seconds: float) -> None:
        """All nodes of a layer, or all that a Prometheus was asked for, were looked at."""
        self._look_s.labels(source).observe(seconds)

    def follow_unmapped(self, prometheus: str, count: int) -> None:
        """So many series had no node at the last look."""
        self._unmapped.labels(prometheus).set(count)
