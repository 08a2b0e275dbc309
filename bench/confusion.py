"""Every class of fault injected again and again, and the cause that is named for each; or none.

    python -m bench.confusion [--times 20] [--at-once 3] [--seed 1] [--only CLASS ...]
    python -m bench.confusion --control 60

Runs the shop and `up` on it as a user would. Nodes, keys and moments are drawn by the shop. A row
is what was injected, a column the cause that most of its findings were given once they had settled;
classes that make no copy stale are to bring no finding. A cause is right, or broad (true, and less
than could be said), or wrong. `--each` says how each fault
was told. `--control` injects nothing for so many
minutes, in which nothing is to be found at all.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.signals import LifetimeWatch, tell_signals
from freshness.causes import Cause
from freshness.causes.cause import is_narrower
from lab.faults.deaf_subscriber import DeafSubscriber
from lab.faults.partitioned_node import PartitionedNode
from lab.faults.refill_race import RefillRace
from lab.faults.reordered import Reordered
from lab.faults.replica_lag_refill import ReplicaLagRefill
from lab.faults.repoisoned import Repoisoned
from lab.faults.schedule import KINDS
from lab.faults.wrong_ttl import WrongTtl
from lab.start import Lab, LabError, start_lab
from stalewatch.cli.scored import score_run
from stalewatch.config import load
from store.sqlite import SqliteStore
from tests.e2e.running import Up

LASTS_S = (10.0, 16.0)
"""How long a fault strikes: longer than it takes to be found and confirmed."""
SILENT_LASTS_S = (20.0, 30.0)
"""Of a node that hears nothing: that its silence is no delay is known after ten seconds only."""
SILENT = (DeafSubscriber.kind, PartitionedNode.kind)
LIFETIME_LASTS_S = (30.0, 40.0)
"""Of a wrong lifetime: a handful of entries is looked at each ten seconds."""
REFILLS = (RefillRace.kind, Repoisoned.kind, Reordered.kind)
MASKS = {ReplicaLagRefill.kind: REFILLS, **dict.fromkeys(REFILLS, (ReplicaLagRefill.kind,))}
"""What is not to be under way beside a class: while a replica lags, any refill may be its."""
PREPARED_S = 3.0
"""Until a fault begins, most often."""
SETTLES_S = 75.0
"""Until the diagnosis of the last finding that is over stands."""
RETRY_S = 1.0
ALSO_TRUE = {(Cause.PARTITIONED_NODE, Cause.LATE_INVALIDATION)}
"""The messages of a node that was cut off come after all, late: docs/judging.md."""
NAMES = [kind.kind for kind in KINDS]
Result = Mapping[str, Any]


def main() -> int:
    """Run one of the two; 1 where something was found that is not there."""
    args = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder,
        start_lab(
            Path(folder) / "lab", args.seed, faults=False, reads_replicas=True, shards=2
        ) as lab,
        Up(lab.config) as up,
        LifetimeWatch(lab.dir / "stalewatch.db") as watch,
    ):
        up.ready()
        loads = [os.getloadavg()[0]]
        if args.control is not None:
            time.sleep(args.control * 60)
        else:
            deck = args.only * args.times
            inject(lab, deck, args.at_once, random.Random(args.seed), loads)
            time.sleep(SETTLES_S)
        up.end()
        lab.stop()
        tell_load(loads)
        store = SqliteStore(str(lab.dir / "stalewatch.db"))
        result = score_run(lab, load(lab.config), store)
        tell_reads(store)
        if args.control is None:
            tell_matrix(result)
            tell_signals(store, result["faults"], watch)
        if args.each:
            tell_each(result)
        store.close()
    false = result["score"]["false"]
    print(f"findings {len(result['findings'])}, false {false}")
    return 1 if false or (args.control is not None and result["findings"]) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="CLASS")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--control", type=float, metavar="MINUTES")
    return parser.parse_args()


def inject(
    lab: Lab, deck: list[str], at_once: int, dice: random.Random, loads: list[float]
) -> None:
    """These classes in a shuffled order, a few at a time on nodes of their own.

    `loads` takes the load of the machine at each.
    """
    dice.shuffle(deck)
    under_way: list[tuple[float, str]] = []
    while deck:
        under_way = [(end, kind) for end, kind in under_way if end > time.monotonic()]
        if len(under_way) >= at_once:
            time.sleep(max(0.0, min(under_way)[0] - time.monotonic()))
            continue
        kept = {other for _, kind in under_way for other in MASKS.get(kind, ())}
        share = dice.random()
        tried = ((kind, _lasts(kind, share)) for kind in dict.fromkeys(deck) if kind not in kept)
        begun = next((each for each in tried if _try(lab, *each, deck)), None)
        if begun is None:
            time.sleep(RETRY_S)
            continue
        kind, lasts_s = begun
        under_way.append((time.monotonic() + PREPARED_S + lasts_s, kind))
        loads.append(os.getloadavg()[0])
        print(f"\r{len(deck)} to come ", end="", file=sys.stderr, flush=True)
        time.sleep(dice.uniform(0.5, 2.0))


def _lasts(kind: str, share: float) -> float:
    least_s, most_s = SILENT_LASTS_S if kind in SILENT else LASTS_S
    if kind == WrongTtl.kind:
        least_s, most_s = LIFETIME_LASTS_S
    return least_s + share * (most_s - least_s)


def _try(lab: Lab, kind: str, lasts_s: float, deck: list[str]) -> bool:
    """Inject one, unless there is no room for its class now."""
    try:
        lab.inject(kind, None, lasts_s)
    except LabError:
        return False
    deck.remove(kind)
    return True


def tell_matrix(result: Result) -> None:
    """A row a class, a column a cause."""
    causes = {finding["id"]: finding["cause"] for finding in result["findings"]}
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for fault in result["faults"]:
        rows[fault["kind"]][_named(fault, causes)] += 1
    columns = sorted({name for row in rows.values() for name in row})
    wide = max(map(len, columns), default=0)
    print("\nfaults by class (rows) and by the cause that most of their findings were given")
    for kind in (name for name in NAMES if rows[name]):
        told = ", ".join(f"{name} {rows[kind][name]}" for name in columns if rows[kind][name])
        print(f"  {kind:<20} {sum(rows[kind].values()):>3}: {told or '-':<{wide}}")
    grades = Counter(_grade(f["kind"], _named(f, causes)) for f in result["faults"])
    print(", ".join(f"{grade} {n}" for grade, n in sorted(grades.items())))


def _grade(kind: str, named: str) -> str:
    """How a name stands to the truth."""
    if named not in [cause.value for cause in Cause]:
        return named.partition(":")[0].strip("()")
    truth, told = Cause(kind.replace("_", "-")), Cause(named)
    if told in {truth, Cause.UNDECIDED}:
        return "right" if told is truth else "undecided"
    is_true = is_narrower(truth, told) or (truth, told) in ALSO_TRUE
    return "broad" if is_true else "wrong"


def tell_each(result: Result) -> None:
    """The findings of each fault: what it was, where, what they were said to be, and one reason."""
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for each in sorted(result["findings"], key=lambda each: str(each["explained_by"])):
        names = (each["explained_by"], each["explained_kind"], each["node"], each["cause"])
        alike[tuple(map(str, names))].append(each["because"])
    for (fault, kind, node, cause), reasons in alike.items():
        print(f"  {fault}: {kind} at {node}: {len(reasons)} {cause}; {reasons[0]}")


def _named(fault: Result, causes: Mapping[str, str]) -> str:
    named: Sequence[str] = [causes[id] for id in fault["found_by"] if id in causes]
    if named:
        return Counter(named).most_common(1)[0][0]
    return "(missed)" if fault["eligible"] else f"(no finding: {fault['why']})"


def tell_load(loads: Sequence[float]) -> None:
    """How busy the machine was: where it is, reads time out and much stays undecided."""
    middle = sorted(loads)[len(loads) // 2]
    cores = os.cpu_count()
    print(f"load {min(loads):.1f} to {max(loads):.1f}, mostly {middle:.1f}, on {cores} cores")


def tell_reads(store: SqliteStore) -> None:
    """How many reads were judged, and how."""
    totals: Counter[str] = Counter()
    for key, cell in store.rollups("minute", 0, 2**62):
        for verdict in ("fresh", "stale", "indeterminate", "unknown"):
            totals[f"{key.stratum} {verdict}"] += getattr(cell, verdict).n
    print(", ".join(f"{name} {n:,}" for name, n in sorted(totals.items()) if n))


if __name__ == "__main__":
    sys.exit(main())
