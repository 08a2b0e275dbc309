"""What Stalewatch says to Prometheus about the canaries that it writes."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from freshness.canary import Weighed

_WRITE_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class CanaryMetrics:
    """Writes by canary, as the config names it; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._writes = Counter(
            "stalewatch_canary_writes", "Writes of canaries, by what they were worth.",
            ("canary", "outcome"), registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "stalewatch_canary_write_seconds", "One write (we - ws), acknowledged or not.",
            ("canary",), registry=registry, buckets=_WRITE_S,
        )  # fmt: skip
        self._last = Gauge(
            "stalewatch_canary_last_acknowledged_timestamp_seconds",
            "Unix time at which the last write was acknowledged.",
            ("canary",), registry=registry,
        )  # fmt: skip

    def observe(self, canary: str, weighed: Weighed, seconds: float, ended_at_s: float) -> None:
        """A write ended, at this wall time."""
        self._writes.labels(canary, weighed.value).inc()
        self._seconds.labels(canary).observe(seconds)
        if weighed is not Weighed.UNACKNOWLEDGED:
            self._last.labels(canary).set(ended_at_s)
