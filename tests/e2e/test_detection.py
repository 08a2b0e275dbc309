"""Faults are found, confirmed, explained and healed; a coherent shop is left in peace."""

import contextlib
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from lab.score import stale_intervals
from lab.start import Lab
from store.sqlite import SqliteStore
from tests.e2e.conftest import StartUp
from tests.e2e.recount import recount
from tests.e2e.running import Up, run
from tests.servers import wait_until

pytestmark = pytest.mark.serial
HELD_S = 8.0
FAR_S = 2**40
WEIGHTS = ("good_weight", "judged_weight")
MAX_STALENESS_S = 0.3
STAMPED_S = 0.3
"""How far apart the truth's stamp of a change and the change may lie on a busy machine."""
QUIET_S = 15
FAULTS = [
    ("lost_invalidation", "regional", "eu-redis-1", "lost-invalidation"),
    ("refill_race", "regional", "eu-redis-1", "refill-race"),
    ("partitioned_node", "app", "eu-app-1", "partitioned-node"),
]
Finding = Mapping[str, Any]


def test_each_fault_is_found_confirmed_explained_and_healed(shop: Lab, start_up: StartUp) -> None:
    up = start_up(shop.config).ready()
    for kind, _, node, _ in FAULTS:
        shop.inject(kind, node, HELD_S)
    for kind, layer, node, cause in FAULTS:
        _wait_for_cause(up, layer, node, cause, kind)
    wait_until(lambda: not up.items("findings?open=true"), "every copy to heal", 30)
    states = {finding["state"] for finding in up.items("findings")}
    assert states <= {"healed", "healed-on-read"}
    assert "healed" in states
    _judge_by_hand(shop, up)
    assert recount(shop.dir / "stalewatch.db").problems == []
    _seconds_are_true(shop)


def _wait_for_cause(up: Up, layer: str, node: str, cause: str, kind: str) -> None:
    def is_found() -> bool:
        return any(
            (found["layer"], found["node"], found["cause"]) == (layer, node, cause)
            and found["confirmed_at"] is not None
            for found in up.items("findings")
        )

    wait_until(is_found, f"{kind} to be confirmed as {cause}")


def _judge_by_hand(shop: Lab, up: Up) -> None:
    """The evidence of a finding, through `judge`, gives the verdict again: one of each cause."""
    findings = up.items("findings")
    for finding in {each["cause"]: each for each in findings}.values():
        evidence = run("evidence", finding["id"], "-c", str(shop.config)).stdout
        judged = run("judge", "-", "--max-staleness", "0.3", stdin=evidence)
        assert judged.returncode == 1, judged.stderr
        verdicts = [json.loads(line)["verdict"] for line in judged.stdout.splitlines()]
        assert set(verdicts) == {"stale"}


def _seconds_are_true(shop: Lab) -> None:
    """No copy is told to have been stale for longer than it was, and each stuck one is told."""
    truth: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for interval in stale_intervals(shop.truth()):
        truth[interval.copy] += max(0.0, interval.duration_s + STAMPED_S - MAX_STALENESS_S)
    with contextlib.closing(SqliteStore(str(shop.dir / "stalewatch.db"))) as store:
        told = store.stale_seconds("product", 60, 0, FAR_S)
    assert {
        copy: (told_s, truth[copy]) for copy, told_s in told.items() if told_s > truth[copy]
    } == {}
    stuck = {copy: true_s for copy, true_s in truth.items() if true_s > HELD_S / 2}
    assert stuck
    assert {copy for copy in stuck if told.get(copy, 0.0) < stuck[copy] / 2} == set()


def test_a_coherent_shop_has_no_finding_and_no_stale_read(shop: Lab, start_up: StartUp) -> None:
    up = start_up(shop.config).ready()
    rounds = 'stalewatch_rounds_total{keyspace="product",outcome="complete"}'
    wait_until(lambda: up.metric(rounds) >= QUIET_S, "that many rounds, one a second", 60)
    assert up.items("findings") == []
    verdicts = [line for line in up.ask("metrics").text.splitlines() if "verdicts_total{" in line]
    assert not [line for line in verdicts if 'verdict="stale"' in line]
    assert [line for line in verdicts if 'verdict="fresh"' in line]
    assert stale_intervals(shop.truth()), "the workload wrote nothing: this shows nothing"
    with contextlib.closing(SqliteStore(str(shop.dir / "stalewatch.db"))) as store:
        seconds = store.copy_times("product", 60, 0, FAR_S).values()
        assert sum(each.bad_weight for each in seconds) == 0
        good_s, judged_s = (sum(getattr(each, kind) for each in seconds) for kind in WEIGHTS)
        assert good_s > 0.9 * judged_s > 0
