"""The tap `redis-keyspace`: what happens to keys of one cache node, by keyspace notifications.

They concern a cache, not the origin: they say that a node let a key go, never that a version
exists, so they start a look at the key and prove nothing.
"""

from typing import Annotated, Final, NoReturn

from pydantic import Field

from collectors.base import Health
from collectors.options import PLACEHOLDER, KeyTemplate
from collectors.taps.base import Ear, Setting
from collectors.taps.message import Reader, RefusedError, Said, read_key
from collectors.taps.redis_feed import RedisTapOptions, Subscription, greet
from store.messages import InvalidationRow

EVENTS: Final = ("del",)


class RedisKeyspaceOptions(RedisTapOptions):
    """One node of a Redis layer, whose `notify-keyspace-events` has E and the events' class."""

    keyspace: str
    """The keyspace that the keys are of."""
    key: KeyTemplate
    """How a key is named in the node: `product:{key}`; other names are let go."""
    node: Annotated[str, Field(min_length=1)]
    """What the node is called, as the publisher of what is heard: `regional/r1`."""
    events: Annotated[tuple[str, ...], Field(min_length=1)] = EVENTS
    """Which events: `del`, `expired`, `evicted`, `set`, ..."""


class RedisKeyspaceTap:
    """SUBSCRIBE to `__keyevent@0__:del`, and to the like."""

    def __init__(self, options: RedisKeyspaceOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting)
        self._before, self._after = options.key.split(PLACEHOLDER)
        self._channels = [f"__keyevent@{options.database}__:{each}" for each in options.events]

    @property
    def about(self) -> str:
        """Which events where."""
        one = self._options
        return f"redis-keyspace {one.host}:{one.port} {' '.join(self._channels)} {one.key}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""

        def take(channel: str, name: bytes, at_ns: int) -> InvalidationRow | None:
            try:
                return self._row(channel, name, at_ns)
            except RefusedError as refused:
                ear.refuse(str(refused))
                return None

        subscription = Subscription(self._options, self._setting.now_ns, ear, take)
        await subscription.run(self._channels, ())

    def _row(self, channel: str, name: bytes, at_ns: int) -> InvalidationRow | None:
        """None for a key of something else."""
        text = name.decode("utf-8", "surrogateescape")
        is_ours = text.startswith(self._before) and text.endswith(self._after)
        if not is_ours or len(text) <= len(self._before) + len(self._after):
            return None
        key = read_key(text[len(self._before) : len(text) - len(self._after)])
        one = self._options
        said = Said(channel, at_ns)
        return self._reader.row(said, keyspace=one.keyspace, keys=(key,), publisher=one.node)

    async def check(self) -> Health:
        """Say hello, and see that the node tells of events, where it may be asked."""
        now_ns = self._setting.now_ns
        health = await greet(self._options, now_ns, "CONFIG", "GET", "notify-keyspace-events")
        if "NOPERM" in health.problem:
            note = "may not run CONFIG GET, so whether notify-keyspace-events is set is not known"
            return Health(True, health.server, note)
        return health


def grants(options: RedisKeyspaceOptions) -> str:
    """The user that may subscribe, and what the node has to be set to."""
    names = " ".join(f"&__keyevent@{options.database}__:{event}" for event in options.events)
    return (
        "# the operator sets, once: CONFIG SET notify-keyspace-events Egxe\n"
        f"ACL SETUSER stalewatch reset on >PASSWORD resetchannels {names}"
        " +subscribe +psubscribe +ping"
    )
