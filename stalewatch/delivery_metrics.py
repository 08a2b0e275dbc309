"""What Stalewatch says to Prometheus about the notifications that it delivers."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from store.alert_book import NotificationRow

NS_PER_S: Final = 1_000_000_000
_DELAY_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


class DeliveryMetrics:
    """Attempts, and how long it took until somebody knew."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "stalewatch_deliveries", "Attempts to deliver a notification, by what came of it.",
            ("channel", "outcome"), registry=registry,
        )  # fmt: skip
        self._delay_s = Histogram(
            "stalewatch_delivery_delay_seconds", "From owing a notification to its delivery.",
            ("channel",), registry=registry, buckets=_DELAY_S,
        )  # fmt: skip

    def observe(self, row: NotificationRow) -> None:
        """A notification was tried, and stands so now."""
        outcome = "retried" if row.state == "owed" else row.state
        self._attempts.labels(row.channel, outcome).inc()
        if row.delivered_at_ns is not None:
            delay_s = (row.delivered_at_ns - row.created_at_ns) / NS_PER_S
            self._delay_s.labels(row.channel).observe(max(0.0, delay_s))
