"""The rules of a config as the engine takes them, and those that stand without any config."""

from collections.abc import Iterator
from typing import Any, Final

from alerts.rules import PropagationLag, Rule, Silent, Staleness
from alerts.state import Timing
from stalewatch.config.model import Config
from stalewatch.config.rules import AnyRule, PropagationLagRule, SilentRule, StalenessRule

NS_PER_S: Final = 1_000_000_000
SHORTEST_WINDOW_NS: Final = 120 * NS_PER_S
INTERVALS: Final = 3
"""A default window is at least so many intervals, so that one round may fail."""


def make_rules(config: Config) -> list[Rule]:
    """Every rule of a config, and one for the staleness of each layer that has none."""
    rules = [_make_rule(config, name, rule) for name, rule in config.rules.items()]
    return [*rules, *_defaults(config)]


def _make_rule(config: Config, name: str, rule: AnyRule) -> Rule:
    common: dict[str, Any] = {
        "name": name,
        "timing": Timing(rule.for_.ns, rule.keep_firing_for.ns),
        "channels": rule.channels,
        "mode": rule.mode,
        "window_ns": rule.window.ns,
        "layer": rule.layer,
        "node": rule.node,
    }
    match rule:
        case PropagationLagRule():
            return PropagationLag(
                **common,
                placement=_placement(config),
                keyspace=rule.keyspace,
                limit_ns=rule.limit.ns,
                recovery_ns=rule.recovery.ns if rule.recovery else None,
                quantile=rule.quantile,
            )
        case SilentRule():
            return Silent(**common, by=rule.by, least=rule.least)
        case StalenessRule():
            share = rule.share.fraction if rule.share else None
            return Staleness(**common, keyspace=rule.keyspace, share=share)


def _placement(config: Config) -> dict[str, frozenset[str]]:
    """The layers of each keyspace that take its messages."""
    return {
        name: frozenset(
            layer for layer in keyspace.layers if config.layers[layer].mechanism != "ttl"
        )
        for name, keyspace in config.keyspaces.items()
    }


def _defaults(config: Config) -> Iterator[Staleness]:
    """They are shown and told to nobody; no name in a config holds a colon."""
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
