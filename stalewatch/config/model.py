"""The sections of the config file that are alike for every kind of cache and origin."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    IPvAnyNetwork,
    SerializeAsAny,
    model_validator,
)

from alerts.heartbeat import HeartbeatSettings
from collectors.base import VersionType
from collectors.discovery import NodeEntry
from collectors.placement import RingOptions
from freshness.model import Order
from settings import Address, Duration, FilePath, Percent, Rate, Secret, Section
from stalewatch.config.canaries import CanarySettings
from stalewatch.config.channels import ChannelSettings
from stalewatch.config.counters import LayerCounters, PrometheusSettings
from stalewatch.config.names import Key, Name
from stalewatch.config.objectives import ObjectiveSettings
from stalewatch.config.otlp import Otlp, Traces
from stalewatch.config.reports import ReportSettings
from stalewatch.config.rules import AnyRule
from stalewatch.config.taps import TapSettings
from stalewatch.config.url import ExternalUrl

_HEADER = re.compile(r"[A-Za-z0-9-]+")
_WRITTEN_AS = {
    Order.COUNTER: {VersionType.INTEGER},
    Order.MONOTONE: {VersionType.INTEGER, VersionType.TIMESTAMP},
    Order.OPAQUE: {VersionType.STRING},
}


class ServerAuth(Section):
    """Who may see the UI and the API: one user and password, or whom a proxy in front names."""

    username: str | None = None
    """The user of HTTP basic authentication."""
    password: Secret | None = None
    """The password that goes with `username`."""
    proxy_header: str | None = None
    """The header in which a proxy says who the user is; believed from `trusted` alone."""
    trusted: tuple[IPvAnyNetwork, ...] = ()
    """The addresses of the proxies: `127.0.0.1/32`."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        is_basic = self.username is not None and self.password is not None
        is_proxied = self.proxy_header is not None and bool(self.trusted)
        has_half = (self.username is None) != (self.password is None)
        has_half |= (self.proxy_header is None) != (not self.trusted)
        if has_half or is_basic == is_proxied:
            raise ValueError("expected username and password, or proxy_header and trusted")
        if self.proxy_header is not None and not _HEADER.fullmatch(self.proxy_header):
            raise ValueError("expected proxy_header to be the name of a header")
        return self


class Server(Section):
    """The web UI and the API."""

    listen: Address = Address("127.0.0.1", 8080)
    """Where to listen; anything but loopback needs `auth`."""
    external_url: ExternalUrl | None = None
    """The address at which users see it, where a proxy stands in front."""
    auth: ServerAuth | None = None
    """Who may see it."""
    metrics_open: bool = False
    """Whether `/metrics` is readable without authentication."""
    title: str = "Stalewatch"
    """What the pages are headed with."""
    otlp: Otlp | None = None
    """The receiver of traces; left out, there is none. `otlp: {}` listens on loopback."""

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if self.auth is None and not self.listen.is_loopback:
            raise ValueError(
                f"expected auth, because {self.listen} can be reached from other machines;"
                " or listen on 127.0.0.1"
            )
        return self


class Retention(Section):
    """How long the store keeps what it holds."""

    facts: Duration = Duration.parse("14d")
    """Runs and reads; evidence of open findings and the newest origin versions stay."""
    minutes: Duration = Duration.parse("3d")
    """Roll-ups by minute."""
    hours: Duration = Duration.parse("35d")
    """Roll-ups by hour."""
    days: Duration = Duration.parse("400d")
    """Roll-ups by day."""
    findings: Duration = Duration.parse("400d")
    """Findings that are over."""


class StoreSettings(Section):
    """Where everything is kept."""

    engine: Literal["sqlite"] = "sqlite"
    """The engine."""
    path: FilePath = Field(default=Path("stalewatch.db"), validate_default=True)
    """The database file, beside the config file unless it begins with a slash."""
    keys: Literal["plain", "hashed"] = "plain"
    """Whether keys are kept as they are, or only their digests."""
    retention: Retention = Retention()
    """How long things are kept."""


class Origin(Section):
    """A source of truth; each kind adds its own options."""

    kind: str
    """The kind of origin."""
    limit: Rate = Rate(5)
    """Most batches that it is asked for."""


class Accepts(Section):
    """The staleness that is accepted under each condition; left out, that of `normal`."""

    normal: Duration | None = None
    """While all is well: the layer's `max_staleness`, which is what reads are judged by."""
    partial_outage: Annotated[Duration | None, Field(alias="partial-outage")] = None
    """While some of what keeps the layer fresh is down."""
    high_load: Annotated[Duration | None, Field(alias="high-load")] = None
    """While there is more load than usual."""


