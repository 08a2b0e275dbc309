"""Whether rules name what there is."""

from collections.abc import Iterable, Iterator, Mapping

from stalewatch.config.dead_rules import dead_faults
from stalewatch.config.model import Config
from stalewatch.config.problem import Loc
from stalewatch.config.rules import AnyRule
from stalewatch.config.wording import did_you_mean

Fault = tuple[Loc, str]


def rule_faults(config: Config) -> Iterator[Fault]:
    """What is wrong with each rule, and where; then why it can never fire."""
    for name, rule in config.rules.items():
        loc = ("rules", name)
        unknown = list(_unknown_names(config, rule, loc))
        yield from unknown
        if not unknown:
            yield from dead_faults(config, rule, loc)


def _unknown_names(config: Config, rule: AnyRule, loc: Loc) -> Iterator[Fault]:
    sections: Mapping[str, Iterable[str]] = {
        "layer": config.layers,
        "keyspace": config.keyspaces,
        "objective": config.objectives,
    }
    for key, section in sections.items():
        yield from _missing(getattr(rule, key, None), section, f"{key}s", (*loc, key))
    for index, channel in enumerate(rule.channels):
        yield from _missing(channel, config.channels, "channels", (*loc, "channels", index))
    if getattr(rule, "node", None) is not None and getattr(rule, "layer", None) is None:
        yield (*loc, "node"), "expected a layer beside it: nodes are named in their layer"


def _missing(name: str | None, known: Iterable[str], section: str, loc: Loc) -> Iterator[Fault]:
    if name is not None and name not in known:
        yield loc, f"no such entry in {section}{did_you_mean(name, known)}"
