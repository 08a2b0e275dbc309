"""From a config to watches: who is connected to what. Nothing here probes, judges or writes."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from collectors.base import Cache, Clock, Origin, Redirecting, Server, SourceError, Target
from collectors.base import Keyspace as KindKeyspace
from collectors.budget import Budget
from collectors.counters.kinds import weigh
from collectors.counters.own import CountedCache, OwnReads
from collectors.discovery import Discovery, Finder
from collectors.journal import Ids, NodeSettings
from collectors.kinds import DEFAULT_PORTS, load_kinds
from collectors.options import PLACEHOLDER
from collectors.placement import Placement, Ring, RingOptions, Share
from collectors.sample import Sampler
from collectors.throttle import ThrottledCache, ThrottledOrigin
from collectors.traced import (
    ORIGIN_NAME,
    SERVER_ADDRESS,
    SERVER_PORT,
    TracedCache,
    TracedOrigin,
)
from collectors.watch import Watch, WatchSettings
from stalewatch.config.model import Config, Keyspace, Layer
from stalewatch.config.model import Origin as OriginSettings
from stalewatch.traffic import TrafficFeed
from stalewatch_sdk import attributes as ours
from store.base import Batch

Owners = Callable[[str, str], Collection[str]]
"""The names of the nodes that should hold a key of a keyspace: `owners(keyspace, key)`."""


@dataclass(slots=True)
class Connected:
    """One connected server, with the budget and the account that all its keyspaces share."""

    server: Server
    budget: Budget
    traced: Mapping[str, str | int] = field(default_factory=dict)
    """What spans of its reads say of it."""
    own: OwnReads = field(default_factory=OwnReads)


@dataclass(slots=True)
class LayerNodes:
    """The nodes of a layer that are connected now, by name, and how more are found.

    `placement` says which of them hold a key; None where each may.
    """

    name: str
    layer: Layer
    finder: Finder
    placement: Placement | None = None
    nodes: dict[str, tuple[Target, Connected]] = field(default_factory=dict)
    problems: Sequence[str] = ()
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Wiring:
    """Every connection and every watch of a config."""

    config: Config
    clock: Clock
    origins: dict[str, Connected]
    layers: dict[str, LayerNodes]
    watches: dict[str, Watch] = field(default_factory=dict)
    traffic: dict[str, TrafficFeed] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """What could not be found out about a keyspace or a layer, and why."""

    async def discover(self) -> None:
        """Ask every layer's discovery again: connect new nodes, let go of those that are gone."""
        for layer in self.layers.values():
            await self._discover(layer)

    async def follow_moves(self) -> None:
        """Ask again where the entries of a layer are, where a node says that some have moved."""
        for layer in self.layers.values():
            servers = [connected.server for _, connected in layer.nodes.values()]
            told = [each.take_redirects() for each in servers if isinstance(each, Redirecting)]
            if any(told):
                await self._discover(layer)

    async def list_keys(self) -> None:
        """Read every keyspace's keys again; a list that cannot be read stays as it was."""
        for name, watch in self.watches.items():
            keyspace = self.config.keyspaces[name]
            try:
                listed = await keys_of(keyspace, watch.origin)
            except (SourceError, OSError, UnicodeDecodeError) as error:
                self.problems[name] = f"keyspace {name}: cannot list its keys: {error}"
                continue
            keys = await asyncio.to_thread(_unicode_keys, listed)
            watch.replace_keys(keys)
            self.problems.pop(name, None)
            if len(keys) < len(listed):
                odd = len(listed) - len(keys)
                self.problems[name] = f"keyspace {name}: {odd} keys are no Unicode text, not read"

    async def read_traffic(self) -> None:
        """Ask what tells the traffic of keys again; what cannot be read stays as it was."""
        for name, feed in self.traffic.items():
            watch, place = self.watches[name], f"traffic of {name}"
            try:
                told = await feed.news(watch.origin)
            except (SourceError, OSError) as error:
                self.problems[place] = f"keyspace {name}: cannot read its traffic: {error}"
                continue
            if told is not None:
                watch.sampler.replace_traffic(told)
            self.problems.pop(place, None)
            if watch.sampler.listed and not watch.sampler.knows_traffic:
                why = "its traffic names none of its keys: reads weigh alike, and none is hot"
                self.problems[place] = f"keyspace {name}: {why}"

    async def close(self) -> None:
        """Stop every watch, then let go of every connection."""
        for watch in self.watches.values():
            await watch.close()
        for layer in self.layers.values():
            for _, connected in layer.nodes.values():
                await connected.server.close()
        for connected in self.origins.values():
            await connected.server.close()

    def open_origin(self, name: str) -> Origin:
        """The origin of a keyspace, behind its budget."""
        keyspace = self.config.keyspaces[name]
        connected = self.origins[keyspace.origin.name]
        source = connected.server.open(keyspace.origin.binding, _kind_keyspace(name, keyspace))
        traced = {ours.KEYSPACE: name, **connected.traced}
        return ThrottledOrigin(
            TracedOrigin(source, traced),  # type: ignore[arg-type]  # an origin kind opens origins
            connected.budget,
            self.clock.now_ns,
            keyspace.sample.interval.ns,
        )

    def open_cache(self, name: str, layer: LayerNodes, connected: Connected) -> Cache:
        """A node as a keyspace addresses it, behind the node's budget, its reads counted."""
        keyspace = self.config.keyspaces[name]
        binding = keyspace.layers[layer.name]
        source = connected.server.open(binding, _kind_keyspace(name, keyspace))
        traced = {ours.KEYSPACE: name, ours.LAYER: layer.name, **connected.traced}
        counted = CountedCache(
            source,  # type: ignore[arg-type]  # a cache kind opens caches
            connected.own,
            weigh(layer.layer.kind, layer.layer, binding),
        )
        return ThrottledCache(
            TracedCache(counted, traced),
            connected.budget,
            self.clock.now_ns,
            keyspace.sample.interval.ns,
        )

    async def _discover(self, layer: LayerNodes) -> None:
        async with layer.turn:
            await self._discover_in_turn(layer)

    async def _discover_in_turn(self, layer: LayerNodes) -> None:
        found = await layer.finder.discover()
        layer.problems = found.problems
        listed = {target.name: target for target in found.targets}
        for name, (target, connected) in list(layer.nodes.items()):
            if listed.get(name) != target:
                for watch in self.watches.values():
                    watch.drop_node(layer.name, name)
                await connected.server.close()
                del layer.nodes[name]
        for target in found.targets:
            if target.name not in layer.nodes:
                self._connect(layer, target)
        for watch in self.watches.values():
            if found.has_moved:
                watch.note_moves(layer.name)
            if not found.problems:
                watch.release(layer.name)

    def _connect(self, layer: LayerNodes, target: Target) -> None:
        kind = load_kinds()[0][layer.layer.kind]
        server = kind.connect(target, layer.layer, self.clock.now_ns)
        connected = Connected(
            server,
            _budget(layer.layer.limit.per_second, self.clock),
            {ours.NODE: target.name, SERVER_ADDRESS: target.host, SERVER_PORT: target.port},
        )
        layer.nodes[target.name] = target, connected
        for name, watch in self.watches.items():
            if layer.name in self.config.keyspaces[name].layers:
                settings = _node_settings(self.config, name, layer, target)
                cache = self.open_cache(name, layer, connected)
                watch.add_node(settings, cache, self.share(name, layer, target.name))

    def owners(self) -> Mapping[str, Owners]:
        """Of each layer on a ring, which nodes should hold a key of a keyspace, by its name.

        A cluster refuses what is not its own, so nothing goes astray there; a digest has no owner.
        """
        if self.config.store.keys != "plain":
            return {}
        rings = (each for each in self.layers.values() if each.layer.placement == "ring")
        return {layer.name: partial(self._owners, layer) for layer in rings}

    def _owners(self, layer: LayerNodes, keyspace: str, key: str) -> Collection[str]:
        return [node for node in layer.nodes if key in (self.share(keyspace, layer, node) or ())]

    def share(self, keyspace: str, layer: LayerNodes, node: str) -> Share | None:
        """The keys of a keyspace that a node is expected to hold; None is all."""
        if layer.placement is None:
            return None
        binding = self.config.keyspaces[keyspace].layers[layer.name]
        return Share(layer.placement, node, getattr(binding, "key", PLACEHOLDER))


