"""All that goes out: the outbox, fallbacks, Alertmanagers that are kept told, the heartbeat."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

from alerts.alertmanager import AlertmanagerChannel
from alerts.base import Channel
from stalewatch.alertmanager_task import Replica
from stalewatch.beating import Heart
from stalewatch.config.model import Config
from stalewatch.delivery import DeliveryTask, open_channels
from stalewatch.falling_back import FallingBack, fallbacks_of
from stalewatch.metrics import Metrics
from stalewatch.repeating import Repeating
from stalewatch.rules import make_rules
from store.alert_book import AlertBook


class Telling:
    """Tells on the event loop that starts it. `stopped` says what of the process stands still."""

    def __init__(self, book: AlertBook, metrics: Metrics, stopped: Callable[[], str]) -> None:
        self._book = book
        self._metrics = metrics
        self._stopped = stopped
        self._delivery = DeliveryTask(book, metrics.delivery.observe)
        self._tasks: list[Repeating] = []

    def start(self, config: Config, base_url: str) -> None:
        """Begin, with the channels of a config; `base_url` is where users see the UI."""
        channels = open_channels(config, base_url)
        self._delivery.start(channels)
        self._metrics.telling.forget_replicas()
        self._tasks = [
            *self._replicas(config, channels),
            *self._fallbacks(config, channels),
            *self._heart(config),
        ]
        for task in self._tasks:
            task.start()

    async def stop(self) -> None:
        """Begin nothing more; what hangs is left."""
        tasks, self._tasks = self._tasks, []
        await asyncio.gather(self._delivery.stop(), *(task.stop(1.0) for task in tasks))

    def _replicas(self, config: Config, channels: Mapping[str, Channel]) -> Iterator[Repeating]:
        rules = make_rules(config)
        for name, channel in channels.items():
            if isinstance(channel, AlertmanagerChannel):
                told = {
                    each.name for each in rules if each.mode == "notify" and name in each.channels
                }
                for url in channel.options.urls:
                    replica = Replica(name, channel, url, told, self._book, self._metrics.telling)
                    yield Repeating(f"alertmanager {name}", replica.look)

    def _fallbacks(self, config: Config, channels: Mapping[str, Channel]) -> Iterator[Repeating]:
        declared = fallbacks_of(config)
        if declared:
            task = FallingBack(declared, channels, self._book, self._metrics.telling)
            yield Repeating("fallbacks", task.look)

    def _heart(self, config: Config) -> Iterator[Repeating]:
        if config.heartbeat is not None:
            heart = Heart(config.heartbeat, self._stopped, self._metrics.telling)
            yield Repeating("heartbeat", heart.beat)
