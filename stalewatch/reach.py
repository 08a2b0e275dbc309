"""Whether every node and origin of a config answers, and whether its keyspaces can be judged."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.base import Channel, ChannelError
from alerts.heartbeat import greet
from collectors.base import Clock, Reply, SourceError
from collectors.canary import CanaryWriter
from collectors.taps.base import Tap
from freshness.model import Reading, Result
from stalewatch.canaries import open_writer
from stalewatch.config import Config
from stalewatch.delivery import open_channels
from stalewatch.tapping import open_taps
from stalewatch.trace_polling import open_sources
from stalewatch.wiring import LayerNodes, Wiring, keys_of, wire

SAMPLED_KEYS: Final = 20
GREETING_S: Final = 30.0
CHANNEL: Final = "channel"
"""What stands where a node has its layer."""
TAP: Final = "tap"
"""The same of a source of invalidations that is listened to."""
HEARTBEAT: Final = "heartbeat"
"""The same of the dead man's switch."""
TRACES: Final = "traces"
"""The same of a tracing back end that is polled."""
CANARY: Final = "canary"
"""The same of what writes a canary."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One server: `layer` is empty for an origin, `channel` for who delivers what is told.

    It is `traces` for a tracing back end that is polled, `tap` for who is listened to, `canary` for
    what writes one.

    `problem` may stand beside `ok` as advice.
    """

    layer: str
    name: str
    address: str
    ok: bool
    server: str
    problem: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One keyspace: comparable pairs by layer, and what was found at the origin and on layers.

    `could_look` says whether both the origin and some node answered, so that no pair at all means
    a keyspace that cannot be judged.
    """

    keyspace: str
    pairs: Mapping[str, int]
    found: Mapping[str, str]
    could_look: bool

    @property
    def is_refused(self) -> bool:
        """Whether there was something to compare, and nothing could be."""
        return self.could_look and not any(self.pairs.values())


@dataclass(frozen=True, slots=True)
class Report:
    """All that was tried."""

    servers: Sequence[Reached]
    keyspaces: Sequence[Compared]


async def look(config: Config, clock: Clock) -> Report:
    """Say hello to everybody, then read a few keys of each keyspace everywhere."""
    wiring = wire(config, clock)
    try:
        await wiring.discover()
        servers = await _greet(wiring)
        keyspaces = [await _compare(name, wiring) for name in config.keyspaces]
    finally:
        await wiring.close()
    taps = await asyncio.gather(*(_greet_tap(*one) for one in open_taps(config).items()))
    channels = await asyncio.gather(
        *(_greet_channel(*one) for one in open_channels(config, "").items())
    )
    traces = await _greet_trace_sources(config)
    heartbeat = await _greet_heartbeat(config)
    canaries = await asyncio.gather(
        *(
            _greet_canary(name, open_writer(one, clock.now_ns))
            for name, one in config.canaries.items()
        )
    )
    others = (*taps, *channels, *heartbeat, *traces, *canaries)
    return Report([*servers, *_unfound(wiring), *others], keyspaces)


async def _greet_canary(name: str, writer: CanaryWriter) -> Reached:
    """Look whether it can be run or asked; nothing is written."""
    problem = await writer.check()
    return Reached(CANARY, name, writer.address, not problem, "", problem)


async def _greet_trace_sources(config: Config) -> list[Reached]:
    """Search once, and keep nothing."""
    sources = open_sources(config)
    entries: Mapping[str, Any] = config.traces.poll
    healths = await asyncio.gather(*(source.check() for source in sources.values()))
    reached = [
        Reached(TRACES, name, entries[name].url, one.ok, one.server, one.problem)
        for name, one in zip(sources, healths, strict=True)
    ]
    for source in sources.values():
        await source.close()
    return reached


async def _greet_tap(name: str, tap: Tap) -> Reached:
    """Say hello; nothing is heard."""
    health = await tap.check()
    return Reached(TAP, name, tap.about, health.ok, health.server, health.problem)


async def _greet_channel(name: str, channel: Channel) -> Reached:
    """Say hello; nobody is told anything."""
    try:
        async with asyncio.timeout(GREETING_S):
            said = await channel.greet()
    except ChannelError as error:
        return Reached(CHANNEL, name, channel.address, ok=False, server="", problem=str(error))
    except TimeoutError:
        why = f"no hello within {GREETING_S:g} s"
        return Reached(CHANNEL, name, channel.address, ok=False, server="", problem=why)
    return Reached(CHANNEL, name, channel.address, ok=True, server=said, problem="")


async def _greet_heartbeat(config: Config) -> list[Reached]:
    """Reach the server, and ping nobody."""
    settings = config.heartbeat
    if settings is None:
        return []
    try:
        said, problem = await greet(settings), ""
    except ChannelError as error:
        said, problem = "", str(error)
    return [Reached(HEARTBEAT, "", str(settings.url), not problem, said, problem)]


def _unfound(wiring: Wiring) -> list[Reached]:
    """What discovery could not find out, and layers that it found empty."""
    problems = [(name, problem) for name, one in wiring.layers.items() for problem in one.problems]
    problems += [(name, "no nodes") for name, one in wiring.layers.items() if not one.nodes]
    return [
        Reached(name, "", "", ok=False, server="discovery", problem=problem)
        for name, problem in problems
    ]


async def _greet(wiring: Wiring) -> list[Reached]:
    everybody = [
        ("", name, _address(wiring.config.origins[name]), origin.server)
        for name, origin in wiring.origins.items()
    ]
    for name, layer in wiring.layers.items():
        everybody += [
            (name, node, f"{target.host}:{target.port}", connected.server)
            for node, (target, connected) in layer.nodes.items()
        ]
    healths = await asyncio.gather(*(server.check() for *_, server in everybody))
    return [
        Reached(layer, name, address, health.ok, health.server, health.problem)
        for (layer, name, address, _), health in zip(everybody, healths, strict=True)
    ]


def _address(origin: Any) -> str:
    """Where an origin is; kinds call it by different names, and none of them holds a secret."""
    given = getattr(origin, "url", None) or getattr(origin, "path", None)
    return str(given) if given else f"{getattr(origin, 'host', '')}:{getattr(origin, 'port', '')}"


async def _compare(name: str, wiring: Wiring) -> Compared:
    settings, origin = wiring.config.keyspaces[name], wiring.open_origin(name)
    try:
        keys = _spread(await keys_of(settings, origin))
    except (SourceError, OSError) as error:
        return Compared(name, {}, {"keys": str(error)}, could_look=False)
    truth = await origin.read(keys)
    pairs, found, has_answer = {}, {"origin": _summary([truth])}, False
    for layer in (wiring.layers[each] for each in settings.layers):
        held = [(node, _held(name, wiring, layer, node, keys)) for node in layer.nodes]
        asked = [
            (wiring.open_cache(name, layer, layer.nodes[node][1]), at) for node, at in held if at
        ]
        replies = await asyncio.gather(*(cache.read([keys[n] for n in at]) for cache, at in asked))
        pairs[layer.name] = sum(
            _comparable_pairs(truth, at, reply)
            for (_, at), reply in zip(asked, replies, strict=True)
        )
        found[layer.name] = _summary(replies)
        has_answer |= any(_answered(reply) for reply in replies)
    return Compared(name, pairs, found, could_look=has_answer and _answered(truth))


def _spread(keys: Sequence[str]) -> Sequence[str]:
    """A few keys from all over."""
    step = max(1, len(keys) // SAMPLED_KEYS)
    return keys[::step][:SAMPLED_KEYS]


def _answered(reply: Reply) -> bool:
    return any(reading.result is not Result.UNKNOWN for reading in reply.readings)


def _held(
    keyspace: str, wiring: Wiring, layer: LayerNodes, node: str, keys: Sequence[str]
) -> Sequence[int]:
    """The positions of the keys that a node is expected to hold."""
    share = wiring.share(keyspace, layer, node)
    return [at for at, key in enumerate(keys) if share is None or key in share]


def _comparable_pairs(truth: Reply, at: Sequence[int], reply: Reply) -> int:
    pairs = zip((truth.readings[n] for n in at), reply.readings, strict=True)
    return sum(_is_comparable(ours, theirs) for ours, theirs in pairs)


def _is_comparable(ours: Reading, theirs: Reading) -> bool:
    if ours.value is None or theirs.value is None:
        return False
    one, other = ours.value, theirs.value
    has_versions = one.version is not None and other.version is not None
    has_projections = one.projection is not None and other.projection is not None
    return has_versions or has_projections


def _summary(replies: Iterable[Reply]) -> str:
    """`12 value, 8 unreadable (nothing at $.version)`."""
    readings = [reading for reply in replies for reading in reply.readings]
    counts = Counter((reading.result.value, reading.why) for reading in readings)
    parts = [
        f"{count} {result}" + (f" ({why})" if why else "")
        for (result, why), count in counts.most_common(4)
    ]
    return ", ".join(parts) or "nothing was read"