def wire(config: Config, clock: Clock) -> Wiring:
    """Connections to every origin, and the layers whose nodes are still to be discovered."""
    kinds = load_kinds()[1]
    origins = {
        name: Connected(
            kinds[origin.kind].connect(origin, clock.now_ns),
            _budget(origin.limit.per_second, clock),
            _traced_origin(name, origin),
        )
        for name, origin in config.origins.items()
    }
    layers = {name: _layer_nodes(name, layer, clock) for name, layer in config.layers.items()}
    return Wiring(config, clock, origins, layers)


def _layer_nodes(name: str, layer: Layer, clock: Clock) -> LayerNodes:
    """How a layer's nodes are found, and who of them holds what."""
    kind, now_ns = load_kinds()[0][layer.kind], clock.now_ns
    ask = kind.ask_sentinels
    listed = Discovery(
        layer.nodes,
        DEFAULT_PORTS.get(layer.kind),
        (lambda options: ask(options, now_ns)) if ask is not None else None,
    )
    if layer.placement == "ring":
        ring = Ring(listed, layer.ring or RingOptions())
        return LayerNodes(name, layer, ring, ring)
    if layer.placement == "cluster" and kind.cluster is not None:
        cluster = kind.cluster(listed, layer, now_ns)
        return LayerNodes(name, layer, cluster, cluster)
    return LayerNodes(name, layer, listed)


