"""Whether every node and origin of a config answers, and whether its keyspaces can be judged."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from collectors.base import Keyspace, NowNs, Origin, Reply, Server, SourceError
from collectors.discovery import Discovery
from collectors.kinds import DEFAULT_PORTS, load_kinds
from freshness.model import Reading, Result
from stalewatch.config.model import Config
from stalewatch.config.model import Keyspace as KeyspaceConfig
from stalewatch.keys import list_keys

SAMPLED_KEYS: Final = 20


@dataclass(frozen=True, slots=True)
class Reached:
    """One server: `layer` is empty for an origin. `problem` may stand beside `ok` as advice."""

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


class _Connections:
    """The servers of a config: origins by name, nodes by layer and name."""

    def __init__(self) -> None:
        self.origins: dict[str, Server] = {}
        self.nodes: dict[str, dict[str, Server]] = {}
        self.addresses: dict[tuple[str, str], str] = {}
        self.unfound: list[Reached] = []


async def look(config: Config, now_ns: NowNs) -> Report:
    """Say hello to everybody, then read a few keys of each keyspace everywhere."""
    async with AsyncExitStack() as stack:
        connections = await _connect(config, now_ns, stack)
        servers = await _greet(connections)
        keyspaces = [
            await _compare(name, keyspace, connections)
            for name, keyspace in config.keyspaces.items()
        ]
    return Report([*servers, *connections.unfound], keyspaces)


async def _connect(config: Config, now_ns: NowNs, stack: AsyncExitStack) -> _Connections:
    caches, origins = load_kinds()
    connections = _Connections()
    for name, origin in config.origins.items():
        server = origins[origin.kind].connect(origin, now_ns)
        stack.push_async_callback(server.close)
        connections.origins[name] = server
        connections.addresses["", name] = _address(origin)
    for name, layer in config.layers.items():
        found = await Discovery(layer.nodes, DEFAULT_PORTS.get(layer.kind)).discover()
        connections.unfound += [
            Reached(name, "", "", ok=False, server="discovery", problem=problem)
            for problem in found.problems
        ]
        nodes = connections.nodes[name] = {}
        for target in found.targets:
            node = caches[layer.kind].connect(target, layer, now_ns)
            stack.push_async_callback(node.close)
            nodes[target.name] = node
            connections.addresses[name, target.name] = f"{target.host}:{target.port}"
    return connections


def _address(origin: Any) -> str:
    """Where an origin is; kinds call it by different names, and none of them holds a secret."""
    given = getattr(origin, "url", None) or getattr(origin, "path", None)
    return str(given) if given else f"{getattr(origin, 'host', '')}:{getattr(origin, 'port', '')}"


async def _greet(connections: _Connections) -> list[Reached]:
    everybody = [("", name, server) for name, server in connections.origins.items()]
    for layer, nodes in connections.nodes.items():
        everybody += [(layer, name, server) for name, server in nodes.items()]
    healths = await asyncio.gather(*(server.check() for _, _, server in everybody))
    return [
        Reached(layer, name, connections.addresses[layer, name], one.ok, one.server, one.problem)
        for (layer, name, _), one in zip(everybody, healths, strict=True)
    ]


async def _compare(name: str, settings: KeyspaceConfig, connections: _Connections) -> Compared:
    keyspace = Keyspace(name, settings.version.type)
    origin: Origin = connections.origins[settings.origin.name].open(  # type: ignore[assignment]
        settings.origin.binding, keyspace
    )
    try:
        keys = _spread(await list_keys(settings.keys, origin))
    except SourceError as error:
        return Compared(name, {}, {"keys": str(error)}, could_look=False)
    truth = await origin.read(keys)
    pairs, found, has_answer = {}, {"origin": _summary([truth])}, False
    for layer, binding in settings.layers.items():
        nodes = connections.nodes[layer].values()
        caches = [node.open(binding, keyspace) for node in nodes]
        replies = await asyncio.gather(*(cache.read(keys) for cache in caches))
        pairs[layer] = sum(_comparable_pairs(truth, reply) for reply in replies)
        found[layer] = _summary(replies)
        has_answer |= any(_answered(reply) for reply in replies)
    return Compared(name, pairs, found, could_look=has_answer and _answered(truth))


def _spread(keys: Sequence[str]) -> Sequence[str]:
    """A few keys from all over."""
    step = max(1, len(keys) // SAMPLED_KEYS)
    return keys[::step][:SAMPLED_KEYS]


def _answered(reply: Reply) -> bool:
    return any(reading.result is not Result.UNKNOWN for reading in reply.readings)


def _comparable_pairs(truth: Reply, reply: Reply) -> int:
    pairs = zip(truth.readings, reply.readings, strict=True)
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
