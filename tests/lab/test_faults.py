"""Faults come of themselves and to order, and the truth says what became of each."""

import itertools
import random
from pathlib import Path

import pytest

from lab.faults.schedule import KINDS, PLAIN, drawn_kinds
from lab.score import stale_intervals
from lab.start import Lab, LabError
from lab.truth import Fault
from tests.lab.conftest import StartLab
from tests.servers import wait_until

DURATION_S = 2.0


def test_every_class_is_documented() -> None:
    table = (Path(__file__).parents[2] / "docs" / "lab.md").read_text()
    for kind in KINDS:
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{kind.kind}` |")]
        *_, shows, where, _ = [cell.strip() for cell in row.split("|")]
        assert shows == kind.shows
        assert where.endswith("the whole node") == kind.takes_node
        assert where.startswith("any") == (len(kind.layers) == 3)


@pytest.mark.parametrize("seed", range(20))
def test_the_plain_classes_come_first_and_each_once_before_any_again(seed: int) -> None:
    drawn = list(itertools.islice(drawn_kinds(random.Random(seed)), 2 * len(KINDS)))
    first, second = drawn[: len(KINDS)], drawn[len(KINDS) :]
    assert set(first[: len(PLAIN)]) == set(PLAIN)
    assert set(first) == set(second) == set(KINDS)


def test_a_partition_takes_all_keys_written_meanwhile(quiet_lab: Lab) -> None:
    quiet_lab.inject("partitioned_node", "us-edge-1", DURATION_S)

    def repaired() -> list[Fault]:
        return [f for f in quiet_lab.truth().faults if f.node == "us-edge-1" and f.end_s]

    wait_until(repaired, "the repair")
    (fault,) = repaired()
    assert fault.end_s is not None
    written = {
        commit.key
        for commit in quiet_lab.truth().commits
        if fault.start_s <= commit.at_s <= fault.end_s
    }
    assert written == set(fault.keys)
    assert len(fault.keys) >= 3


ORDERS = [
    pytest.param("meteorite", "eu-edge-1", id="no such class"),
    pytest.param("refill_race", "mars-edge-1", id="no such node"),
    pytest.param("clock_skew", "eu-redis-1", id="a class that cannot be at that layer"),
]


@pytest.mark.parametrize(("kind", "node"), ORDERS)
def test_an_order_that_cannot_be_met_is_refused(quiet_lab: Lab, kind: str, node: str) -> None:
    with pytest.raises(LabError, match=f"cannot inject {kind} at {node}"):
        quiet_lab.inject(kind, node, 1.0)


def test_a_node_that_is_taken_takes_no_second_fault(quiet_lab: Lab) -> None:
    quiet_lab.inject("clock_skew", "eu-app-1", DURATION_S)
    for kind in ("lost_invalidation", "wrong_ttl"):
        with pytest.raises(LabError, match="eu-app-1"):
            quiet_lab.inject(kind, "eu-app-1", DURATION_S)


def test_an_order_says_which_fault_it_began(quiet_lab: Lab) -> None:
    ids = [quiet_lab.inject("refill_race", None, 0.5) for _ in range(3)]

    def begun() -> list[Fault]:
        return [fault for fault in quiet_lab.truth().faults if fault.id in ids]

    wait_until(lambda: len(begun()) == len(ids), "all to begin")
    assert {fault.kind for fault in begun()} == {"refill_race"}
    assert len({fault.keys for fault in begun()}) == len(ids)


def test_faults_come_of_themselves(start: StartLab) -> None:
    lab = start(seed=2, faults=True)
    wait_until(lambda: lab.truth().faults, "the first fault", 60)
    (fault, *_) = lab.truth().faults
    wait_until(
        lambda: [s for s in stale_intervals(lab.truth()) if s.node == fault.node],
        "a stale copy at its node",
    )
