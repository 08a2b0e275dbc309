"""How objectives stand, for Prometheus: what is no data has no series, and never a nought."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from freshness.status import BudgetStatus
from store.objectives import Standing


class ObjectiveMetrics:
    """The objectives' part of a registry; safe from any thread, one call at a time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        named = ("objective",)
        self._sli = Gauge(
            "stalewatch_objective_sli", "The share of good events, 1 − bad/judged.",
            named, registry=registry,
        )  # fmt: skip
        self._target = Gauge(
            "stalewatch_objective_target", "The share that is to be good.",
            named, registry=registry,
        )  # fmt: skip
        self._remaining = Gauge(
            "stalewatch_objective_budget_remaining",
            "The share of the error budget that is left; below 0 once it is overspent.",
            named, registry=registry,
        )  # fmt: skip
        self._burn = Gauge(
            "stalewatch_objective_burn_rate",
            "How many times as fast as allowed the budget went in the last so many seconds.",
            (*named, "window"), registry=registry,
        )  # fmt: skip
        self._coverage = Gauge(
            "stalewatch_objective_coverage", "The share of its window that was measured.",
            named, registry=registry,
        )  # fmt: skip
        self._has_data = Gauge(
            "stalewatch_objective_has_data", "Whether its window was measured at all.",
            named, registry=registry,
        )  # fmt: skip
        self._watermark = Gauge(
            "stalewatch_objective_watermark_timestamp_seconds",
            "Unix time up to which its measuring is complete.",
            named, registry=registry,
        )  # fmt: skip

    def follow(self, standings: Iterable[Standing]) -> None:
        """Take how all objectives stand, and forget those that are gone."""
        for gauge in self._gauges():
            gauge.clear()
        for standing in standings:
            name = standing.spec.name
            self._target.labels(name).set(float(standing.spec.objective.target))
            status = standing.status
            self._has_data.labels(name).set(status is not None and status.gap is None)
            if status is not None:
                self._watermark.labels(name).set(standing.at.watermark_s)
                self._tell(name, status)

    def _gauges(self) -> tuple[Gauge, ...]:
        figures = self._sli, self._target, self._remaining, self._burn
        return (*figures, self._coverage, self._has_data, self._watermark)

    def _tell(self, name: str, status: BudgetStatus) -> None:
        if status.coverage.share is not None:
            self._coverage.labels(name).set(float(status.coverage.share))
        if status.sli is not None and status.remaining is not None:
            self._sli.labels(name).set(float(status.sli.good))
            self._remaining.labels(name).set(float(status.remaining))
        for burn in (each for decision in status.burns for each in (decision.long, decision.short)):
            if burn.gap is None and burn.rate is not None:
                window = f"{burn.window.length_s}"
                self._burn.labels(name, window).set(float(burn.rate))
