"""Scoring by hand-written truths: what was stale when, and what a finding of it is worth."""

from typing import Any

import pytest

from lab.score import score, stale_intervals, torn_intervals
from lab.truth import Beside, Commit, Fault, Holding, Truth

APP = ("app", "eu-app-1")
EDGE = ("edge", "eu-edge-1")
PROBE_INTERVAL_S = 1.0
MAX_STALENESS_S = {"app": 0.5, "edge": 0.5}

COMMITS = (Commit("7", 1, 0.0), Commit("7", 2, 100.0), Commit("7", 3, 120.0))


def held(node: tuple[str, str], version: int, start_s: float, end_s: float) -> Holding:
    return Holding(*node, "7", version, start_s, end_s)


STALE = [
    pytest.param([held(APP, 1, 50, 99)], [], id="gone before the write"),
    pytest.param([held(APP, 1, 50, 110)], [(100, 110)], id="lost: held over the write"),
    pytest.param([held(APP, 1, 104, 110)], [(104, 110)], id="refill race: filled after the write"),
    pytest.param([held(APP, 2, 100.1, 120)], [], id="replaced as the next version commits"),
    pytest.param(
        [held(APP, 1, 50, 110), held(APP, 1, 110, 115)], [(100, 115)], id="refilled with the old"
    ),
    pytest.param(
        [held(APP, 1, 50, 130), held(APP, 2, 130, 140)], [(100, 140)], id="stale by another version"
    ),
    pytest.param(
        [held(APP, 1, 50, 110), held(APP, 2, 111, 125)],
        [(100, 110), (120, 125)],
        id="stale, healed, stale again",
    ),
    pytest.param([held(APP, 3, 121, 500)], [], id="the latest"),
]


@pytest.mark.parametrize(("holdings", "spans"), STALE)
def test_stale_intervals(holdings: list[Holding], spans: list[tuple[float, float]]) -> None:
    intervals = stale_intervals(Truth(COMMITS, tuple(holdings), until_s=500))
    assert [(interval.start_s, interval.end_s) for interval in intervals] == spans


FAULT = Fault("fault-1", "lost_invalidation", *APP, ("7",), 100.0, 110.0)
STALE_FOR_10_S = (held(APP, 1, 50, 110),)


def finding(
    opened_at: float, lower_s: float, node: tuple[str, str] = APP, key: str = "7"
) -> dict[str, Any]:
    return {
        "id": "f",
        "keyspace": "product",
        "key": key,
        "layer": node[0],
        "node": node[1],
        "held": 1,
        "latest": 2,
        "opened_at": opened_at,
        "confirmed_at": None,
        "healed_at": None,
        "state": "open",
        "cause": "lost invalidation",
        "staleness_s": [lower_s, None],
    }


def tally(injected: int, found: int, missed: int, false: int) -> dict[str, int]:
    return {"injected": injected, "found": found, "missed": missed, "false": false}


SCORES = [
    pytest.param(STALE_FOR_10_S, [finding(102, 1.5)], tally(1, 1, 0, 0), "fault-1", id="found"),
    pytest.param(STALE_FOR_10_S, [], tally(1, 0, 1, 0), None, id="missed"),
    pytest.param(
        STALE_FOR_10_S, [finding(110.2, 9.9)], tally(1, 1, 0, 0), "fault-1", id="healed in the read"
    ),
    pytest.param(
        STALE_FOR_10_S, [finding(115, 1)], tally(1, 0, 1, 1), None, id="false: healed long before"
    ),
    pytest.param(
        STALE_FOR_10_S, [finding(102, 1, key="8")], tally(1, 0, 1, 1), None, id="false: another key"
    ),
    pytest.param(
        STALE_FOR_10_S, [finding(102, 1, EDGE)], tally(1, 0, 1, 1), None, id="false: another node"
    ),
    pytest.param(
        STALE_FOR_10_S, [finding(112, 3)], tally(1, 0, 1, 0), "unplanned", id="true but told late"
    ),
    pytest.param(
        (held(APP, 1, 50, 101.4),), [], tally(0, 0, 0, 0), None, id="too short to be counted"
    ),
    pytest.param(
        (held(APP, 1, 50, 101.4),),
        [finding(101.2, 0.8)],
        tally(0, 0, 0, 0),
        "fault-1",
        id="too short, found all the same",
    ),
    pytest.param((), [], tally(0, 0, 0, 0), None, id="nothing became stale"),
    pytest.param(
        (*STALE_FOR_10_S, held(EDGE, 1, 103, 109)),
        [finding(102, 1.5), finding(105, 1.9, EDGE)],
        tally(1, 1, 0, 0),
        "repoisoned",
        id="re-poisoned from below",
    ),
    pytest.param(
        (held(EDGE, 2, 110, 122),),
        [finding(121.5, 1.2, EDGE)],
        tally(0, 0, 0, 0),
        "unplanned",
        id="slow of its own accord",
    ),
]


@pytest.mark.parametrize(("holdings", "findings", "expected", "explained_by"), SCORES)
def test_score(
    holdings: tuple[Holding, ...],
    findings: list[dict[str, Any]],
    expected: dict[str, int],
    explained_by: str | None,
) -> None:
    truth = Truth(COMMITS, holdings, (FAULT,), until_s=500)
    result = score(truth, truth.faults, findings, PROBE_INTERVAL_S, MAX_STALENESS_S)
    assert result["score"] == expected
    assert [each["explained_by"] for each in result["findings"]][-1:] == [explained_by][
        : len(findings)
    ]


