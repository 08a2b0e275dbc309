"""The objectives of a running server, looked at again and again under the config in force."""

import structlog

from stalewatch.config.model import Config
from stalewatch.config.objective_specs import make_specs
from stalewatch.objective_metrics import ObjectiveMetrics
from store.base import StoreError
from store.objectives import Objectives

EVERY_S = 15

log = structlog.get_logger()


class ObjectivesTask:
    """Call it from worker threads, since it reads the store."""

    def __init__(self, objectives: Objectives, metrics: ObjectiveMetrics) -> None:
        self._objectives = objectives
        self._metrics = metrics

    def begin(self, config: Config, now_ns: int) -> None:
        """Go on with the objectives of this config. Raises StoreError."""
        self._objectives.begin(make_specs(config), now_ns)

    def turn(self, now_ns: int) -> None:
        """One look at all of them; what the store refuses is logged."""
        try:
            self._objectives.turn(now_ns)
        except StoreError as error:
            log.error("objectives cannot be measured", why=str(error))
        self._metrics.follow(self._objectives.statuses(now_ns))
