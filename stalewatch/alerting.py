"""The alerts of a running server: an engine over the rules of the config that is in force."""

import threading
from collections.abc import Mapping, Sequence

import structlog

from alerts.engine import Engine
from alerts.notices import Audience
from alerts.rules import Rule
from stalewatch.clock import wall_ns
from store.base import Store, StoreError

log = structlog.get_logger()


class Alerting:
    """Evaluates rules when it is told to; call it from worker threads, since it reads the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._engine: Engine | None = None
        # A look under the old config ends before the new one begins.
        self._turn = threading.Lock()

    def begin(self, rules: Sequence[Rule], audiences: Mapping[str, Audience]) -> None:
        """Go on with these rules, and these `audiences` of the channels. Raises StoreError."""
        with self._turn:
            self._engine = Engine(self._store, rules, audiences)

    def evaluate(self) -> bool:
        """Look at everything once; whether that was done. What the store refuses is logged."""
        with self._turn:
            if self._engine is None:
                return False
            try:
                steps = self._engine.evaluate(wall_ns())
            except StoreError as error:
                log.error("alerts cannot be evaluated", why=str(error))
                return False
        for step in steps:
            log.info("alert", alert=step.alert, state=step.after, why=step.reason)
        return True
