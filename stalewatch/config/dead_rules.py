"""Whether rules can fire at all with the config that they stand in: a function a kind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from alerts.rules.silent import GRACE_NS
from collectors.counters.kinds import COUNTERS
from freshness.burn import fit
from settings import Duration
from stalewatch.config.model import Config, Layer
from stalewatch.config.objective_specs import objective_of, pairs_of
from stalewatch.config.problem import Loc
from stalewatch.config.rules import (
    AnyRule,
    BurnRateRule,
    DriftRule,
    HitRateRule,
    MeasurementLostRule,
    PropagationLagRule,
    SequenceGapRule,
    SilentRule,
    StalenessRule,
)

Fault = tuple[Loc, str]
_NO_MESSAGES: Final = "can never fire: no receipt comes in without server.otlp or traces.poll"
_BY_TTL: Final = "can never fire: entries here go by their ttl, and no message is sent"


def dead_faults(config: Config, rule: AnyRule, loc: Loc) -> Iterator[Fault]:
    """Why a rule can never fire, and where; nothing where it can."""
    why = _WHY.get(type(rule))
    if why is not None:
        yield from why(config, rule, loc)


def hears_receipts(config: Config) -> bool:
    """Whether receipts come in at all."""
    return config.server.otlp is not None or bool(config.traces.poll)


def takes_messages(layer: Layer) -> bool:
    """Whether messages are sent to a layer."""
    return layer.mechanism != "ttl"


def has_one_node(layer: Layer) -> bool:
    """Whether a layer is known to have a single node."""
    return len(layer.nodes) == 1 and len(layer.nodes[0].addresses) == 1


def _dead_lag(config: Config, rule: PropagationLagRule, loc: Loc) -> Iterator[Fault]:
    if not hears_receipts(config):
        yield loc, _NO_MESSAGES
    keyspaces = config.keyspaces if rule.keyspace is None else [rule.keyspace]
    layers = {layer for name in keyspaces for layer in config.keyspaces[name].layers}
    if rule.layer is not None:
        layers &= {rule.layer}
    if not layers:
        yield (*loc, "layer"), f"can never fire: keyspace {rule.keyspace} is not on this layer"
    elif not any(takes_messages(config.layers[layer]) for layer in layers):
        at = "keyspace" if rule.layer is None else "layer"
        yield (*loc, at), _BY_TTL
    if rule.window <= rule.limit:
        at = "limit" if rule.window == type(rule).model_fields["window"].default else "window"
        yield (*loc, at), f"can never fire: expected a limit below the window of {rule.window}"
    if rule.recovery is not None and rule.recovery > rule.limit:
        yield (*loc, "recovery"), f"expected at most the limit of {rule.limit}"


def _dead_silent(config: Config, rule: SilentRule, loc: Loc) -> Iterator[Fault]:
    layer = config.layers[rule.layer]
    if not hears_receipts(config):
        yield loc, _NO_MESSAGES
    if not takes_messages(layer):
        yield (*loc, "layer"), _BY_TTL
    if rule.window.ns <= GRACE_NS:
        least = Duration(GRACE_NS)
        yield (*loc, "window"), f"can never fire: expected more than {least}, since spans come late"
    others = [one for name, one in config.layers.items() if name != rule.layer]
    is_alone = rule.by == "layer" or has_one_node(layer)
    if is_alone and not any(map(takes_messages, others)):
        yield (*loc, "layer"), "can never fire: there is nobody else to tell silence by"


def _dead_staleness(config: Config, rule: StalenessRule, loc: Loc) -> Iterator[Fault]:
    keyspaces = {
        name: keyspace
        for name, keyspace in config.keyspaces.items()
        if rule.layer in keyspace.layers and rule.keyspace in (None, name)
    }
    if not keyspaces:
        why = "no keyspace is on this layer" if rule.keyspace is None else "it is not on this layer"
        yield (*loc, "layer" if rule.keyspace is None else "keyspace"), f"can never fire: {why}"
        return
    interval = min(keyspace.sample.interval for keyspace in keyspaces.values())
    if rule.window.ns < 2 * interval.ns:
        yield (*loc, "window"), f"can never fire: expected two intervals of {interval} at least"
    if rule.share is not None and rule.share.fraction >= 1:
        yield (*loc, "share"), "can never fire: no share is above 100%"


def counts_hits(config: Config, name: str) -> bool:
    """Whether anybody counts what the nodes of a layer hit and miss."""
    layer = config.layers[name]
    settings, kind = layer.counters, COUNTERS.get(layer.kind)
    queries = (each for one in config.prometheus.values() for each in one.queries)
    is_scraped = any(each.layer == name for each in queries)
    is_asked = kind is not None and kind.connect is not None
    has_own = is_asked or settings.varnish is not None or settings.nginx is not None
    return is_scraped or (settings.enabled and has_own)


def _dead_hit_rate(config: Config, rule: HitRateRule, loc: Loc) -> Iterator[Fault]:
    if not counts_hits(config, rule.layer):
        yield (*loc, "layer"), "can never fire: nobody counts its hits; see docs/counters.md"
    interval = config.layers[rule.layer].counters.interval
    least = Duration(max(_LEAST_INTERVALS * interval.ns, _TWO_MINUTES_NS))
    if rule.window < least:
        yield (*loc, "window"), f"can never fire: expected {least} at least, to count in"
    if rule.below is not None and rule.below.percent == 0:
        yield (*loc, "below"), "can never fire: no share is below 0%"
    if rule.drop is not None and rule.drop.fraction >= 1:
        yield (*loc, "drop"), "can never fire: no share falls by more than 100%"


def _dead_gap(config: Config, rule: SequenceGapRule, loc: Loc) -> Iterator[Fault]:
    if not hears_receipts(config):
        yield loc, _NO_MESSAGES
    keyspaces = config.keyspaces if rule.keyspace is None else [rule.keyspace]
    layers = {layer for name in keyspaces for layer in config.keyspaces[name].layers}
    if rule.layer is not None:
        layers &= {rule.layer}
    if not layers:
        yield (*loc, "layer"), f"can never fire: keyspace {rule.keyspace} is not on this layer"
    elif not any(takes_messages(config.layers[layer]) for layer in layers):
        yield (*loc, "keyspace" if rule.layer is None else "layer"), _BY_TTL


def _dead_drift(config: Config, rule: DriftRule, loc: Loc) -> Iterator[Fault]:
    on_it = {name for name, each in config.keyspaces.items() if rule.layer in each.layers}
    if rule.keyspace is not None and rule.keyspace not in on_it:
        yield (*loc, "keyspace"), "can never fire: it is not on this layer"
    elif not on_it:
        yield (*loc, "layer"), "can never fire: no keyspace is on this layer"
    if has_one_node(config.layers[rule.layer]):
        yield (*loc, "layer"), "can never fire: it has a single node, which agrees with itself"
    limit = rule.limit or config.layers[rule.layer].max_staleness
    if rule.window <= limit:
        yield (*loc, "window"), f"can never fire: expected more than the limit of {limit}"


def _dead_loss(config: Config, rule: MeasurementLostRule, loc: Loc) -> Iterator[Fault]:  # noqa: ARG001
    if not 0 < rule.coverage.percent <= 100:
        yield (*loc, "coverage"), "expected a share above 0%"


def _dead_burn(config: Config, rule: BurnRateRule, loc: Loc) -> Iterator[Fault]:
    if rule.severity is None or rule.spent:
        return
    asked = config.objectives[rule.objective]
    pairs = fit(objective_of(config, asked), pairs_of(asked)).pairs
    if not any(pair.severity == rule.severity for pair in pairs):
        yield (*loc, "severity"), "can never fire: no windows of the objective have it"


_LEAST_INTERVALS: Final = 4
_TWO_MINUTES_NS: Final = 120 * 10**9
_WHY: Final[Mapping[type, Callable[[Config, Any, Loc], Iterator[Fault]]]] = {
    PropagationLagRule: _dead_lag,
    SilentRule: _dead_silent,
    StalenessRule: _dead_staleness,
    HitRateRule: _dead_hit_rate,
    SequenceGapRule: _dead_gap,
    DriftRule: _dead_drift,
    BurnRateRule: _dead_burn,
    MeasurementLostRule: _dead_loss,
}
