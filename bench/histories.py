"""Try the judge on very many random histories and print what came of it.

`python -m bench.histories --histories 200000 --seed 1 --processes 2`; exits 1 on any violation.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from freshness.model import Verdict
from tests.simulator.check import Tally
from tests.simulator.dials import SWITCHES
from tests.simulator.library import run_seeds

CHUNK = 500


def main() -> int:
    """Run the histories named on the command line; 0 where no property was broken."""
    asked = _arguments()
    last = asked.seed + asked.histories
    chunks = [range(start, min(start + CHUNK, last)) for start in range(asked.seed, last, CHUNK)]
    began, tally = time.monotonic(), Tally()
    with ProcessPoolExecutor(asked.processes) as pool:
        for part in pool.map(partial(run_seeds, focus=frozenset(asked.focus)), chunks):
            tally.add(part)
    _print_table(tally, time.monotonic() - began)
    return 1 if tally.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the first of consecutive seeds")
    parser.add_argument("--processes", type=int, default=2)
    names = [*SWITCHES, "digests", "monotone"]
    parser.add_argument("--focus", nargs="*", default=[], choices=names, metavar="INGREDIENT")
    return parser.parse_args()


def _print_table(tally: Tally, seconds: float) -> None:
    print(f"histories                      {tally.histories:>9,}  in {seconds:.0f} s")
    print(f"reads judged                   {tally.reads:>9,}")
    print(f"  compared with the formulas   {tally.compared:>9,}")
    print(f"  of coherent caches           {tally.coherent:>9,}")
    print(f"    called stale               {tally.false_alarms:>9,}")
    print(f"violations                     {len(tally.violations):>9,}")
    _print_counts(Counter(v.rule for v in tally.violations))
    print("under a limit of the method (reads; and broken properties among them)")
    _print_counts(tally.limited)
    print("verdicts at a maximum staleness of 0, of all reads")
    _print_counts(tally.verdicts, tally.reads)
    print("indeterminate by reason, of all reads")
    _print_counts(tally.reasons, tally.reads)
    print("verdicts withdrawn when further evidence arrived")
    _print_counts(tally.withdrawn)
    print("indeterminate by ingredient, of the reads of its histories")
    _print_ingredients(tally.by_ingredient)
    for violation in tally.violations[:10]:
        print(f"seed {violation.seed}, read {violation.read}: {violation.rule}: {violation.said}")


def _print_counts(counts: Counter[str], of: int = 0) -> None:
    for name, count in counts.most_common():
        share = f"{count / of:8.1%}" if of else ""
        print(f"  {name:<44} {count:>9,}{share}")


def _print_ingredients(counts: Counter[tuple[str, str]]) -> None:
    for name in sorted({name for name, _ in counts}):
        total = sum(counts[name, verdict] for verdict in Verdict)
        share = counts[name, Verdict.INDETERMINATE] / total
        print(f"  {name:<44} {total:>9,}{share:8.1%}")


if __name__ == "__main__":
    sys.exit(main())
