"""Findings and alerts of the week: when they began, were seen and were over, and what they cost."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from freshness.objective import Measure
from freshness.series import Place
from reports.ask import NS_PER_S, Ask
from reports.document import (
    AlertLine,
    AlertQuality,
    AlertSummary,
    FindingLine,
    FindingSummary,
)
from reports.measured import Measured
from store.base import FindingRow, Store
from store.matching import is_matched
from store.silences import SilenceRow
from store.weekly import FiringRow

MOST_READ: Final = 10_000
"""Findings of a week that are counted."""
MOST_TOLD: Final = 20
"""Findings, and firings, that are told one by one."""
SHORT_NS: Final = 300 * NS_PER_S
"""A firing that is over by then woke somebody for nothing."""
FLAPS: Final = 3
"""An alert that fires so often in a week flaps."""


class Cost(NamedTuple):
    """What the reads of a finding took of an objective's budget."""

    share: float
    objective: str


def summarise_findings(
    store: Store, measured: Sequence[Measured], regions: Mapping[tuple[str, str], str], ask: Ask
) -> FindingSummary:
    """Those that were open at some instant of the week. Raises StoreError."""
    rows = store.findings_open_in(ask.since_ns, ask.until_ns, MOST_READ)
    if ask.subscription.owner:
        keyspaces = {name for one in measured for name in one.spec.placement}
        rows = [row for row in rows if row.keyspace in keyspaces]
    began = {
        each.finding: each.superseded_at_ns
        for each in store.proofs(ask.since_ns, ask.until_ns, "", None)
    }
    costs = _costs(store, measured, regions, rows, ask)
    lines = [_finding(row, began.get(row.id), costs.get(row.id), ask.until_ns) for row in rows]
    lines.sort(key=lambda line: (-(line.cost or 0.0), -line.stale_ns, line.id))
    return FindingSummary(
        total=len(lines),
        open=sum(line.healed_at_ns is None for line in lines),
        causes=dict(sorted(Counter(line.cause for line in lines).items())),
        mttd_s=_mean_s(
            (line.broke_at_ns, line.detected_at_ns)
            for line in lines
            if line.detected_at_ns >= ask.since_ns
        ),
        mttr_s=_mean_s((line.broke_at_ns, line.healed_at_ns) for line in lines),
        worst=tuple(lines[:MOST_TOLD]),
        is_all=len(rows) < MOST_READ,
    )


def read_firings(store: Store, measured: Sequence[Measured], ask: Ask) -> list[FiringRow]:
    """Those of the week; of one owner, those of its keyspaces, layers and objectives."""
    rows = store.firings(ask.since_ns, ask.until_ns)
    if not ask.subscription.owner:
        return list(rows)
    names = {
        "objective": {one.spec.name for one in measured},
        "keyspace": {name for one in measured for name in one.spec.placement},
        "layer": {
            each for one in measured for held in one.spec.placement.values() for each in held
        },
    }
    return [row for row in rows if _is_of(row, names)]


def summarise_alerts(store: Store, rows: Sequence[FiringRow], ask: Ask) -> AlertSummary:
    """Firings by how long they lasted within the week, the longest first."""
    silences = store.silences(ask.since_ns)
    lines = [_firing(row, silences) for row in rows]

    def lasted_ns(line: AlertLine) -> int:
        ended_ns = ask.until_ns if line.resolved_at_ns is None else line.resolved_at_ns
        return ended_ns - line.fired_at_ns

    lines.sort(key=lambda line: (-lasted_ns(line), line.rule, line.fired_at_ns))
    return AlertSummary(
        total=len(lines),
        firing=sum(line.resolved_at_ns is None for line in lines),
        acknowledged=sum(line.acked_at_ns is not None for line in lines),
        mtta_s=_mean_s((line.fired_at_ns, line.acked_at_ns) for line in lines),
        mttr_s=_mean_s((line.fired_at_ns, line.resolved_at_ns) for line in lines),
        longest=tuple(lines[:MOST_TOLD]),
    )


