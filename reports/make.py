"""Makes the report of a week from a store: facts gathered once, then frozen as a document."""

from collections.abc import Sequence

from reports.ask import Ask
from reports.changes import change_lines
from reports.document import FORM, ReportDocument
from reports.incidents import read_firings, summarise_alerts, summarise_findings, weigh_alerts
from reports.measured import measure
from reports.objectives import objective_line, worst_lines
from reports.stretches import gap_lines, lag_lines, unmeasured
from reports.verdict import decide, suggest
from store.base import ORIGIN, Store
from store.objective_spec import Spec


def make_report(store: Store, specs: Sequence[Spec], ask: Ask) -> ReportDocument:
    """The report that is asked for. No clock is read: the same store gives the same bytes.

    Raises StoreError.
    """
    regions = {(row.layer, row.node): row.region for row in store.nodes() if row.layer != ORIGIN}
    measured = measure(store, specs, ask)
    objectives = [objective_line(one) for one in measured]
    worst = worst_lines(store, measured, regions)
    findings = summarise_findings(store, measured, regions, ask)
    firings = read_firings(store, measured, ask)
    quality = weigh_alerts(store, firings, ask)
    gaps = gap_lines(store, measured, ask)
    lags, are_all = lag_lines(store, measured, ask)
    owners = {
        row.entry.name: str((row.document or {}).get("owner", ""))
        for row in store.catalogue()
        if row.entry.section == "layer"
    }
    return ReportDocument(
        form=FORM,
        report=ask.subscription.name,
        week=str(ask.week),
        time_zone=ask.subscription.time_zone,
        owner=ask.subscription.owner,
        since_s=ask.window.since_s,
        until_s=ask.window.until_s,
        is_over=ask.is_over,
        verdict=decide(objectives, unmeasured(measured)),
        objectives=tuple(objectives),
        worst=tuple(worst),
        findings=findings,
        alerts=summarise_alerts(store, firings, ask),
        quality=quality,
        gaps=tuple(gaps),
        lags=tuple(lags),
        lags_are_all=are_all,
        actions=tuple(suggest(objectives, worst, findings, quality, gaps, owners)),
        changes=tuple(change_lines(store, ask)),
    )
