"""kill -9 of `up` in mid-flight, and what its store is worth afterwards.

    python -m bench.crash [--kills 10] [--seed 1]

A shop with faults runs; `up` is killed some seconds after it is ready, its store is opened and
counted anew from its rows (`tests/e2e/recount.py`), and `up` starts again on what is there. At the
end one `up` is left alone until no finding of a killed one is open.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from lab.start import Lab, start_lab
from tests.e2e.recount import Recount, recount
from tests.e2e.running import Up
from tests.servers import wait_until

FIRST_S, LAST_S = 1.0, 8.0
"""A kill comes so long after `up` is ready."""
HEAL_S = 120.0
COLUMNS = ("kill", "after", "integrity", "reads", "series", "findings", "open", "problems")


def main() -> int:
    """Kill, count, print; 1 where anything was apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    print(*(f"{name:>9}" for name in COLUMNS))
    with (
        tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder,
        start_lab(Path(folder), args.seed) as lab,
    ):
        problems = [
            problem
            for number in range(1, args.kills + 1)
            for problem in _kill(lab, number, rng.uniform(FIRST_S, LAST_S))
        ]
        problems += _left_open(lab)
    print(*problems, sep="\n")
    return 1 if problems else 0


def _kill(lab: Lab, number: int, after_s: float) -> list[str]:
    with Up(lab.config).ready() as up:
        time.sleep(after_s)
        left_open = len(up.items("findings?open=true"))
        up.end(signal.SIGKILL)
    counted = recount(_store(lab))
    _print_row(number, after_s, counted, left_open)
    return [*counted.problems, *([] if counted.integrity == "ok" else [counted.integrity])]


def _print_row(number: int, after_s: float, counted: Recount, left_open: int) -> None:
    row = (
        *(number, f"{after_s:.1f} s", counted.integrity, counted.reads, counted.cells),
        *(counted.findings, left_open, len(counted.problems)),
    )
    print(*(f"{value!s:>9}" for value in row), flush=True)


def _left_open(lab: Lab) -> list[str]:
    """Findings of killed processes that a last one cannot bring to an end."""
    with Up(lab.config).ready() as up:
        old = {finding["id"] for finding in up.items("findings?open=true&limit=500")}

        def still_open() -> set[str]:
            return old & {finding["id"] for finding in up.items("findings?open=true&limit=500")}

        try:
            wait_until(lambda: not still_open(), "findings of killed processes to end", HEAL_S)
        except AssertionError as error:
            return [f"{error}: {', '.join(sorted(still_open()))}"]
        status = up.end()
    print(f"{len(old)} findings were open at the last start, all have ended; exit status {status}")
    return [f"exit status {status}"] if status else []


def _store(lab: Lab) -> Path:
    return lab.dir / "stalewatch.db"


if __name__ == "__main__":
    sys.exit(main())