def test_a_fault_says_how_long_it_was_stale_and_who_found_it() -> None:
    truth = Truth(COMMITS, STALE_FOR_10_S, (FAULT,), until_s=500)
    (fault,) = score(truth, truth.faults, [finding(102, 1.5)], PROBE_INTERVAL_S, MAX_STALENESS_S)[
        "faults"
    ]
    assert (fault["stale_s"], fault["eligible"], fault["why"]) == (10.0, True, None)
    assert (fault["found_by"], fault["found_after_s"]) == (["f"], 2.0)


def test_a_fault_that_still_lasts_is_scored_until_now() -> None:
    lasting = Fault("fault-1", "lost_invalidation", *APP, ("7",), 100.0)
    truth = Truth(COMMITS, (held(APP, 1, 50, 105),), (lasting,), until_s=105)
    result = score(truth, truth.faults, [finding(104.9, 4)], PROBE_INTERVAL_S, MAX_STALENESS_S)
    assert result["score"] == tally(1, 1, 0, 0)


def test_a_copy_may_heal_within_the_read_that_proves_it() -> None:
    truth = Truth(COMMITS, STALE_FOR_10_S, (FAULT,), until_s=500)
    for read_at, expected in ((None, tally(1, 0, 1, 1)), (109.0, tally(1, 1, 0, 0))):
        late = finding(112, 0.4) | {"read_at": read_at}
        result = score(truth, truth.faults, [late], PROBE_INTERVAL_S, MAX_STALENESS_S)
        assert result["score"] == expected


def test_why_a_fault_is_not_counted() -> None:
    truth = Truth(COMMITS, (held(APP, 1, 50, 101.4),), (FAULT,), until_s=500)
    (fault,) = score(truth, truth.faults, [], PROBE_INTERVAL_S, MAX_STALENESS_S)["faults"]
    assert fault["why"] == "stale for 1.400 s, which is within 1.500 s"


def test_no_fault_without_a_stale_copy_is_missed_and_a_stale_finding_there_is_false() -> None:
    skew = Fault("fault-1", "clock_skew", *APP, ("7",), 100.0, 110.0, shows="skew")
    truth = Truth(COMMITS, (held(APP, 2, 100, 120),), (skew,), until_s=500)
    for found in ([], [finding(105, 1)]):
        result = score(truth, truth.faults, found, PROBE_INTERVAL_S, MAX_STALENESS_S)
        assert result["score"] == tally(0, 0, 0, len(found))
    assert result["faults"][0]["why"] == "shows skew, not stale"
    assert result["findings"][0]["explained_kind"] is None


SKEW = Fault("s", "clock_skew", *APP, ("7",), 100.0, 110.0, shows="skew")
DRIFT = Fault("d", "wrong_ttl", *EDGE, ("7",), 100.0, 110.0, shows="config-drift")
SEEN = [
    pytest.param("skew", [finding(105, 0, APP)], tally(1, 1, 0, 0), id="found"),
    pytest.param("skew", [finding(105, 0, APP, key="9")], tally(1, 1, 0, 0), id="by another key"),
    pytest.param("skew", [], tally(1, 0, 1, 0), id="missed"),
    pytest.param("skew", [finding(105, 0, EDGE)], tally(1, 0, 1, 1), id="false: another node"),
    pytest.param("skew", [finding(120, 0, APP)], tally(1, 0, 1, 1), id="false: long over"),
    pytest.param("config-drift", [finding(105, 0, EDGE)], tally(1, 1, 0, 0), id="drift found"),
    pytest.param("torn", [], tally(0, 0, 0, 0), id="nothing of the kind was injected"),
]


@pytest.mark.parametrize(("sees", "findings", "expected"), SEEN)
def test_a_detector_is_scored_by_what_it_is_meant_to_see(
    sees: str, findings: list[dict[str, Any]], expected: dict[str, int]
) -> None:
    truth = Truth(COMMITS, (), (SKEW, DRIFT), until_s=500)
    result = score(truth, truth.faults, findings, PROBE_INTERVAL_S, MAX_STALENESS_S, sees=sees)
    assert result["score"] == expected


TORN = Fault("t", "torn_value", *APP, ("7",), 100.0, 110.0, shows="torn")
PRICED = (Commit("7", 1, 0.0, 500), Commit("7", 2, 100.0, 700))


def test_a_copy_with_the_content_of_another_version_is_torn_and_not_stale() -> None:
    torn, right = Holding(*APP, "7", 2, 101, 109, 500), Holding(*EDGE, "7", 2, 101, 109, 700)
    truth = Truth(PRICED, (torn, right), (TORN,), until_s=500)
    assert stale_intervals(truth) == []
    assert [(each.node, each.start_s) for each in torn_intervals(truth)] == [(APP[1], 101)]
    findings = [finding(105, 0, APP), finding(105, 0, EDGE)]
    result = score(truth, (TORN,), findings, PROBE_INTERVAL_S, MAX_STALENESS_S, sees="torn")
    assert result["score"] == tally(1, 1, 0, 1)


def test_a_copy_beside_is_explained_by_the_fault_as_a_class_of_its_own() -> None:
    beside = (Beside(*APP, "lost_invalidation"),)
    fault = Fault("r", "repoisoned", *EDGE, ("7",), 100.0, 112.0, beside=beside)
    holdings = (*STALE_FOR_10_S, held(EDGE, 1, 103, 110))
    truth = Truth(COMMITS, holdings, (fault,), until_s=500)
    findings = [finding(105, 1, EDGE), finding(104, 1, APP)]
    result = score(truth, truth.faults, findings, PROBE_INTERVAL_S, MAX_STALENESS_S)
    assert result["score"] == tally(1, 1, 0, 0)
    assert [each["explained_kind"] for each in result["findings"]] == [
        "repoisoned",
        "lost_invalidation",
    ]
    assert {each["explained_by"] for each in result["findings"]} == {"r"}