class Layer(Section):
    """A tier of caches; each kind adds its own options."""

    kind: str
    """The kind of cache."""
    mechanism: Literal["ttl", "purge", "write-through", "versioned"]
    """How a changed value is documented to reach the layer."""
    max_staleness: Duration
    """The staleness, end to end, that the layer promises not to exceed."""
    accepts: Accepts = Accepts()
    """Which staleness is accepted under which condition: for people, no verdict rests on it."""
    owner: str = ""
    """Who answers for it."""
    nodes: Annotated[tuple[NodeEntry, ...], Field(min_length=1)]
    """Where its nodes are."""
    placement: Literal["all", "ring", "cluster"] = "all"
    """Which nodes hold a key: each, those that clients pick on a `ring`, or as a cluster says."""
    ring: RingOptions | None = None
    """How clients pick, beside `placement: ring`."""
    limit: Rate = Rate(20)
    """Most batches that each node is asked for."""
    documented_ttl: Duration | None = None
    """The time to live that entries are given, so that a TTL dates the fill of an entry."""
    ttl_jitter: Duration = Duration(0)
    """How much an entry's time to live may be above or below `documented_ttl`."""
    single_tier: bool = False
    """Whether an age that it tells is that of its own copy, to which no tier above has added."""
    fills_from: tuple[Name, ...] = ()
    """The layers that its nodes are filled from, so that a stale one below can be named."""
    replica: bool = False
    """Whether its nodes are replicas of the origin, which are read like a cache."""
    counters: LayerCounters = LayerCounters()
    """What its nodes count of themselves."""

    @model_validator(mode="after")
    def _has_its_ring(self) -> Self:
        if self.ring is not None and self.placement != "ring":
            raise ValueError("expected ring only beside `placement: ring`")
        return self


class Version(Section):
    """What orders the values of a key at its origin: declared, never guessed."""

    type: VersionType
    """What a version is written as: `integer`, `timestamp` or `string`."""
    order: Order
    """How versions follow each other: `counter` (by one), `monotone` or `opaque`."""
    recurs: bool = True
    """Whether a value that was left may come back, where values carry no order."""

    @model_validator(mode="after")
    def _can_be_ordered(self) -> Self:
        possible = sorted(_WRITTEN_AS[self.order])
        if self.type not in possible:
            raise ValueError(f"expected type {' or '.join(possible)} for order {self.order}")
        return self


OPAQUE = Version(type=VersionType.STRING, order=Order.OPAQUE)


class KeyRange(Section):
    """Whole numbers as keys, both ends included."""

    first: Annotated[int, Field(alias="from", ge=0)]
    """The first key."""
    to: Annotated[int, Field(ge=0)]
    """The last key."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not 0 <= self.to - self.first < 10_000_000:
            raise ValueError("expected `to` at or above `from`, and at most ten million keys")
        return self


class Keys(Section):
    """Which keys a keyspace has; one of the four ways."""

    keys: Annotated[tuple[Key, ...] | None, Field(alias="list", min_length=1)] = None
    """The keys themselves."""
    range: KeyRange | None = None
    """Whole numbers from one to another."""
    file: FilePath | None = None
    """A file with a key a line."""
    origin: Literal[True] | None = None
    """The origin lists them."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        ways = (self.keys, self.range, self.file, self.origin)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("expected one of list, range, file, origin")
        return self


class SampleSettings(Section):
    """Which keys are read, and how often."""

    interval: Duration = Duration.parse("1s")
    """From one round to the next; a tenth of a second at least."""
    size: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Keys of a round, besides the pinned ones."""
    recent: Percent = Percent.parse("30%")
    """The share of them that goes to keys which changed of late."""
    random: Percent = Percent.parse("70%")
    """The share of them that stands for all keys; with `recent` and `hot` it makes 100%."""
    hot: Percent = Percent.parse("0%")
    """The share of them that is drawn in proportion to `traffic`."""
    method: Literal["walk", "random"] = "walk"
    """How the `random` share is taken: each key in turn, or drawn anew for each round."""
    pinned: tuple[Key, ...] = ()
    """Keys that are in every round."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        whole = self.recent.percent + self.random.percent + self.hot.percent
        if whole != 100:
            raise ValueError(
                f"expected random, recent and hot to make 100% together, not {whole}%: they are"
                f" {self.random}, {self.recent} and {self.hot}"
            )
        if self.random.percent == 0:
            raise ValueError("expected random above 0%: only it says how fresh all keys are")
        if self.interval.ns < 100_000_000:
            raise ValueError("expected an interval of at least 100ms")
        return self


