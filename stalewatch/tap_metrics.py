"""What taps say about themselves to Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class TapMetrics:
    """The taps' part of a registry; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            "stalewatch_tap_messages", "Messages of a tap, durable or refused.",
            ("tap", "outcome"), registry=registry,
        )  # fmt: skip
        self._connected = Gauge(
            "stalewatch_tap_connected", "Whether the tap hears what is said now.",
            ("tap",), registry=registry,
        )  # fmt: skip
        self._gap_s = Counter(
            "stalewatch_tap_gap_seconds", "Time of gaps that are over.",
            ("tap",), registry=registry,
        )  # fmt: skip

    def begin(self, tap: str) -> None:
        """A tap begins, and hears nothing yet."""
        for outcome in ("heard", "refused"):
            self._messages.labels(tap, outcome)
        self._gap_s.labels(tap)
        self._connected.labels(tap).set(0)

    def end(self, tap: str) -> None:
        """A tap is there no longer."""
        self._connected.remove(tap)

    def note_heard(self, tap: str, count: int) -> None:
        """So many messages are durable."""
        self._messages.labels(tap, "heard").inc(count)

    def note_refused(self, tap: str) -> None:
        """A message made no sense."""
        self._messages.labels(tap, "refused").inc()

    def note_connected(self, tap: str, *, is_connected: bool) -> None:
        """Whether it hears."""
        self._connected.labels(tap).set(is_connected)

    def note_gap(self, tap: str, seconds: float) -> None:
        """A gap is over."""
        self._gap_s.labels(tap).inc(seconds)
