"""However a lab ends, none of its processes stays."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from lab.start import LabError, start_lab
from tests.lab.conftest import StartLab
from tests.servers import wait_until

PROCESSES = 8
"""Itself, an edge and an app process a region, a Redis a region and one for the bus."""


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(None, id="its standard input ends"),
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGKILL,
    ],
)
def test_no_process_stays(start: StartLab, number: signal.Signals | None) -> None:
    lab = start()
    family = _family(lab.pid)
    assert len(family) == PROCESSES
    if number is None:
        lab.stop()
    else:
        os.kill(lab.pid, number)
    wait_until(lambda: not family & _running().keys(), "all processes to end")


def test_the_loss_of_a_part_ends_the_whole(start: StartLab) -> None:
    lab = start()
    family = _family(lab.pid)
    names = _names(family)
    part = next(pid for pid in family if pid != lab.pid and "redis" not in names[pid])
    os.kill(part, signal.SIGKILL)
    wait_until(lambda: not family & _running().keys(), "all processes to end")


def test_what_keeps_it_from_starting_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(LabError, match="token"):
        start_lab(tmp_path, seed=1)


def test_a_lab_stops_at_once_in_the_middle_of_a_fault(start: StartLab) -> None:
    lab = start()
    family = _family(lab.pid)
    lab.inject("lost_invalidation", "eu-app-1", 60.0)
    wait_until(lambda: lab.truth().faults, "the fault to begin")
    lab.stop()
    assert lab.exit_status == 0
    assert not family & _running().keys()


def _family(pid: int) -> set[int]:
    parents = _running()
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _running() -> dict[int, int]:
    """The parent of every process that runs; one that waits to be reaped does not."""
    return {pid: parent for pid, (_, state, parent) in _processes().items() if state != "Z"}


def _names(pids: set[int]) -> dict[int, str]:
    return {pid: name for pid, (name, _, _) in _processes().items() if pid in pids}


def _processes() -> dict[int, tuple[str, str, int]]:
    """Name, state and parent of each process: proc(5)."""
    processes = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            head, _, tail = path.read_text().rpartition(")")
            pid, _, name = head.partition(" (")
            state, parent, *_ = tail.split()
            processes[int(pid)] = (name, state, int(parent))
    return processes
