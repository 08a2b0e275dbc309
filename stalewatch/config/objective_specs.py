"""From the section `objectives` to what is measured: which places, how, and read by which rules."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from freshness.burn import LowVolume, Severity, WindowPair
from freshness.objective import Calendar, Measure, Objective, Occurrences, Rolling
from freshness.status import Rules
from settings import Duration
from stalewatch.config.model import Config
from stalewatch.config.objectives import ObjectiveSettings, fraction_of
from store.objective_spec import Spec

NS: Final = 10**9
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
PERIODS_S: Final = {Calendar.DAY: DAY_S, Calendar.WEEK: 7 * DAY_S, Calendar.MONTH: 31 * DAY_S}
MINUTES_S: Final = 2 * DAY_S
"""How much of the newest past is kept by the minute: shorter windows want minutes."""
_STALE_AFTER_S: Final = 300
_SLICES_S: Final = (MINUTE_S, 2 * 60, 5 * 60, 10 * 60, 15 * 60, 20 * 60, 30 * 60, HOUR_S)


def make_specs(config: Config) -> list[Spec]:
    """The objectives of a config that was checked, in its order."""
    return [spec_of(config, name) for name in config.objectives]


def spec_of(config: Config, name: str) -> Spec:
    """One of them. A ValueError where its figures cannot be."""
    asked = config.objectives[name]
    placement = placement_of(config, asked)
    limit_s = _limit_s(config, asked, placement)
    stale_after_s = _STALE_AFTER_S if asked.indicator.is_on_grid else limit_s + 2 * _STALE_AFTER_S
    return Spec(
        name=name,
        objective=objective_of(config, asked),
        placement=placement,
        region=asked.region,
        owners={k: config.keyspaces[k].owner for k in placement},
        max_staleness_ns=None if asked.max_staleness is None else asked.max_staleness.ns,
        settles_s=limit_s,
        time_zone=asked.time_zone,
        minutes_s=minutes_of(config),
        description=asked.description,
        runbook=asked.runbook,
        rules=Rules(
            low_volume=LowVolume(asked.alerting.least_bad, rho=asked.alerting.correlation),
            stale_after_s=stale_after_s,
            spent_limit=fraction_of(asked.alerting.spent),
            pairs=pairs_of(asked),
        ),
    )


def placement_of(config: Config, asked: ObjectiveSettings) -> Mapping[str, frozenset[str]]:
    """The layers of each keyspace that it is of."""
    found = {
        name: frozenset(each for each in keyspace.layers if asked.layer in (None, each))
        for name, keyspace in config.keyspaces.items()
        if asked.keyspace in (None, name) and asked.owner in (None, keyspace.owner)
    }
    return {name: layers for name, layers in found.items() if layers}


def objective_of(config: Config, asked: ObjectiveSettings) -> Objective:
    """What is promised. A ValueError for what cannot be meant."""
    window = asked.window
    return Objective(
        asked.indicator,
        fraction_of(asked.target),
        window if isinstance(window, Calendar) else Rolling(_whole_s(window)),
        asked.budgeting,
        slice_of(config, asked),
        interval_of(config, asked),
    )


def slice_of(config: Config, asked: ObjectiveSettings) -> int:
    """Its grid: as written, else a day for sweeps, an hour for budgets of slices, else a minute.

    One that is not written is never narrower than the interval of samples.
    """
    if asked.slice is not None:
        return _whole_s(asked.slice)
    if asked.indicator is Measure.RESIDENT:
        return DAY_S
    if not isinstance(asked.budgeting, Occurrences):
        return HOUR_S
    interval_s = interval_of(config, asked)
    return next(
        (each for each in _SLICES_S if each >= interval_s), -(-interval_s // HOUR_S) * HOUR_S
    )


def interval_of(config: Config, asked: ObjectiveSettings) -> int:
    """The longest interval of samples among its keyspaces, whole seconds."""
    if not asked.indicator.is_on_grid or asked.indicator is Measure.RESIDENT:
        return MINUTE_S
    placed = placement_of(config, asked)
    intervals = (config.keyspaces[name].sample.interval for name in placed)
    return max(MINUTE_S, *(-(-each.ns // NS) for each in intervals))


def minutes_of(config: Config) -> int:
    """For how long minutes are read, whole hours; less where the store keeps less."""
    kept_s = config.store.retention.minutes.ns // NS
    return int(min(MINUTES_S, (kept_s - HOUR_S) // HOUR_S * HOUR_S))


def length_of(asked: ObjectiveSettings) -> int:
    """The length of its window at the longest, seconds."""
    window = asked.window
    return PERIODS_S[window] if isinstance(window, Calendar) else _whole_s(window)


def pairs_of(asked: ObjectiveSettings) -> tuple[WindowPair, ...] | None:
    """The pairs of windows that were written."""
    written = asked.alerting.windows
    return None if written is None else tuple(_pairs(asked))


def _pairs(asked: ObjectiveSettings) -> Iterator[WindowPair]:
    for each in asked.alerting.windows or ():
        threshold = Fraction(str(each.burn))
        yield WindowPair(
            _whole_s(each.long), _whole_s(each.short), threshold, Severity(each.severity)
        )


def _limit_s(
    config: Config, asked: ObjectiveSettings, placement: Mapping[str, frozenset[str]]
) -> int:
    """After this time every pair of a message is due."""
    if asked.indicator.is_on_grid:
        return 0
    layers = {layer for placed in placement.values() for layer in placed}
    limits = [config.layers[layer].max_staleness.ns for layer in layers]
    limit_ns = max(limits, default=0) if asked.max_staleness is None else asked.max_staleness.ns
    return -(-limit_ns // NS)


def _whole_s(length: Duration) -> int:
    return length.ns // NS
