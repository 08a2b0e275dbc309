"""What event-triggered checks say about themselves to Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter

from freshness.check import CheckCell, CheckKey


class CheckMetrics:
    """Counts checks and what became of suspects; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._checks = Counter(
            "stalewatch_checks", "Event-triggered checks, by what they found.",
            ("keyspace", "layer", "seen"), registry=registry,
        )  # fmt: skip
        self._events = Counter(
            "stalewatch_checks_events", "Events that the checks stand for, each at each horizon.",
            ("keyspace", "layer"), registry=registry,
        )  # fmt: skip
        self._suspects = Counter(
            "stalewatch_suspects", "Copies that a check suspected, by what became of them.",
            ("keyspace", "outcome"), registry=registry,
        )  # fmt: skip

    def observe(self, checks: Mapping[CheckKey, CheckCell]) -> None:
        """Checks became durable."""
        for key, cell in checks.items():
            for seen, (n, weight) in cell.seen.items():
                self._checks.labels(key.keyspace, key.layer, seen.value).inc(n)
                self._events.labels(key.keyspace, key.layer).inc(weight)

    def note_suspects(self, keyspace: str, outcome: str, n: int) -> None:
        """So many suspects were `asked` for at the origin, or `starved` of its budget."""
        self._suspects.labels(keyspace, outcome).inc(n)
