"""Scores findings against the truth. Pure: the truth, the faults and the findings come in.

All instants are Unix seconds of the lab's machine, all durations seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lab.truth import Fault, Holding, Truth

READ_SLACK_S: Final = 0.25
"""A finding is opened after its proof was read: a copy may heal within the read itself."""

Finding = Mapping[str, Any]
CopyId = tuple[str, str, str]
"""Layer, node, key."""


@dataclass(frozen=True, slots=True)
class StaleInterval:
    """A copy was stale from the commit of a newer version until it was replaced or gone."""

    layer: str
    node: str
    key: str
    start_s: float
    end_s: float

    @property
    def copy(self) -> CopyId:
        """Which copy."""
        return self.layer, self.node, self.key

    @property
    def duration_s(self) -> float:
        """How long."""
        return self.end_s - self.start_s

    def meets(self, start_s: float, end_s: float) -> bool:
        """Whether it was stale at any time in [start_s, end_s]."""
        return self.start_s <= end_s and start_s <= self.end_s


def stale_intervals(truth: Truth) -> list[StaleInterval]:
    """Every time a copy was stale, oldest first; intervals of one copy that touch are one."""
    commits: dict[tuple[str, int], float] = {
        (commit.key, commit.version): commit.at_s for commit in truth.commits
    }
    spans: dict[CopyId, list[tuple[float, float]]] = defaultdict(list)
    for holding in truth.holdings:
        superseded_s = commits.get((holding.key, holding.version + 1))
        if superseded_s is None or superseded_s >= holding.end_s:
            continue
        start_s = max(superseded_s, holding.start_s)
        if start_s < holding.end_s:
            spans[_copy(holding)].append((start_s, holding.end_s))
    intervals = [
        StaleInterval(*copy, start_s, end_s)
        for copy, copy_spans in spans.items()
        for start_s, end_s in _joined(sorted(copy_spans))
    ]
    return sorted(intervals, key=lambda interval: interval.start_s)


def score(
    truth: Truth,
    faults: Sequence[Fault],
    findings: Sequence[Finding],
    probe_interval_s: float,
    max_staleness_s_by_layer: Mapping[str, float],
) -> dict[str, Any]:
    """What was injected, found, missed and false.

    A finding is a mapping with `id`, `keyspace`, `key`, `layer`, `node`, `held`, `latest`,
    `opened_at`, `confirmed_at`, `healed_at`, `state`, `cause` and `staleness_s` (two bounds).
    A fault counts as injected where its real staleness outlasted the probe interval and the
    layer's maximum; the others are listed as not eligible, with the reason.
    """
    intervals = stale_intervals(truth)
    stale_of: dict[str, list[StaleInterval]] = {
        fault.id: _intervals_of(fault, intervals, truth.until_s) for fault in faults
    }
    judged_findings = [
        _judged_finding(finding, intervals, faults, stale_of, truth.until_s) for finding in findings
    ]
    judged_faults = [
        _judged_fault(
            fault,
            stale_of[fault.id],
            probe_interval_s + max_staleness_s_by_layer.get(fault.layer, 0.0),
            findings,
        )
        for fault in faults
    ]
    eligible = [fault for fault in judged_faults if fault["eligible"]]
    found = sum(bool(fault["found_by"]) for fault in eligible)
    return {
        "faults": judged_faults,
        "findings": judged_findings,
        "score": {
            "injected": len(eligible),
            "found": found,
            "missed": len(eligible) - found,
            "false": sum(finding["explained_by"] is None for finding in judged_findings),
        },
    }


def _intervals_of(
    fault: Fault, intervals: Iterable[StaleInterval], until_s: float
) -> list[StaleInterval]:
    end_s = until_s if fault.end_s is None else fault.end_s
    return [
        interval
        for interval in intervals
        if (interval.layer, interval.node) == (fault.layer, fault.node)
        and interval.key in fault.keys
        and interval.meets(fault.start_s, end_s)
    ]


def _judged_fault(
    fault: Fault,
    stale: Sequence[StaleInterval],
    least_s: float,
    findings: Sequence[Finding],
) -> dict[str, Any]:
    longest_s = max((interval.duration_s for interval in stale), default=0.0)
    is_eligible = longest_s > least_s
    found_by = [finding for finding in findings if _proves_any(finding, stale)]
    opened_at = min((finding["opened_at"] for finding in found_by), default=None)
    began_s = min((interval.start_s for interval in stale), default=fault.start_s)
    return {
        "id": fault.id,
        "kind": fault.kind,
        "layer": fault.layer,
        "node": fault.node,
        "keys": list(fault.keys),
        "start": fault.start_s,
        "end": fault.end_s,
        "stale_s": longest_s,
        "eligible": is_eligible,
        "why": None if is_eligible else _why_not(longest_s, least_s),
        "found_by": [finding["id"] for finding in found_by],
        "found_after_s": None if opened_at is None else opened_at - began_s,
    }


def _why_not(longest_s: float, least_s: float) -> str:
    if longest_s == 0.0:
        return "no copy became stale"
    return f"stale for {longest_s:.3f} s, which is within {least_s:.3f} s"


def _proves_any(finding: Finding, stale: Iterable[StaleInterval]) -> bool:
    copy = (finding["layer"], finding["node"], finding["key"])
    opened_s = finding["opened_at"]
    return any(
        interval.copy == copy and interval.start_s <= opened_s <= interval.end_s + READ_SLACK_S
        for interval in stale
    )


def _judged_finding(
    finding: Finding,
    intervals: Sequence[StaleInterval],
    faults: Sequence[Fault],
    stale_of: Mapping[str, Sequence[StaleInterval]],
    until_s: float,
) -> dict[str, Any]:
    copy = (finding["layer"], finding["node"], finding["key"])
    proof_s = finding["opened_at"] - (finding["staleness_s"][0] or 0.0) - READ_SLACK_S
    real = [
        interval
        for interval in intervals
        if interval.copy == copy and interval.meets(proof_s, finding["opened_at"])
    ]
    explained_by: str | None = None
    if real:
        own = [fault.id for fault in faults if _proves_any(finding, stale_of[fault.id])]
        explained_by = own[0] if own else _unplanned(finding, faults, until_s)
    return {
        **finding,
        "explained_by": explained_by,
        "really_stale_s": (
            min(finding["opened_at"], real[-1].end_s) - real[-1].start_s if real else None
        ),
    }


def _unplanned(finding: Finding, faults: Iterable[Fault], until_s: float) -> str:
    """Stale with no fault at the node: a fault elsewhere had the key, or nothing explains it."""
    elsewhere = any(
        finding["key"] in fault.keys
        and fault.node != finding["node"]
        and fault.start_s <= finding["opened_at"]
        and finding["opened_at"] <= (until_s if fault.end_s is None else fault.end_s) + READ_SLACK_S
        for fault in faults
    )
    return "repoisoned" if elsewhere else "unplanned"


def _copy(holding: Holding) -> CopyId:
    return holding.layer, holding.node, holding.key


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start_s, end_s in spans:
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return joined
