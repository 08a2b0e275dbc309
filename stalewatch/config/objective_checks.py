"""Whether objectives name what there is, and can be measured at all."""

from collections.abc import Iterator
from typing import Final

from freshness.burn import check_pair
from freshness.objective import Caution, Measure, Objective, Occurrences
from stalewatch.config import objective_specs as specs
from stalewatch.config.model import Config
from stalewatch.config.objectives import ObjectiveSettings
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean

Fault = tuple[Loc, str]
LEAST_MINUTES_S: Final = 6 * specs.HOUR_S
_NO_MESSAGES: Final = "no message comes in without server.otlp or traces.poll"


def objective_faults(config: Config) -> Iterator[Fault]:
    """What is wrong with each objective, and where."""
    for name, asked in config.objectives.items():
        loc = ("objectives", name)
        unknown = list(_unknown_names(config, asked, loc))
        yield from unknown
        if unknown:
            continue
        unfed = list(_unfed(config, asked, loc))
        yield from unfed
        if not unfed:
            yield from _unmeasurable(config, asked, loc)


def _unknown_names(config: Config, asked: ObjectiveSettings, loc: Loc) -> Iterator[Fault]:
    owners = {each.owner for each in config.keyspaces.values() if each.owner}
    for option, known, where in (
        ("keyspace", set(config.keyspaces), "such entry in keyspaces"),
        ("layer", set(config.layers), "such entry in layers"),
        ("owner", owners, "keyspace has this owner"),
    ):
        name = getattr(asked, option)
        if name is not None and name not in known:
            yield (*loc, option), f"no {where}{did_you_mean(name, known)}"


def _unfed(config: Config, asked: ObjectiveSettings, loc: Loc) -> Iterator[Fault]:
    """Why nothing could ever be counted."""
    placement = specs.placement_of(config, asked)
    layers = {layer for placed in placement.values() for layer in placed}
    if not layers:
        option = next(each for each in ("layer", "owner", "keyspace") if getattr(asked, each))
        yield (*loc, option), "nothing is measured: these are together nowhere"
        return
    regions = {node.region for layer in layers for node in config.layers[layer].nodes}
    if asked.region is not None and asked.region not in regions and not _reads_files(config):
        yield (*loc, "region"), f"no node is of this region{did_you_mean(asked.region, regions)}"
    if asked.indicator is Measure.STALE_TIME and asked.max_staleness is not None:
        why = "seconds are judged as they pass, by what each layer documents"
        yield (*loc, "max_staleness"), f"expected none beside stale-key-seconds: {why}"
    if asked.indicator in (Measure.CLAIMED, Measure.OBSERVED):
        if config.server.otlp is None and not config.traces.poll:
            yield (*loc, "indicator"), f"can never be measured: {_NO_MESSAGES}"
        elif all(config.layers[layer].mechanism == "ttl" for layer in layers):
            why = "entries here go by their ttl, and no message is sent"
            yield (*loc, "indicator"), f"can never be measured: {why}"


def _reads_files(config: Config) -> bool:
    """Whether nodes, and so regions, come from files that others write."""
    return any(node.file is not None for each in config.layers.values() for node in each.nodes)


def _unmeasurable(config: Config, asked: ObjectiveSettings, loc: Loc) -> Iterator[Fault]:
    try:
        objective = specs.objective_of(config, asked)
    except ValueError as error:
        option = "slice" if asked.slice is not None else "window"
        yield (*loc, option), f"expected otherwise: {error}"
        return
    yield from _not_kept(config, asked, objective, loc)
    for index, pair in enumerate(specs.pairs_of(asked) or ()):
        wrong = check_pair(pair, objective)
        if wrong is not None:
            yield (*loc, "alerting", "windows", index), str(wrong)


def _not_kept(
    config: Config, asked: ObjectiveSettings, objective: Objective, loc: Loc
) -> Iterator[Fault]:
    """Whether the store keeps what its window is made of."""
    kept = config.store.retention
    length_s = specs.length_of(asked)
    is_by_slice = not isinstance(asked.budgeting, Occurrences) and objective.slice_s < specs.HOUR_S
    if is_by_slice and length_s > specs.minutes_of(config):
        least = "slice" if asked.slice is not None else "budgeting"
        yield (
            (*loc, least),
            (
                f"expected slices of 1h: slices of {objective.slice_s} s are made of minutes, of"
                f" which {specs.minutes_of(config) // specs.HOUR_S}h are read"
            ),
        )
    if length_s + specs.HOUR_S > kept.hours.ns // specs.NS:
        yield (
            (*loc, "window"),
            f"expected a window shorter than store.retention.hours, {kept.hours}",
        )
    if kept.minutes.ns // specs.NS < LEAST_MINUTES_S:
        yield (*loc, "window"), "expected store.retention.minutes of at least 6h for burn rates"


def caution_words(config: Config, name: str) -> list[str]:
    """What whoever wrote an objective should know, in words."""
    return [_CAUTIONS[each] for each in specs.spec_of(config, name).objective.cautions]


_CAUTIONS: Final = {
    Caution.OCCURRENCES_IN_CALENDAR: (
        "how many events a calendar window will have is not known before it ends, so nor is its"
        " budget; slices of time (budgeting) have one"
    )
}
