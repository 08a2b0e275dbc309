"""What the demo finds of the faults that the lab injects, how soon, and under which cause.

    python -m bench.detection [--minutes 10] [--seed 1]

Runs `stalewatch demo` as a user would, and reads the score that it prints. The truth is the lab's
own record; a fault counts where its copy was stale for longer than the probe interval and the
layer's maximum staleness together.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import httpx2

ADDRESS = re.compile(r"http://[\d.]+:\d+/")
COMMAND = Path(sys.executable).parent / "stalewatch"
Result = Mapping[str, Any]


def main() -> int:
    """Run the demo and print its figures; 1 where a fault was missed or a finding false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began_s, page_s, result = _run_demo(args.minutes, args.seed)
    score = result["score"]
    print(f"{args.minutes:g} minutes, seed {args.seed}: " + _listed(score))
    print(f"seconds from the start to the page: {page_s:.1f}")
    print(f"  to the first fault: {_first(result['faults'], 'start') - began_s:.1f}")
    print(f"  to the first finding: {_first(result['findings'], 'opened_at') - began_s:.1f}")
    _print_classes(result)
    _print_causes(result)
    _print_findings(result)
    return 1 if score["missed"] or score["false"] else 0


def _run_demo(minutes: float, seed: int) -> tuple[float, float, Result]:
    """When it began (Unix seconds), seconds to the page, and the score."""
    began_s = time.time()
    command = [str(COMMAND), "demo", "--port", "0", "--no-browser", "--json"]
    with subprocess.Popen(
        [*command, "--for", f"{round(minutes * 60)}s", "--seed", str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        page_s = _await_page(demo.stderr) - began_s
        # What it says later must not fill the pipe.
        threading.Thread(target=demo.stderr.read, daemon=True).start()
        last = demo.stdout.read().splitlines()[-1]
    return began_s, page_s, json.loads(last)


def _await_page(said: IO[str]) -> float:
    """When the page answered, Unix seconds."""
    for line in said:
        if found := ADDRESS.search(line):
            while True:
                with suppress(httpx2.TransportError):
                    httpx2.get(found[0]).raise_for_status()
                    return time.time()
    raise SystemExit("the demo ended before it served a page")


def _first(rows: list[Result], instant: str) -> float:
    return min((row[instant] for row in rows), default=float("nan"))


def _print_classes(result: Result) -> None:
    print("seconds from the first stale instant of a fault to its first finding")
    print(f"  {'class':<20}{'injected':>9}{'found':>7}{'p50':>7}{'max':>7}{'too short':>11}")
    faults = result["faults"]
    for kind in sorted({fault["kind"] for fault in faults}):
        own = [fault for fault in faults if fault["kind"] == kind]
        counted = [fault for fault in own if fault["eligible"]]
        delays = [f["found_after_s"] for f in counted if f["found_after_s"] is not None]
        p50, most = (statistics.median(delays), max(delays)) if delays else (0.0, 0.0)
        print(
            f"  {kind:<20}{len(counted):>9}{len(delays):>7}{p50:>7.2f}{most:>7.2f}"
            f"{len(own) - len(counted):>11}"
        )


def _print_causes(result: Result) -> None:
    """Each finding by what really made the copy stale, and by the cause that was named."""
    confused: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for really, named in _explained(result):
        confused[really][named] += 1
    names = sorted({named for row in confused.values() for named in row})
    print("findings by what happened (rows) and by the cause that was named")
    print(f"  {'':<20}" + "".join(f"{name:>19}" for name in names))
    for really, row in sorted(confused.items()):
        print(f"  {really:<20}" + "".join(f"{row[name]:>19}" for name in names))


def _explained(result: Result) -> Iterator[tuple[str, str]]:
    for finding in result["findings"]:
        yield finding["explained_kind"] or "false", finding["cause"]


def _print_findings(result: Result) -> None:
    findings = result["findings"]
    print(f"findings: {len(findings)}: " + _listed(Counter(f["state"] for f in findings)))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
