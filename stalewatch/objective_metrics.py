"""How objectives stand, for Prometheus: what is no data has no series, and never a nought."""

from collections.abc import Iterable, Mapping
from operator import lt

from prometheus_client import CollectorRegistry, Counter, Gauge

from freshness.status import BudgetStatus
from freshness.tally import NONE, Total
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
        self._floor = Gauge(
            "stalewatch_objective_burn_rate_floor",
            "The lower confidence bound of it, where both windows of a page exceed.",
            (*named, "window"), registry=registry,
        )  # fmt: skip
        self._bad = Gauge(
            "stalewatch_objective_bad_events",
            "Events that were proven bad in the last so many seconds.",
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
        self._counters = (
            Counter(
                "stalewatch_objective_events_good", "What its budget is not spent on.",
                named, registry=registry,
            ),
            Counter(
                "stalewatch_objective_events_bad", "What its budget is spent on.",
                named, registry=registry,
            ),
            Counter(
                "stalewatch_objective_events", "All that was judged, of which it has a budget.",
                named, registry=registry,
            ),
        )  # fmt: skip
        self._told: dict[str, Total] = {}

    def follow(self, standings: Iterable[Standing]) -> None:
        """Take how all objectives stand, and forget those that are gone."""
        told = list(standings)
        self._count({each.spec.name: each.tally.told for each in told})
        for gauge in self._gauges():
            gauge.clear()
        for standing in told:
            name = standing.spec.name
            self._target.labels(name).set(float(standing.spec.objective.target))
            status = standing.status
            self._has_data.labels(name).set(status is not None and status.gap is None)
            if status is not None:
                self._watermark.labels(name).set(standing.at.watermark_s)
                self._tell(name, status)

    def _gauges(self) -> tuple[Gauge, ...]:
        figures = self._sli, self._target, self._remaining, self._burn
        windows = self._floor, self._bad
        return (*figures, *windows, self._coverage, self._has_data, self._watermark)

    def _count(self, tallies: Mapping[str, Total]) -> None:
        """Add what came; an objective that was declared anew, or is gone, begins again."""
        for name, known in list(self._told.items()):
            if name not in tallies or any(map(lt, tallies[name], known)):
                del self._told[name]
                for counter in self._counters:
                    counter.remove(name)
        for name, new in tallies.items():
            known = self._told.get(name, NONE)
            for counter, now, before in zip(self._counters, new, known, strict=True):
                counter.labels(name).inc(now - before)
            self._told[name] = new

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
                self._bad.labels(name, window).set(burn.counts.bad)
        for decision in status.burns:
            if decision.floor is not None:
                window = f"{decision.long.window.length_s}"
                self._floor.labels(name, window).set(decision.floor)
