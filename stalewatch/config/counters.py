"""The sections of counters: what nodes count, and a Prometheus that has it already."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings import Auth, Duration, FilePath, Section, Tls
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean

if TYPE_CHECKING:
    from stalewatch.config.model import Config

LEAST_INTERVAL_NS: Final = 1_000_000_000
_URL: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Preset = Literal[
    "redis_exporter", "memcached_exporter", "varnish_exporter", "nginx_exporter", "nginx_vts"
]
"""As `collectors.counters.presets.PRESETS`, which a test holds it to."""
CounterName = Literal[
    "hits", "misses", "evictions", "expirations", "invalidations", "requests", "request_us",
    "memory_bytes", "memory_limit_bytes", "items",
]  # fmt: skip


def _as_url(text: str) -> str:
    if not _URL.fullmatch(text):
        raise ValueError("expected a URL such as http://prometheus.internal:9090, without a login")
    return text


def _as_label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError("expected the name of a label, such as instance")
    return text


def _often_enough(interval: Duration) -> Duration:
    if interval.ns < LEAST_INTERVAL_NS:
        raise ValueError("expected an interval of at least 1s")
    return interval


Interval = Annotated[Duration, AfterValidator(_often_enough)]


class VarnishStat(Section):
    """varnishstat on this machine, for a layer whose nodes are Varnish."""

    nodes: Annotated[dict[str, FilePath], Field(min_length=1)]
    """Name of a node → the working directory of its varnishd (`varnishd -n`)."""
    command: str = "varnishstat"
    """The program to run."""


class NginxLog(Section):
    """Access logs on this machine, for a layer whose nodes are nginx."""

    nodes: Annotated[dict[str, FilePath], Field(min_length=1)]
    """Name of a node → its access log, in the format of docs/counters.md."""


class LayerCounters(Section):
    """What the nodes of a layer count of themselves: hits, misses, evictions, memory."""

    enabled: bool = True
    """Whether they are read, where the kind has any."""
    interval: Interval = Duration.parse("15s")
    """From one look to the next; a second at least."""
    varnish: VarnishStat | None = None
    """Where its nodes are Varnish (kind `varnish` or `http`) on this machine."""
    nginx: NginxLog | None = None
    """Where its nodes are nginx (kind `nginx` or `http`) on this machine."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        both = set(self.varnish.nodes if self.varnish else ()) & set(
            self.nginx.nodes if self.nginx else ()
        )
        if both:
            raise ValueError(f"expected {min(both)} to be Varnish or nginx, not both")
        return self


class CounterQuery(Section):
    """What is asked of a Prometheus for one layer: a preset, or one counter in PromQL of yours."""

    layer: str
    """Which of the `layers`."""
    preset: Preset | None = None
    """The exporter whose metrics to take: all counters that it has."""
    match: str = ""
    """More label matchers for a preset: `job="redis"`."""
    counter: CounterName | None = None
    """The counter that `promql` gives."""
    promql: str | None = None
    """A query that gives a total since the start, never a rate; one series for each node."""
    label: Annotated[str, AfterValidator(_as_label)] = "instance"
    """The label by which a series names its node."""
    nodes: Annotated[dict[str, str], Field(min_length=1)]
    """Value of that label → name of the node, as on the page Nodes."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        is_own = self.counter is not None and bool(self.promql)
        has_half = (self.counter is None) != (self.promql is None)
        if has_half or is_own == (self.preset is not None):
            raise ValueError("expected a preset, or counter and promql")
        if self.match and self.preset is None:
            raise ValueError("expected match beside a preset; write it into promql")
        return self


class PrometheusSettings(Section):
    """A Prometheus that scrapes exporters of cache nodes."""

    url: Annotated[str, AfterValidator(_as_url)]
    """Its address, with the path that it is served under."""
    auth: Auth | None = None
    """Whom to ask as."""
    tls: Tls | None = None
    """How the connection is secured, where the address begins with https."""
    interval: Interval = Duration.parse("30s")
    """From one look to the next; no shorter than it scrapes."""
    timeout: Duration = Duration.parse("5s")
    """How long one answer may take."""
    queries: Annotated[tuple[CounterQuery, ...], Field(min_length=1)]
    """What is asked."""


def counter_faults(config: "Config") -> Iterator[tuple[Loc, str]]:
    """What is wrong between these sections and the layers, and where."""
    for name, layer in config.layers.items():
        for tool in ("varnish", "nginx"):
            if getattr(layer.counters, tool) is not None and layer.kind not in (tool, "http"):
                loc = ("layers", name, "counters", tool)
                yield loc, f"expected a layer of kind {tool} or http; this is of kind {layer.kind}"
    for name, prometheus in config.prometheus.items():
        yield from _unknown_layers(("prometheus", name, "queries"), prometheus, config.layers)


def _unknown_layers(
    loc: Loc, prometheus: PrometheusSettings, layers: Mapping[str, object]
) -> Iterator[tuple[Loc, str]]:
    for index, query in enumerate(prometheus.queries):
        if query.layer not in layers:
            guess = did_you_mean(query.layer, layers)
            yield (*loc, index, "layer"), f"no such entry in layers{guess}"
