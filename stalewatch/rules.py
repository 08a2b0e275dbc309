"""The rules of a config as the engine takes them, and those that stand without any config."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from alerts.rules import (
    ConfigDrift,
    Drift,
    HitRate,
    MeasurementLost,
    Paced,
    PropagationLag,
    Rule,
    SequenceGap,
    Silent,
    Staleness,
    Unreachable,
    Watchdog,
)
from alerts.state import Timing
from freshness.burn import Severity
from stalewatch.burn_rules import (
    RecentOf,
    StandingOf,
    burn_rule,
    burn_rules,
    not_measured,
    nothing_kept,
)
from stalewatch.config.dead_rules import has_one_node, hears_receipts, takes_messages
from stalewatch.config.model import Config
from stalewatch.config.objective_specs import make_specs, spec_of
from stalewatch.config.rules import (
    AnyRule,
    BurnRateRule,
    ConfigDriftRule,
    DriftRule,
    HitRateRule,
    MeasurementLostRule,
    PropagationLagRule,
    SequenceGapRule,
    SilentRule,
    StalenessRule,
    UnreachableRule,
    WatchdogRule,
)

NS_PER_S: Final = 1_000_000_000
SHORTEST_WINDOW_NS: Final = 120 * NS_PER_S
INTERVALS: Final = 3
"""A default window is at least so many intervals, so that one round may fail."""
DRIFT_EVERY_NS: Final = 60 * NS_PER_S
"""It reads the runs of many keys."""
Common = dict[str, Any]


def make_rules(
    config: Config, standing_of: StandingOf = not_measured, recent_of: RecentOf = nothing_kept
) -> list[Rule]:
    """Every rule of a config, and the defaults of what has none.

    `standing_of` says how objectives stand; without it their rules see nothing. `recent_of` is what
    their charts are made of.
    """
    kept = _Kept(standing_of, recent_of)
    rules = [_make(config, *named, kept) for named in config.rules.items()]
    return [*rules, *_defaults(config), *_default_burns(config, kept)]


class _Kept(NamedTuple):
    """What is known of objectives."""

    standing_of: StandingOf
    recent_of: RecentOf


def _make(config: Config, name: str, rule: AnyRule, kept: _Kept) -> Rule:
    if isinstance(rule, BurnRateRule):
        return _burn_rate(config, rule, _common(name, rule), kept)
    return _MAKERS[type(rule)](config, rule, _common(name, rule))


def _common(name: str, rule: AnyRule) -> Common:
    """What all kinds have, and what a kind calls the same in the file and as a rule."""
    common = {
        "name": name,
        "timing": Timing(rule.for_.ns, rule.keep_firing_for.ns),
        "channels": rule.channels,
        "mode": rule.mode,
    }
    same = ("layer", "node", "keyspace", "by", "least")
    common |= {key: getattr(rule, key) for key in same if hasattr(rule, key)}
    return common | ({"window_ns": rule.window.ns} if hasattr(rule, "window") else {})


def _propagation_lag(config: Config, rule: PropagationLagRule, common: Common) -> Rule:
    return PropagationLag(
        **common,
        placement=_placement(config),
        limit_ns=rule.limit.ns,
        recovery_ns=rule.recovery.ns if rule.recovery else None,
        quantile=rule.quantile,
    )


def _silent(_: Config, __: SilentRule, common: Common) -> Rule:
    return Silent(**common)


def _staleness(_: Config, rule: StalenessRule, common: Common) -> Rule:
    return Staleness(**common, share=rule.share.fraction if rule.share else None)


def _hit_rate(_: Config, rule: HitRateRule, common: Common) -> Rule:
    return HitRate(
        **common,
        below=rule.below.fraction if rule.below else None,
        drop=rule.drop.fraction if rule.drop else None,
    )


def _sequence_gap(config: Config, _: SequenceGapRule, common: Common) -> Rule:
    return Paced(SequenceGap(**common, placement=_placement(config)))


def _drift(_: Config, rule: DriftRule, common: Common) -> Rule:
    limit_ns = rule.limit.ns if rule.limit else None
    return Paced(Drift(**common, limit_ns=limit_ns), DRIFT_EVERY_NS)


def _config_drift(_: Config, rule: ConfigDriftRule, common: Common) -> Rule:
    return Paced(ConfigDrift(**common, hints=rule.hints), DRIFT_EVERY_NS)


def _burn_rate(config: Config, rule: BurnRateRule, common: Common, kept: _Kept) -> Rule:
    severities = tuple(Severity) if rule.severity is None else (Severity(rule.severity),)
    spec = spec_of(config, rule.objective)
    return burn_rule(spec, *kept, severities=severities, tells_spent=rule.spent, **common)


def _unreachable(_: Config, __: UnreachableRule, common: Common) -> Rule:
    return Unreachable(**common)


def _measurement_lost(config: Config, rule: MeasurementLostRule, common: Common) -> Rule:
    return MeasurementLost(
        **common,
        **_measured(config),
        coverage=rule.coverage.fraction,
        stale_after_ns=rule.stale_after.ns,
    )


def _watchdog(_: Config, __: WatchdogRule, common: Common) -> Rule:
    return Watchdog(**common)


_MAKERS: Final[Mapping[type, Callable[[Config, Any, Common], Rule]]] = {
    PropagationLagRule: _propagation_lag,
    SilentRule: _silent,
    StalenessRule: _staleness,
    HitRateRule: _hit_rate,
    SequenceGapRule: _sequence_gap,
    DriftRule: _drift,
    ConfigDriftRule: _config_drift,
    UnreachableRule: _unreachable,
    MeasurementLostRule: _measurement_lost,
    WatchdogRule: _watchdog,
}


def _placement(config: Config) -> dict[str, frozenset[str]]:
    """The layers of each keyspace that take its messages."""
    return {
        name: frozenset(layer for layer in keyspace.layers if takes_messages(config.layers[layer]))
        for name, keyspace in config.keyspaces.items()
    }


def _measured(config: Config) -> Common:
    """What is measured at all."""
    keyspaces = config.keyspaces.values()
    return {
        "intervals_ns": {n: each.sample.interval.ns for n, each in config.keyspaces.items()},
        "origins": tuple(dict.fromkeys(each.origin.name for each in keyspaces)),
        "layers": tuple(dict.fromkeys(layer for each in keyspaces for layer in each.layers)),
        "sources": tuple(config.taps),
    }


def _defaults(config: Config) -> Iterator[Rule]:
    """They are shown and told to nobody; no name in a config holds a colon.

    One that is written takes the place of the default of its kind (and layer, where it is of one).
    """
    written = {type(rule) for rule in config.rules.values()}
    yield from _default_staleness(config)
    yield from _default_drift(config)
    if UnreachableRule not in written:
        yield Unreachable(name="unreachable:all")
    if MeasurementLostRule not in written:
        yield MeasurementLost(name="measurement-lost:all", **_measured(config))
    if ConfigDriftRule not in written:
        yield Paced(ConfigDrift(name="config-drift:all"), DRIFT_EVERY_NS)
    hears = hears_receipts(config) and any(_placement(config).values())
    if hears and SequenceGapRule not in written:
        yield Paced(SequenceGap(name="sequence-gap:all", placement=_placement(config)))


def _default_burns(config: Config, kept: _Kept) -> Iterator[Rule]:
    written = {rule.objective for rule in config.rules.values() if isinstance(rule, BurnRateRule)}
    specs = [spec for spec in make_specs(config) if spec.name not in written]
    yield from burn_rules(specs, *kept)


def _default_staleness(config: Config) -> Iterator[Rule]:
    written = {rule.layer for rule in config.rules.values() if isinstance(rule, StalenessRule)}
    for layer in config.layers.keys() - written:
        intervals = [
            keyspace.sample.interval.ns
            for keyspace in config.keyspaces.values()
            if layer in keyspace.layers
        ]
        if intervals:
            window_ns = max(SHORTEST_WINDOW_NS, INTERVALS * max(intervals))
            yield Staleness(name=f"staleness:{layer}", layer=layer, window_ns=window_ns)


def _default_drift(config: Config) -> Iterator[Rule]:
    written = {rule.layer for rule in config.rules.values() if isinstance(rule, DriftRule)}
    used = {layer for keyspace in config.keyspaces.values() for layer in keyspace.layers}
    for layer in sorted(used - written):
        if not has_one_node(config.layers[layer]):
            window_ns = max(900 * NS_PER_S, 3 * config.layers[layer].max_staleness.ns)
            rule = Drift(name=f"drift:{layer}", layer=layer, window_ns=window_ns)
            yield Paced(rule, DRIFT_EVERY_NS)
