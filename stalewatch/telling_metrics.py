"""What Stalewatch says to Prometheus of fallbacks, Alertmanagers and its own heartbeat."""

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

OUTCOMES: Final = ("sent", "failed", "withheld")


class TellingMetrics:
    """That part of a registry; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._fallbacks = Counter(
            "stalewatch_fallbacks", "Notifications that were told through another channel as well.",
            ("channel", "to"), registry=registry,
        )  # fmt: skip
        replica = ("channel", "replica")
        self._posts = Counter(
            "stalewatch_alertmanager_posts", "Requests with alerts, by what came of them.",
            (*replica, "outcome"), registry=registry,
        )  # fmt: skip
        self._up = Gauge(
            "stalewatch_alertmanager_up", "Whether the replica took what it was told last.",
            replica, registry=registry,
        )  # fmt: skip
        self._heartbeats = Counter(
            "stalewatch_heartbeats", "Turns of the heartbeat, by what came of them.",
            ("outcome",), registry=registry,
        )  # fmt: skip
        self._beat_at = Gauge(
            "stalewatch_last_heartbeat_timestamp_seconds",
            "Unix time at which a heartbeat was taken last.",
            registry=registry,
        )
        for outcome in OUTCOMES:
            self._heartbeats.labels(outcome)

    def note_fallbacks(self, channel: str, to: str, count: int) -> None:
        """So many notifications of a channel are owed to another as well."""
        self._fallbacks.labels(channel, to).inc(count)

    def note_post(self, channel: str, replica: str, *, is_accepted: bool) -> None:
        """A replica was told, and took it or not."""
        self._posts.labels(channel, replica, "accepted" if is_accepted else "failed").inc()
        self._up.labels(channel, replica).set(is_accepted)

    def forget_replicas(self) -> None:
        """Other replicas are told from now on."""
        self._up.clear()

    def note_heartbeat(self, outcome: Literal["sent", "failed", "withheld"]) -> None:
        """The heart beat, or did not."""
        self._heartbeats.labels(outcome).inc()
        if outcome == "sent":
            self._beat_at.set_to_current_time()