class TrafficSettings(Section):
    """Where the traffic of each key is known from; one of file and origin."""

    file: FilePath | None = None
    """A file of lines `key<TAB>weight`, in any unit; it is read again once it has changed."""
    origin: Literal[True] | None = None
    """The origin tells it, by its `traffic_query`; it is asked every five minutes."""
    others: Annotated[float | None, Field(ge=0, le=1e30)] = None
    """The weight of each key that is not told of; left out, the least that is, above zero."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if (self.file is None) == (self.origin is None):
            raise ValueError("expected one of file and origin")
        return self


class CheckSettings(Section):
    """How each node is read again for an invalidation that came in."""

    horizons: tuple[Duration, ...] = tuple(
        Duration.parse(each) for each in ("0ms", "1s", "10s", "1m", "5m", "10m")
    )
    """How long after it; an empty list checks nothing."""
    share: Percent = Percent.parse("50%")
    """The most of each node's `limit` that is spent on it; beyond, invalidations are sampled."""

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if list(self.horizons) != sorted(set(self.horizons)) or len(self.horizons) > 10:
            raise ValueError("expected at most ten horizons, each longer than the one before")
        if self.horizons and self.horizons[-1].ns > 3_600 * 10**9:
            raise ValueError("expected horizons of at most 1h")
        if self.share.percent == 0:
            raise ValueError("expected a share above 0%; `horizons: []` checks nothing")
        return self


class OriginUse(Section):
    """The origin of a keyspace; the other keys are those of the origin's kind."""

    name: Name
    """Which of the `origins`."""
    binding: SerializeAsAny[Section]
    """The rest of the mapping, read by the model of the origin's kind."""


class Keyspace(Section):
    """A data domain."""

    owner: str = ""
    """Who answers for it."""
    origin: OriginUse
    """Where the truth is, and how it is asked for."""
    version: Version = OPAQUE
    """What orders its values; left out only where no version is read, but projections alone."""
    layers: Annotated[dict[Name, SerializeAsAny[Section]], Field(min_length=1)]
    """How a key is addressed on each layer; the keys in it are those of the layer's kind."""
    keys: Keys
    """Which keys there are."""
    sample: SampleSettings = SampleSettings()
    """Which of them are read, and how often."""
    traffic: TrafficSettings | None = None
    """How much each key is asked for: reads are weighted by it; left out, all alike."""
    checks: CheckSettings = CheckSettings()
    """How each node is read again for an invalidation that came in."""

    @model_validator(mode="after")
    def _declares_its_versions(self) -> Self:
        bindings = (self.origin.binding, *self.layers.values())
        reads_versions = any(getattr(binding, "version", None) is not None for binding in bindings)
        if reads_versions and "version" not in self.model_fields_set:
            raise ValueError(
                "expected `version: {type: ..., order: ...}`, since versions are read: without it"
                " they would be compared as text, and nothing could be proven stale"
            )
        return self

    @model_validator(mode="after")
    def _knows_its_traffic(self) -> Self:
        traffic = self.traffic
        if self.sample.hot.percent and traffic is None:
            raise ValueError(
                "expected `traffic` beside `sample.hot`: nothing else says what is hot"
            )
        query = getattr(self.origin.binding, "traffic_query", None)
        if traffic is not None and traffic.origin and query is None:
            raise ValueError(
                "expected `origin.traffic_query` beside `traffic.origin`; origins that are no SQL"
                " database tell no traffic: use `traffic.file`"
            )
        return self


class Config(Section):
    """The whole file."""

    server: Server = Server()
    """The web UI and the API."""
    store: StoreSettings
    """Where everything is kept."""
    traces: Traces = Traces()
    """How spans of invalidations and receipts are told."""
    origins: Annotated[dict[Name, Origin], Field(min_length=1)]
    """The sources of truth, by name."""
    layers: Annotated[dict[Name, Layer], Field(min_length=1)]
    """The tiers of caches, by name."""
    keyspaces: Annotated[dict[Name, Keyspace], Field(min_length=1)]
    """The data domains, by name."""
    canaries: dict[Name, CanarySettings] = Field(default_factory=dict)
    """What Stalewatch writes of its own accord, by name; left out, nothing."""
    taps: dict[Name, SerializeAsAny[TapSettings]] = Field(default_factory=dict)
    """The sources of invalidations that are listened to, by name."""
    channels: dict[Name, SerializeAsAny[ChannelSettings]] = Field(default_factory=dict)
    """Who is told, and how, by name."""
    heartbeat: HeartbeatSettings | None = None
    """A dead man's switch elsewhere that is pinged while all goes on."""
    prometheus: dict[Name, PrometheusSettings] = Field(default_factory=dict)
    """Where counters of nodes are read from, besides the nodes themselves, by name."""
    objectives: dict[Name, ObjectiveSettings] = Field(default_factory=dict)
    """What is promised of how fresh copies are, by name."""
    reports: dict[Name, ReportSettings] = Field(default_factory=dict)
    """Who is told each week how they stood, by name."""
    rules: dict[Name, AnyRule] = Field(default_factory=dict)
    """What is watched for, by name."""
