"""The tables of what happened: findings, alerts, how good these were, and what was not measured."""

from freshness.words import duration
from reports.ask import NS_PER_S
from reports.document import FindingLine, ReportDocument
from reports.section import UNKNOWN, Cell, Clock, Row, Section, Tone, budget, cut, gap_words, mean


def finding_table(document: ReportDocument, when: Clock) -> Section:
    """Copies that were stale, the dearest first."""
    found = document.findings
    causes = ", ".join(f"{n} {cause.replace('-', ' ')}" for cause, n in found.causes.items())
    times = f"time to detect {mean(found.mttd_s)}, to heal {mean(found.mttr_s)}"
    note = f"{found.total} in all, {found.open} still open; {times}"
    note += f"; causes: {causes}" if causes else ""
    note += "" if found.is_all else "; more than are counted"
    return Section(
        "Findings",
        note,
        ("Copy", "Cause", "Broken since, at the latest", "Detected", "Healed", "Cost"),
        tuple(_finding(line, when) for line in found.worst),
        "No stale copy was found.",
        is_empty_good=True,
    )


def _finding(line: FindingLine, when: Clock) -> Row:
    def at(at_ns: int | None, otherwise: str) -> str:
        return otherwise if at_ns is None else when(at_ns // NS_PER_S)

    return (
        Cell(f"{line.keyspace}/{cut(line.key)}", f"{line.layer}/{line.node}"),
        Cell(line.cause.replace("-", " "), f"stale for at least {duration(line.stale_ns)}"),
        Cell(at(line.broke_at_ns, UNKNOWN)),
        Cell(at(line.detected_at_ns, UNKNOWN)),
        Cell(at(line.healed_at_ns, "still open"), tone="bad" if line.healed_at_ns is None else ""),
        Cell(budget(line.cost), line.cost_of),
    )


def alert_table(document: ReportDocument, when: Clock) -> Section:
    """Firings, the longest first."""
    alerts = document.alerts
    times = f"time to acknowledge {mean(alerts.mtta_s)}, to resolve {mean(alerts.mttr_s)}"
    note = f"{alerts.total} firings, {alerts.firing} still fire; {times}"
    rows = tuple(
        (
            Cell(line.rule or "a rule of the past", cut(line.summary, 120)),
            Cell(when(line.fired_at_ns // NS_PER_S), "silenced" if line.was_silenced else ""),
            Cell(
                UNKNOWN if line.acked_at_ns is None else when(line.acked_at_ns // NS_PER_S),
                cut(line.acked_by),
            ),
            Cell(
                "still fires"
                if line.resolved_at_ns is None
                else when(line.resolved_at_ns // NS_PER_S),
                tone="bad" if line.resolved_at_ns is None else "",
            ),
        )
        for line in alerts.longest
    )
    heads = ("Alert", "Fired", "Acknowledged", "Resolved")
    return Section("Alerts", note, heads, rows, "No alert fired.", is_empty_good=True)


def quality_table(document: ReportDocument) -> Section:
    """Whether alerts are worth waking up for."""
    quality = document.quality
    told = ", ".join(f"{n} by {channel}" for channel, n in quality.told.items()) or "none"
    counted: tuple[tuple[str, int, Tone], ...] = (
        ("Firings over within five minutes", quality.short, "warn"),
        ("Alerts that fired three times or more", quality.flapping, "warn"),
        ("Firings under a silence", quality.silenced, ""),
        ("Notifications that failed for good", quality.failed, "bad"),
        ("Notifications still owed", quality.owed, "warn"),
    )
    rows = (
        (Cell("Notifications delivered"), Cell(told)),
        *((Cell(name), Cell(f"{n}", tone=tone if n else "")) for name, n, tone in counted),
    )
    return Section("Quality of alerts", "", ("What", "How many"), rows, "")


def gap_table(document: ReportDocument, when: Clock) -> Section:
    """Stretches without data."""
    rows = tuple(
        (
            Cell(cut(gap.about)),
            Cell(when(gap.since_s)),
            Cell(duration((gap.until_s - gap.since_s) * NS_PER_S)),
            Cell(cut(gap_words(gap.why), 120)),
        )
        for gap in document.gaps
    )
    return Section(
        "Gaps in measurement",
        "",
        ("What", "From", "For", "Why"),
        rows,
        "Everything was measured.",
        is_empty_good=True,
    )
