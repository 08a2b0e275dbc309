"""Signs of life of this process, and the heartbeat that tells them elsewhere."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from alerts.base import ChannelError
from alerts.heartbeat import HeartbeatSettings, Signs, ping, stand_still
from stalewatch.config.model import Config
from stalewatch.telling_metrics import TellingMetrics

RETRY_S: Final = 10.0
"""How soon it is tried again what could not be pinged, or what stood still."""

log = structlog.get_logger()


class Pulse:
    """When what Stalewatch is there for was done last; noted from any thread."""

    def __init__(self, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._now_ns = now_ns
        self._rounds: dict[str, int] = {}
        self._evaluated_at_ns: int | None = None
        self._written_at_ns: int | None = None

    def note_round(self, keyspace: str) -> None:
        """A round of a keyspace ended."""
        self._rounds[keyspace] = self._now_ns()

    def note_evaluation(self) -> None:
        """Every rule was looked at, and what came of it is stored."""
        self._evaluated_at_ns = self._now_ns()

    def note_write(self) -> None:
        """A batch became durable."""
        self._written_at_ns = self._now_ns()

    def signs(self, config: Config, store_problem: str) -> Signs:
        """All of it, for the keyspaces of a config."""
        rounds = {
            name: (self._rounds.get(name), keyspace.sample.interval.ns)
            for name, keyspace in config.keyspaces.items()
        }
        return Signs(rounds, self._evaluated_at_ns, self._written_at_ns, store_problem)

    def stand_still(self, config: Config, store_problem: str) -> str:
        """What does not go on; empty where everything does."""
        return stand_still(self.signs(config, store_problem), self._now_ns())


class Heart:
    """Beats while `stopped` says of nothing that it stands still."""

    def __init__(
        self, settings: HeartbeatSettings, stopped: Callable[[], str], metrics: TellingMetrics
    ) -> None:
        self._settings = settings
        self._stopped = stopped
        self._metrics = metrics
        self._problem = ""

    async def beat(self) -> float:
        """Ping where all goes on; the seconds until the next turn."""
        why = self._stopped()
        if why:
            self._metrics.note_heartbeat("withheld")
            return self._wait("the heartbeat is withheld", why)
        try:
            await ping(self._settings)
        except ChannelError as error:
            self._metrics.note_heartbeat("failed")
            return self._wait("the heartbeat is not taken", str(error))
        self._metrics.note_heartbeat("sent")
        if self._problem:
            log.info("the heart beats again")
        self._problem = ""
        return self._settings.interval.seconds

    def _wait(self, what: str, why: str) -> float:
        if why != self._problem:
            log.error(what, why=why)
        self._problem = why
        return min(RETRY_S, self._settings.interval.seconds)
