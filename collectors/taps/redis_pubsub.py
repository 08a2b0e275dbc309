"""The tap `redis-pubsub`: channels of a Redis. What is said while nobody listens is lost."""

from typing import NoReturn, Self

from pydantic import model_validator

from collectors.base import Health
from collectors.taps.base import Ear, Setting
from collectors.taps.message import BusOptions, Reader, RefusedError, Said
from collectors.taps.redis_feed import RedisTapOptions, Subscription, greet
from store.messages import InvalidationRow


class RedisPubsubOptions(RedisTapOptions, BusOptions):
    """Channels of a Redis, or of a Redis Cluster by any of its nodes."""

    channels: tuple[str, ...] = ()
    """The channels, by name."""
    patterns: tuple[str, ...] = ()
    """The channels, by glob pattern: `invalidations.*`."""

    @model_validator(mode="after")
    def _listens(self) -> Self:
        if not self.channels and not self.patterns:
            raise ValueError("expected channels or patterns")
        return self


class RedisPubsubTap:
    """SUBSCRIBE, and a PING every other second."""

    def __init__(self, options: RedisPubsubOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting, options.message)

    @property
    def about(self) -> str:
        """Which channels where."""
        one = self._options
        names = " ".join((*one.channels, *one.patterns))
        return f"redis-pubsub {one.host}:{one.port} {names}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""

        def take(channel: str, payload: bytes, at_ns: int) -> InvalidationRow | None:
            try:
                return self._reader.read(payload, Said(channel, at_ns))
            except RefusedError as refused:
                ear.refuse(str(refused))
                return None

        subscription = Subscription(self._options, self._setting.now_ns, ear, take)
        await subscription.run(self._options.channels, self._options.patterns)

    async def check(self) -> Health:
        """Say hello; whether the channels may be read shows when they are subscribed to."""
        return await greet(self._options, self._setting.now_ns, "PING")


def grants(options: RedisPubsubOptions) -> str:
    """The user that may subscribe, and no more."""
    names = " ".join(f"&{name}" for name in (*options.channels, *options.patterns))
    return (
        f"ACL SETUSER stalewatch reset on >PASSWORD resetchannels {names}"
        " +subscribe +psubscribe +ping"
    )
