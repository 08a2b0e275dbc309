"""Whether rules name what there is, and can fire at all."""

from collections.abc import Iterable, Iterator
from typing import Final

from alerts.rules.silent import GRACE_NS
from settings import Duration
from stalewatch.config.model import Config, Layer
from stalewatch.config.problem import Loc
from stalewatch.config.rules import AnyRule, PropagationLagRule, SilentRule, StalenessRule
from stalewatch.config.wording import did_you_mean

Fault = tuple[Loc, str]
_NO_MESSAGES: Final = "can never fire: no receipt comes in without server.otlp or traces.poll"


def rule_faults(config: Config) -> Iterator[Fault]:
    """What is wrong with each rule, and where."""
    for name, rule in config.rules.items():
        loc = ("rules", name)
        unknown = list(_unknown_names(config, rule, loc))
        yield from unknown
        if not unknown:
            yield from _dead(config, rule, loc)


def _unknown_names(config: Config, rule: AnyRule, loc: Loc) -> Iterator[Fault]:
    yield from _missing(rule.layer, config.layers, "layers", (*loc, "layer"))
    if not isinstance(rule, SilentRule):
        yield from _missing(rule.keyspace, config.keyspaces, "keyspaces", (*loc, "keyspace"))
    for index, channel in enumerate(rule.channels):
        yield from _missing(channel, config.channels, "channels", (*loc, "channels", index))
    if rule.node is not None and rule.layer is None:
        yield (*loc, "node"), "expected a layer beside it: nodes are named in their layer"


def _missing(name: str | None, known: Iterable[str], section: str, loc: Loc) -> Iterator[Fault]:
    if name is not None and name not in known:
        yield loc, f"no such entry in {section}{did_you_mean(name, known)}"


def _dead(config: Config, rule: AnyRule, loc: Loc) -> Iterator[Fault]:
    """Why it can never fire."""
    match rule:
        case PropagationLagRule():
            yield from _dead_lag(config, rule, loc)
        case SilentRule():
            yield from _dead_silent(config, rule, loc)
        case StalenessRule():
            yield from _dead_staleness(config, rule, loc)


def _dead_lag(config: Config, rule: PropagationLagRule, loc: Loc) -> Iterator[Fault]:
    if config.server.otlp is None and not config.traces.poll:
        yield loc, _NO_MESSAGES
    keyspaces = config.keyspaces if rule.keyspace is None else [rule.keyspace]
    layers = {layer for name in keyspaces for layer in config.keyspaces[name].layers}
    if rule.layer is not None:
        layers &= {rule.layer}
    if not layers:
        yield (*loc, "layer"), f"can never fire: keyspace {rule.keyspace} is not on this layer"
    elif not any(_takes_messages(config.layers[layer]) for layer in layers):
        at = "keyspace" if rule.layer is None else "layer"
        yield (*loc, at), "can never fire: entries here go by their ttl, and no message is sent"
    if rule.window <= rule.limit:
        at = "limit" if rule.window == type(rule).model_fields["window"].default else "window"
        yield (*loc, at), f"can never fire: expected a limit below the window of {rule.window}"
    if rule.recovery is not None and rule.recovery > rule.limit:
        yield (*loc, "recovery"), f"expected at most the limit of {rule.limit}"


def _dead_silent(config: Config, rule: SilentRule, loc: Loc) -> Iterator[Fault]:
    layer = config.layers[rule.layer]
    if config.server.otlp is None and not config.traces.poll:
        yield loc, _NO_MESSAGES
    if not _takes_messages(layer):
        yield (
            (*loc, "layer"),
            "can never fire: entries here go by their ttl, and no message is sent",
        )
    if rule.window.ns <= GRACE_NS:
        least = Duration(GRACE_NS)
        yield (*loc, "window"), f"can never fire: expected more than {least}, since spans come late"
    others = [one for name, one in config.layers.items() if name != rule.layer]
    is_alone = rule.by == "layer" or _has_one_node(layer)
    if is_alone and not any(map(_takes_messages, others)):
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


def _takes_messages(layer: Layer) -> bool:
    return layer.mechanism != "ttl"


def _has_one_node(layer: Layer) -> bool:
    return len(layer.nodes) == 1 and len(layer.nodes[0].addresses) == 1
