"""One process writes to a store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stalewatch.lock import LockedError, StoreLock

HOLD = "import sys; from pathlib import Path; from stalewatch.lock import StoreLock\n"
HOLD += "with StoreLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def test_a_second_one_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with (
        StoreLock(tmp_path / "sw.db"),
        pytest.raises(LockedError, match=f"pid {os.getpid()}"),
        StoreLock(tmp_path / "sw.db"),
    ):
        pass


def test_it_is_free_again_after_the_end(tmp_path: Path) -> None:
    for _ in range(2):
        with StoreLock(tmp_path / "sw.db"):
            pass


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    store = tmp_path / "sw.db"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(LockedError, match=str(process.pid)), StoreLock(store):
        pass
    process.kill()
    process.communicate()
    with StoreLock(store):
        pass


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LockedError, match="cannot be made"), StoreLock(tmp_path / "no" / "sw.db"):
        pass
