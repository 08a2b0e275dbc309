"""The week in a line, the decision that it suggests, and what to do: pure, from the rows alone."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from freshness.words import percent, small_percent
from reports.document import (
    ActionLine,
    AlertQuality,
    FindingSummary,
    GapLine,
    Level,
    ObjectiveLine,
    ReportVerdict,
    WorstLine,
)
from reports.section import budget, gap_words

MOST_TO_BLAME: Final = 0.5
"""One that has this share of what was bad is worth a look by itself."""
WORTH_A_LOOK: Final = 0.05
"""Where it took so much of the budget, too."""
MANY_SHORT: Final = 5
_DECISIONS: Final[Mapping[Level, str]] = {
    "missed": (
        "Put work on freshness before new features, and hold back risky releases of what writes "
        "to these caches, until the budget is positive again."
    ),
    "at-risk": (
        "Release with care, and mend the worst of the list below before the budget is gone."
    ),
    "no-data": "Repair the measuring first: nothing can be said of what was not measured.",
    "kept": "Nothing needs to change: the budget allows the present pace of releases.",
}


def decide(objectives: Sequence[ObjectiveLine], lost: Fraction) -> ReportVerdict:
    """The worst of the objectives decides; `lost` is the share of the week without data."""
    if not objectives:
        line = "No objective is declared, so nothing is promised and nothing can be missed."
        return ReportVerdict("no-data", line, "Declare one: docs/objectives.md says how.")
    missed = [each for each in objectives if each.level == "missed"]
    risky = [each for each in objectives if each.level == "at-risk"]
    silent = [each for each in objectives if each.level == "no-data"]
    parts = [
        f"{len(part)} {words}{_named(part)}"
        for part, words in ((missed, "missed"), (risky, "at risk"), (silent, "without data"))
        if part
    ]
    kept = len(objectives) - len(missed) - len(risky) - len(silent)
    line = f"{kept} of {len(objectives)} objectives kept"
    line = "; ".join([line, *parts]) + "."
    if lost and not silent:
        line += f" {small_percent(float(lost))} of the week was not measured."
    level: Level = "missed" if missed else "at-risk" if risky else "no-data" if silent else "kept"
    return ReportVerdict(level, line, _DECISIONS[level])


def suggest(
    objectives: Sequence[ObjectiveLine],
    worst: Sequence[WorstLine],
    findings: FindingSummary,
    quality: AlertQuality,
    gaps: Sequence[GapLine],
    owners: Mapping[str, str],
) -> list[ActionLine]:
    """What to do, most pressing first; `owners` are by layer."""
    owner_of = {each.name: each.owner for each in objectives}
    return [
        *_of_objectives(objectives),
        *_of_worst(worst, owner_of, owners),
        *_of_findings(findings),
        *_of_measuring(objectives, gaps),
        *_of_alerts(quality),
    ]


def _of_objectives(objectives: Sequence[ObjectiveLine]) -> Iterator[ActionLine]:
    for each in objectives:
        if each.level == "missed" and each.remaining is not None:
            why = f"{budget(-each.remaining)} more than the budget is spent"
            yield ActionLine(each.owner, f"Bring {each.name} back within its budget", why)
        elif each.level == "at-risk" and each.remaining is not None:
            why = f"{budget(each.remaining)} of the budget is left"
            yield ActionLine(each.owner, f"Slow down the burn of {each.name}", why)


def _of_worst(
    worst: Sequence[WorstLine], owner_of: Mapping[str, str], owners: Mapping[str, str]
) -> Iterator[ActionLine]:
    for line in worst:
        is_worst = line.share >= MOST_TO_BLAME and line.spent >= WORTH_A_LOOK
        if is_worst and line.kind in ("node", "publisher", "key"):
            layer = line.name.partition("/")[0]
            owner = owners.get(layer) if line.kind == "node" else None
            why = f"{percent(line.share, 0)} of what was bad of {line.objective}"
            what = f"Look at {line.kind} {line.name}"
            yield ActionLine(owner or owner_of.get(line.objective, ""), what, why)


def _of_findings(findings: FindingSummary) -> Iterator[ActionLine]:
    if findings.open:
        told = sum(line.healed_at_ns is None for line in findings.worst)
        why = "told above" if told == findings.open else f"{told} of them are told above"
        copies = "1 copy that is" if findings.open == 1 else f"{findings.open} copies that are"
        yield ActionLine("", f"Heal {copies} still stale", why)


def _of_measuring(
    objectives: Sequence[ObjectiveLine], gaps: Sequence[GapLine]
) -> Iterator[ActionLine]:
    for each in objectives:
        if each.level == "no-data":
            yield ActionLine(
                each.owner, f"Repair the measuring of {each.name}", gap_words(each.gap)
            )
        elif each.supported_nines is not None and each.supported_nines < nines_of(each.target):
            why = f"the samples support {each.supported_nines} nines, and the target claims more"
            yield ActionLine(each.owner, f"Sample more for {each.name}", why)
    sources = sorted({gap.about for gap in gaps if gap.about.startswith("source ")})
    for about in sources:
        yield ActionLine("", f"See why {about} could not be heard", "invalidations may be lost")


def _of_alerts(quality: AlertQuality) -> Iterator[ActionLine]:
    if quality.failed:
        why = f"could not deliver {quality.failed} of what it was owed"
        yield ActionLine("", "Repair the channel of alerts", why)
    if quality.short >= MANY_SHORT or quality.flapping:
        why = f"over within five minutes: {quality.short} times; flapping: {quality.flapping}"
        yield ActionLine("", "Give noisy rules a longer `for`, or a limit that matters", why)


def nines_of(target: float) -> int:
    """The whole nines that a target claims: 3 for 99.9 % and for 99.95 %."""
    nines = 0
    while nines < 12 and Fraction(str(target)) >= 1 - Fraction(1, 10 ** (nines + 1)):
        nines += 1
    return nines


def _named(objectives: Sequence[ObjectiveLine]) -> str:
    names = [each.name for each in objectives]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f" ({', '.join(names[:3])}{more})"
