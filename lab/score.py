"""Scores findings against the truth. Pure: the truth, the faults and the findings come in.

All instants are Unix seconds of the lab's machine, all durations seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lab.truth import Beside, Fault, Holding, Truth

WHOLE_NODE: Final = "*"
"""In place of a key: what is wrong with a node, not with a copy."""
OF_NODES: Final = frozenset({"config-drift", "skew"})
"""What is seen of a node, whatever the key."""
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


def torn_intervals(truth: Truth) -> list[StaleInterval]:
    """Every time a copy had a version without the content of that version, oldest first."""
    prices = {(commit.key, commit.version): commit.price for commit in truth.commits}
    return [
        StaleInterval(*_copy(holding), holding.start_s, holding.end_s)
        for holding in truth.holdings
        if holding.price is not None
        and holding.start_s < holding.end_s
        and prices.get((holding.key, holding.version)) not in {None, holding.price}
    ]


def score(
    truth: Truth,
    faults: Sequence[Fault],
    findings: Sequence[Finding],
    probe_interval_s: float,
    max_staleness_s_by_layer: Mapping[str, float],
    *,
    sees: str = "stale",
) -> dict[str, Any]:
    """What was injected, found, missed and false, of the faults that show what a detector sees.

    A finding is a mapping with `id`, `keyspace`, `key`, `layer`, `node`, `held`, `latest`,
    `read_at` (when the read began that it was opened on; None: just before), `opened_at`,
    `confirmed_at`, `healed_at`, `state`, `cause` and `staleness_s` (two bounds).
    A fault counts as injected where it shows what the detector `sees` and its real staleness
    outlasted the probe interval and the layer's maximum; the others are listed as not eligible,
    with the reason. `sees`: stale, torn, config-drift or skew; findings of the last two are of a
    node, whose `key` does not matter. Only staleness is allowed a maximum.
    """
    if sees in OF_NODES:
        findings = [{**finding, "key": WHOLE_NODE} for finding in findings]
        faults = [replace(fault, keys=(WHOLE_NODE,)) for fault in faults]
    intervals = _intervals(truth, faults, sees)
    allowed_s = max_staleness_s_by_layer if sees == "stale" else {}
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
            probe_interval_s + allowed_s.get(fault.layer, 0.0),
            findings,
            sees,
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
    sees: str,
) -> dict[str, Any]:
    longest_s = max((interval.duration_s for interval in stale), default=0.0)
    is_eligible = fault.shows == sees and longest_s > least_s
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
        "shows": fault.shows,
        "wrong": dict(fault.wrong),
        "stale_s": longest_s,
        "eligible": is_eligible,
        "why": None if is_eligible else _why_not(fault, sees, longest_s, least_s),
        "found_by": [finding["id"] for finding in found_by],
        "found_after_s": None if opened_at is None else opened_at - began_s,
    }


def _why_not(fault: Fault, sees: str, longest_s: float, least_s: float) -> str:
    if fault.shows != sees:
        return f"shows {fault.shows}, not {sees}"
    if longest_s == 0.0:
        return f"no copy became {sees}"
    return f"{sees} for {longest_s:.3f} s, which is within {least_s:.3f} s"


def _proves_any(finding: Finding, stale: Iterable[StaleInterval]) -> bool:
    copy = (finding["layer"], finding["node"], finding["key"])
    read_s, opened_s = _read_at_s(finding), finding["opened_at"]
    return any(interval.copy == copy and interval.meets(read_s, opened_s) for interval in stale)


def _read_at_s(finding: Finding) -> float:
    """From when on the copy may have been read that the finding is of: until it was opened."""
    just_before_s: float = finding["opened_at"] - READ_SLACK_S
    return min(just_before_s, finding.get("read_at") or just_before_s)


def _judged_finding(
    finding: Finding,
    intervals: Sequence[StaleInterval],
    faults: Sequence[Fault],
    stale_of: Mapping[str, Sequence[StaleInterval]],
    until_s: float,
) -> dict[str, Any]:
    copy = (finding["layer"], finding["node"], finding["key"])
    proof_s = _read_at_s(finding) - (finding["staleness_s"][0] or 0.0)
    real = [
        interval
        for interval in intervals
        if interval.copy == copy and interval.meets(proof_s, finding["opened_at"])
    ]
    explained_by: str | None = None
    if real:
        own = [fault.id for fault in faults if _proves_any(finding, stale_of[fault.id])]
        explained_by = own[0] if own else _elsewhere(finding, faults, until_s)
    kinds = {fault.id: _kind_at(fault, finding) for fault in faults}
    return {
        **finding,
        "explained_by": explained_by,
        "explained_kind": kinds.get(explained_by or "", explained_by),
        "really_stale_s": (
            min(finding["opened_at"], real[-1].end_s) - real[-1].start_s if real else None
        ),
    }


def _elsewhere(finding: Finding, faults: Sequence[Fault], until_s: float) -> str:
    """Wrong with no fault at the node: a fault elsewhere had the key, or nothing explains it."""
    others = [
        fault
        for fault in faults
        if finding["key"] in fault.keys
        and fault.node != finding["node"]
        and fault.start_s <= finding["opened_at"]
        and finding["opened_at"] <= (until_s if fault.end_s is None else fault.end_s) + READ_SLACK_S
    ]
    besides = [fault.id for fault in others if _beside(fault, finding)]
    return besides[0] if besides else "repoisoned" if others else "unplanned"


def _kind_at(fault: Fault, finding: Finding) -> str:
    """The class of the fault at the finding's node."""
    beside = _beside(fault, finding)
    return beside[0].kind if beside else fault.kind


def _beside(fault: Fault, finding: Finding) -> list[Beside]:
    place = finding["layer"], finding["node"]
    return [each for each in fault.beside if (each.layer, each.node) == place]


def _intervals(truth: Truth, faults: Iterable[Fault], sees: str) -> list[StaleInterval]:
    """When which copy, or which node, was so that the detector should see it."""
    match sees:
        case "stale":
            return stale_intervals(truth)
        case "torn":
            return torn_intervals(truth)
    return [
        StaleInterval(fault.layer, fault.node, WHOLE_NODE, fault.start_s, _end_s(fault, truth))
        for fault in faults
        if fault.shows == sees
    ]


def _end_s(fault: Fault, truth: Truth) -> float:
    return truth.until_s if fault.end_s is None else fault.end_s


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