def weigh_alerts(store: Store, rows: Sequence[FiringRow], ask: Ask) -> AlertQuality:
    """Whether they were worth it; deliveries are those of all alerts."""
    own = [row for row in rows if row.fired_at_ns >= ask.since_ns]
    silences = store.silences(ask.since_ns)
    told: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for (channel, state), n in store.deliveries(ask.since_ns, ask.until_ns).items():
        states[state] += n
        if state == "delivered":
            told[channel] += n
    return AlertQuality(
        told=dict(sorted(told.items())),
        short=sum(
            row.resolved_at_ns is not None and row.resolved_at_ns - row.fired_at_ns < SHORT_NS
            for row in own
        ),
        flapping=sum(n >= FLAPS for n in Counter(row.alert for row in own).values()),
        silenced=sum(_was_silenced(row, silences) for row in own),
        failed=states["dead"],
        owed=states["owed"] + states["leased"],
    )


def _is_of(row: FiringRow, names: Mapping[str, Collection[str]]) -> bool:
    """By the narrowest of its labels: a layer may hold the keyspaces of several owners."""
    told = (row.labels[each] in known for each, known in names.items() if each in row.labels)
    return next(told, False)


def _costs(
    store: Store,
    measured: Sequence[Measured],
    regions: Mapping[tuple[str, str], str],
    rows: Iterable[FindingRow],
    ask: Ask,
) -> dict[str, Cost]:
    """Of each finding the objective of reads that it cost most."""
    places = {row.id: Place(row.keyspace, row.layer, row.node) for row in rows}
    costs: dict[str, Cost] = {}
    for one in measured:
        total = one.total * one.spec.objective.error_budget
        if one.spec.measure is not Measure.READS or one.status.gap is not None or not total:
            continue
        proofs = store.proofs(
            ask.since_ns, ask.until_ns, one.spec.stratum, one.spec.max_staleness_ns
        )
        for each in proofs:
            place = places.get(each.finding)
            if not each.reads or place is None or not one.spec.covers(place, regions):
                continue
            cost = Cost(float(Fraction(each.reads) / total), one.spec.name)
            costs[each.finding] = max(cost, costs.get(each.finding, cost))
    return costs


def _finding(
    row: FindingRow, superseded_at_ns: int | None, cost: Cost | None, until_ns: int
) -> FindingLine:
    """As it stood at the end of the week."""
    is_over = row.healed_at_ns is not None and row.healed_at_ns < until_ns
    return FindingLine(
        id=row.id,
        keyspace=row.keyspace,
        key=row.key,
        layer=row.layer,
        node=row.node,
        cause=row.cause,
        broke_at_ns=None if superseded_at_ns is None else superseded_at_ns + row.max_staleness_ns,
        detected_at_ns=row.opened_at_ns,
        healed_at_ns=row.healed_at_ns if is_over else None,
        stale_ns=row.lower_ns,
        cost=None if cost is None else cost.share,
        cost_of="" if cost is None else cost.objective,
    )


def _firing(row: FiringRow, silences: Sequence[SilenceRow]) -> AlertLine:
    return AlertLine(
        rule=row.rule,
        labels=row.labels,
        summary=row.summary,
        fired_at_ns=row.fired_at_ns,
        acked_at_ns=row.acked_at_ns,
        acked_by=row.acked_by,
        resolved_at_ns=row.resolved_at_ns,
        was_silenced=_was_silenced(row, silences),
    )


def _was_silenced(row: FiringRow, silences: Sequence[SilenceRow]) -> bool:
    labels = {**row.labels, "rule": row.rule}
    return any(
        each.starts_at_ns <= row.fired_at_ns < each.ends_at_ns and is_matched(each.matchers, labels)
        for each in silences
    )


def _mean_s(spans: Iterable[tuple[int | None, int | None]]) -> float | None:
    """The mean of those that have both ends; None where none has."""
    lengths = [max(0, end - start) for start, end in spans if start is not None and end is not None]
    return sum(lengths) / len(lengths) / NS_PER_S if lengths else None
