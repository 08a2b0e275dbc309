"""What cannot be seen follows from how evidence was gathered."""

from dataclasses import replace
from typing import Any

import pytest

from freshness.blind_spots import SWEEP_DUE_NS, Blind, Gathered, find_blind_spots

WHOLE = Gathered(
    nodes=3, nodes_silent=0, minutes_observed=180, minutes_expected=180, reads=9_000,
    walk_ns=60 * 10**9, has_messages=True, is_pool=False, checks=100, checks_lost=0,
    checks_weight=100.0, swept_ago_ns=1, tells_lifetimes=True, missing_samples=0,
)  # fmt: skip


def test_the_best_evidence_still_waits_for_the_walk() -> None:
    (only,) = find_blind_spots(WHOLE)
    assert (only.kind, only.length_ns) == (Blind.SLOW_WALK, WHOLE.walk_ns)


@pytest.mark.parametrize(
    ("changes", "kind", "figure"),
    [
        pytest.param({"reads": 0}, Blind.NO_READS, {}, id="nothing was read"),
        pytest.param({"walk_ns": None}, Blind.UNKNOWN_WALK, {}, id="no pace is known"),
        pytest.param({"nodes_silent": 2}, Blind.SILENT_NODES, {"number": 2}, id="nodes are down"),
        pytest.param(
            {"minutes_observed": 135}, Blind.SILENT_MINUTES, {"share": 0.25}, id="lost minutes"
        ),
        pytest.param({"has_messages": False}, Blind.NO_MESSAGES, {}, id="no message came"),
        pytest.param({"checks": 0}, Blind.NO_CHECKS, {}, id="none was checked"),
        pytest.param({"is_pool": True, "checks": 0}, Blind.POOL, {}, id="a pool has no checks"),
        pytest.param({"checks_lost": 5}, Blind.LOST_CHECKS, {"share": 0.05}, id="checks too late"),
        pytest.param(
            {"checks_weight": 400.0}, Blind.SAMPLED_CHECKS, {"share": 0.75}, id="checks by lot"
        ),
        pytest.param({"swept_ago_ns": None}, Blind.NO_SWEEP, {}, id="never swept"),
        pytest.param(
            {"swept_ago_ns": SWEEP_DUE_NS + 1}, Blind.OLD_SWEEP, {"length_ns": SWEEP_DUE_NS + 1},
            id="swept long ago",
        ),
        pytest.param({"tells_lifetimes": False}, Blind.NO_LIFETIMES, {}, id="no TTL, no age"),
        pytest.param(
            {"missing_samples": 7}, Blind.FEW_SAMPLES, {"number": 7}, id="too few samples"
        ),
    ],
)  # fmt: skip
def test_each_lack_is_named(changes: dict[str, Any], kind: Blind, figure: dict[str, Any]) -> None:
    found = {spot.kind: spot for spot in find_blind_spots(replace(WHOLE, **changes))}
    assert {name: getattr(found[kind], name) for name in figure} == figure
    assert set(found) <= {kind, Blind.SLOW_WALK}


def test_unknown_lifetimes_are_no_lack() -> None:
    found = find_blind_spots(replace(WHOLE, tells_lifetimes=None, missing_samples=None))
    assert [spot.kind for spot in found] == [Blind.SLOW_WALK]
