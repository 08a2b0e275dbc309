"""Each class of fault makes a copy stale for its time, by the truth and to who reads the node."""

import pytest

from lab.faults.schedule import KINDS
from lab.score import stale_intervals
from lab.start import Lab
from lab.truth import Fault
from tests.lab.conftest import StartLab
from tests.lab.reading import Reader
from tests.servers import wait_until

DURATION_S = 2.0
NODES = [("edge", "eu-edge-1"), ("regional", "us-redis-1"), ("app", "us-app-2")]


@pytest.mark.parametrize(("layer", "node"), NODES, ids=[layer for layer, _ in NODES])
@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
def test_a_fault_makes_a_copy_stale(
    quiet_lab: Lab, reader: Reader, kind: str, layer: str, node: str
) -> None:
    def faults() -> list[Fault]:
        return [f for f in quiet_lab.truth().faults if (f.kind, f.node) == (kind, node)]

    quiet_lab.inject(kind, node, DURATION_S)
    wait_until(faults, "the fault to begin")
    keys = faults()[0].keys
    wait_until(lambda: reader.is_stale(layer, node, *keys), "a stale copy to be read")
    wait_until(lambda: faults()[0].end_s is not None, "the repair")
    wait_until(lambda: not reader.is_stale(layer, node, *keys), "the copy to heal")
    (fault,) = faults()
    assert fault.end_s is not None
    longest = max(
        (
            each
            for each in stale_intervals(quiet_lab.truth())
            if each.node == node
            and each.key in fault.keys
            and each.meets(fault.start_s, fault.end_s)
        ),
        key=lambda each: each.duration_s,
    )
    assert fault.start_s <= longest.start_s <= longest.end_s <= fault.end_s
    assert longest.duration_s >= DURATION_S


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


def test_an_order_for_no_such_thing_harms_nothing(quiet_lab: Lab) -> None:
    quiet_lab.inject("meteorite", "eu-edge-1", 1.0)
    quiet_lab.inject("refill_race", "mars-edge-1", 1.0)
    log = quiet_lab.dir / "lab.log"
    wait_until(lambda: log.read_text().count("not an order") == 2, "two complaints")


def test_faults_come_of_themselves(start: StartLab) -> None:
    lab = start(seed=2, faults=True)
    wait_until(lambda: lab.truth().faults, "the first fault", 60)
    (fault, *_) = lab.truth().faults
    wait_until(
        lambda: [s for s in stale_intervals(lab.truth()) if s.node == fault.node],
        "a stale copy at its node",
    )