async def watch_all(
    wiring: Wiring,
    ids: Ids,
    sink: Callable[[Batch], None],
    noted: Callable[[str, str, int], None] = lambda *_: None,
    suspected: Callable[[str, str, int], None] = lambda *_: None,
) -> None:
    """A watch for each keyspace, with its keys and the nodes that are there.

    `suspected` is told a keyspace, what became of suspects, and how many.
    """
    for name, keyspace in wiring.config.keyspaces.items():
        sample = keyspace.sample
        origin = wiring.open_origin(name)
        sampler = Sampler(
            (),
            sample.size,
            sample.pinned,
            sample.recent.fraction,
            sample.hot.fraction,
            is_random=sample.method == "random",
            canaries=_canary_keys(wiring.config, name),
        )
        if keyspace.traffic is not None:
            wiring.traffic[name] = TrafficFeed(keyspace.traffic)
        settings = _watch_settings(wiring.config, name, keyspace)
        wiring.watches[name] = Watch(
            settings,
            origin,
            sampler,
            wiring.clock,
            ids,
            sink,
            noted,
            partial(suspected, name),
        )
    await wiring.list_keys()
    await wiring.read_traffic()
    await wiring.discover()


async def keys_of(keyspace: Keyspace, origin: Origin) -> Sequence[str]:
    """The keys that a keyspace declares. Raises SourceError or OSError."""
    keys = keyspace.keys
    if keys.keys is not None:
        return keys.keys
    if keys.range is not None:
        return [str(number) for number in range(keys.range.first, keys.range.to + 1)]
    if keys.file is not None:
        text = await asyncio.to_thread(keys.file.read_text, encoding="utf-8")
        return [line for line in text.splitlines() if line]
    return await origin.list_keys()


def _canary_keys(config: Config, keyspace: str) -> list[str]:
    canaries = config.canaries.values()
    return [key for each in canaries if each.keyspace == keyspace for key in each.keys]


def _unicode_keys(keys: Sequence[str]) -> list[str]:
    """The keys that can be kept and asked for: an origin's JSON may spell half a surrogate pair."""
    return [key for key in keys if key.isascii() or key == key.encode(errors="ignore").decode()]


def _watch_settings(config: Config, name: str, keyspace: Keyspace) -> WatchSettings:
    origin = config.origins[keyspace.origin.name]
    return WatchSettings(
        keyspace=name,
        order=keyspace.version.order,
        interval_ns=keyspace.sample.interval.ns,
        recurs=keyspace.version.recurs,
        hash_keys=config.store.keys == "hashed",
        origin_name=keyspace.origin.name,
        origin_kind=origin.kind,
        horizons_ns=[each.ns for each in keyspace.checks.horizons],
    )


def _node_settings(
    config: Config, keyspace: str, layer: LayerNodes, target: Target
) -> NodeSettings:
    declared = layer.layer
    kind = load_kinds()[0][declared.kind]
    ttl = declared.documented_ttl
    return NodeSettings(
        layer=layer.name,
        name=target.name,
        region=target.region,
        kind=declared.kind,
        address=f"{target.host}:{target.port}",
        mechanism=declared.mechanism,
        max_staleness_ns=declared.max_staleness.ns,
        ttl_s=None if ttl is None else ttl.seconds,
        ttl_jitter_s=declared.ttl_jitter.seconds + kind.ttl_resolution_s,
        ages_own_copies=declared.single_tier or kind.ages_own_copies,
        is_pool=kind.is_pool,
        checks_per_s=_checks_per_s(config, keyspace, layer.name),
        ttl_resolution_s=kind.ttl_resolution_s,
    )


def _checks_per_s(config: Config, keyspace: str, layer: str) -> float:
    """The keyspaces of a layer share what its nodes may be asked."""
    sharing = sum(layer in each.layers for each in config.keyspaces.values())
    share = config.keyspaces[keyspace].checks.share.fraction
    return config.layers[layer].limit.per_second * float(share) / sharing


def _kind_keyspace(name: str, keyspace: Keyspace) -> KindKeyspace:
    return KindKeyspace(name, keyspace.version.type)


def _traced_origin(name: str, origin: OriginSettings) -> Mapping[str, str | int]:
    """What spans say of an origin; a URL may hold more than the host, which is all that is told."""
    url = getattr(origin, "url", None)
    host = getattr(origin, "host", None)
    with contextlib.suppress(ValueError):  # what is no URL is told by the origin's own reads
        host = urlsplit(str(url)).hostname if url else host
    return {ORIGIN_NAME: name, **({SERVER_ADDRESS: str(host)} if host else {})}


def _budget(per_second: float, clock: Clock) -> Budget:
    return Budget(clock.now_ns(), per_second, bytes_per_s=per_second * 64 * 1024)
